//! Rewrites a network into fewer operations that compute the same function.
//!
//! The published networks write hard-swish as four operations, with learned scalars before and after it. ONNX
//! Runtime does not merge these, so half of the time is spent on reading and writing memory. The results
//! differ only by rounding in single precision.

use super::onnx::{Model, Node};

/// The bytes of the rewritten model. Bytes that are not a model are returned unchanged.
pub(super) fn simplified(bytes: Vec<u8>) -> Vec<u8> {
    let Some(model) = Model::parse(&bytes) else {
        return bytes;
    };
    let mut graph = Graph {
        removed: vec![false; model.nodes.len()],
        model,
    };
    for index in 0..graph.model.nodes.len() {
        graph.fold_into_convolution(index);
    }
    for index in 0..graph.model.nodes.len() {
        graph.merge_hard_swish(index);
    }
    for index in 0..graph.model.nodes.len() {
        graph.affine_to_normalisation(index);
    }
    let mut removed = graph.removed.iter();
    graph.model.nodes.retain(|_| removed.next() == Some(&false));
    graph.model.to_bytes()
}

struct Graph {
    model: Model,
    /// By node index.
    removed: Vec<bool>,
}

/// A tensor times a scalar, plus a scalar.
struct Affine {
    multiply: usize,
    add: usize,
    scale: f32,
    shift: f32,
}

impl Graph {
    fn node(&self, index: usize) -> &Node {
        &self.model.nodes[index]
    }

    fn output(&self, index: usize) -> Option<&str> {
        self.node(index).outputs.first().map(String::as_str)
    }

    fn live(&self) -> impl Iterator<Item = usize> {
        (0..self.removed.len()).filter(|&index| !self.removed[index])
    }

    fn producer(&self, tensor: &str) -> Option<usize> {
        self.live()
            .find(|&index| self.node(index).outputs.iter().any(|name| name == tensor))
    }

    /// The only node that reads the tensor, if it reads the tensor once and the tensor is no output of the
    /// model.
    fn only_reader(&self, tensor: &str) -> Option<usize> {
        let mut readers = self.live().flat_map(|index| {
            let inputs = self.node(index).inputs.iter();
            inputs.filter(|name| *name == tensor).map(move |_| index)
        });
        let reader = readers.next()?;
        let alone =
            readers.next().is_none() && !self.model.outputs.iter().any(|name| name == tensor);
        alone.then_some(reader)
    }

    fn scalar(&self, tensor: &str) -> Option<f32> {
        match self.model.constant(tensor)?.values[..] {
            [value] => Some(value),
            _ => None,
        }
    }

    /// The tensor and the scalar of a node `op`(tensor, scalar), whose inputs may have either order.
    fn with_scalar(&self, index: usize, op: &str) -> Option<(&str, f32)> {
        let node = self.node(index);
        let [a, b] = &node.inputs[..] else {
            return None;
        };
        if node.op != op {
            return None;
        }
        match (self.scalar(a), self.scalar(b)) {
            (None, Some(value)) => Some((a, value)),
            (Some(value), None) => Some((b, value)),
            _ => None,
        }
    }

    fn affine_of(&self, tensor: &str) -> Option<Affine> {
        let multiply = self.only_reader(tensor)?;
        let (_, scale) = self.with_scalar(multiply, "Mul")?;
        let add = self.only_reader(self.output(multiply)?)?;
        let (_, shift) = self.with_scalar(add, "Add")?;
        Some(Affine {
            multiply,
            add,
            scale,
            shift,
        })
    }

    /// Conv, × scalar, + scalar → Conv with other weights.
    fn fold_into_convolution(&mut self, index: usize) -> Option<()> {
        let convolution = self.node(index).clone();
        if convolution.op != "Conv" {
            return None;
        }
        let affine = self.affine_of(convolution.outputs.first()?)?;
        let weights_name = convolution.inputs.get(1)?;
        let mut weights = self.model.constant(weights_name)?.clone();
        let channels = weights.channels()?;
        let mut bias = match convolution.inputs.get(2) {
            Some(name) => self.model.constant(name)?.values.clone(),
            None => vec![0.0; channels],
        };
        if bias.len() != channels {
            return None;
        }
        for weight in &mut weights.values {
            *weight *= affine.scale;
        }
        for value in &mut bias {
            *value = *value * affine.scale + affine.shift;
        }
        let output = self.output(affine.add)?.to_owned();
        let name = format!("{output} weights");
        let weights = self.model.add_constant(name, weights.dims, weights.values);
        let name = format!("{output} bias");
        let bias = self.model.add_constant(name, vec![channels as u64], bias);
        let node = &mut self.model.nodes[index];
        node.inputs.truncate(1);
        node.inputs.extend([weights, bias]);
        node.outputs = vec![output];
        self.removed[affine.multiply] = true;
        self.removed[affine.add] = true;
        Some(())
    }

    /// x · clip(x + 3, 0, 6) / 6 → x · hard-sigmoid(x).
    fn merge_hard_swish(&mut self, divide: usize) -> Option<()> {
        if self.removed[divide] {
            return None;
        }
        let (product, six) = self.with_scalar(divide, "Div")?;
        let multiply = self.producer(product)?;
        if six != 6.0
            || self.node(divide).inputs[0] != product
            || self.only_reader(product) != Some(divide)
            || self.node(multiply).op != "Mul"
        {
            return None;
        }
        let [a, b] = &self.node(multiply).inputs[..] else {
            return None;
        };
        let (x, clip, add) =
            self.clipped(a, b)
                .or_else(|| self.clipped(b, a))
                .filter(|(_, clip, _)| {
                    self.output(*clip)
                        .and_then(|gate| self.only_reader(gate))
                        .is_some()
                })?;
        let gate = self.output(clip)?.to_owned();
        let attributes = [("alpha", 1.0 / 6.0), ("beta", 0.5)];
        self.model.nodes[clip] = Node::with_floats("HardSigmoid", vec![x], gate, &attributes);
        self.model.nodes[multiply].outputs = self.node(divide).outputs.clone();
        self.removed[add] = true;
        self.removed[divide] = true;
        Some(())
    }

    /// If `clipped` = clip(`x` + 3, 0, 6): `x` and the two nodes.
    fn clipped(&self, x: &str, clipped: &str) -> Option<(String, usize, usize)> {
        let clip = self.producer(clipped)?;
        let [sum, low, high] = &self.node(clip).inputs[..] else {
            return None;
        };
        let limits = (self.scalar(low)?, self.scalar(high)?);
        let add = self.producer(sum)?;
        let (added_to, three) = self.with_scalar(add, "Add")?;
        let fits = self.node(clip).op == "Clip"
            && limits == (0.0, 6.0)
            && three == 3.0
            && added_to == x
            && self.only_reader(sum) == Some(clip);
        fits.then(|| (x.to_owned(), clip, add))
    }

    /// Hard-swish of a convolution, × scalar, + scalar → one batch normalisation, which ONNX Runtime runs in
    /// the convolutions' own memory layout.
    fn affine_to_normalisation(&mut self, product: usize) -> Option<()> {
        if self.removed[product] || self.node(product).op != "Mul" {
            return None;
        }
        let input = self.output(product)?.to_owned();
        let affine = self.affine_of(&input)?;
        let [a, b] = &self.node(product).inputs[..] else {
            return None;
        };
        let (convolution, gate) = match (self.producer(a)?, self.producer(b)?) {
            (value, gate) if self.node(gate).op == "HardSigmoid" => (value, gate),
            (gate, value) => (value, gate),
        };
        let gated = self.node(gate).op == "HardSigmoid"
            && self.node(gate).inputs == self.node(convolution).outputs;
        if !gated || self.node(convolution).op != "Conv" {
            return None;
        }
        let weights = self.node(convolution).inputs.get(1)?;
        let channels = self.model.constant(weights)?.channels()?;
        let output = self.output(affine.add)?.to_owned();
        let mut inputs = vec![input];
        for (name, value) in [
            ("scale", affine.scale),
            ("shift", affine.shift),
            ("mean", 0.0),
            ("variance", 1.0),
        ] {
            inputs.push(self.model.add_constant(
                format!("{output} {name}"),
                vec![channels as u64],
                vec![value; channels],
            ));
        }
        let attributes = [("epsilon", 0.0)];
        self.model.nodes[affine.multiply] =
            Node::with_floats("BatchNormalization", inputs, output, &attributes);
        self.removed[affine.add] = true;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn constant(model: &mut Model, name: &str, value: f32) -> String {
        model.add_constant(name.to_owned(), vec![1], vec![value])
    }

    fn node(op: &str, inputs: &[&str], output: &str) -> Node {
        let inputs = inputs.iter().map(|&name| name.to_owned()).collect();
        Node::with_floats(op, inputs, output.to_owned(), &[])
    }

    /// conv(x; w, b) · 2 + 1, then hard-swish, then · 3 − 1; `high` is the upper limit of the clip.
    fn network(high: f32) -> Vec<u8> {
        // An ONNX model whose graph (field 7) is empty.
        let mut model = Model::parse(&[0x3a, 0x00]).unwrap();
        for (name, value) in [
            ("two", 2.0),
            ("one", 1.0),
            ("three", 3.0),
            ("zero", 0.0),
            ("high", high),
            ("six", 6.0),
            ("minus", -1.0),
        ] {
            constant(&mut model, name, value);
        }
        model.add_constant("w".into(), vec![2, 1, 1, 1], vec![5.0, 7.0]);
        model.add_constant("b".into(), vec![2], vec![0.5, 0.25]);
        model.nodes = vec![
            node("Conv", &["x", "w", "b"], "conv"),
            node("Mul", &["two", "conv"], "scaled"),
            node("Add", &["scaled", "one"], "y"),
            node("Add", &["y", "three"], "raised"),
            node("Clip", &["raised", "zero", "high"], "clipped"),
            node("Mul", &["y", "clipped"], "product"),
            node("Div", &["product", "six"], "swish"),
            node("Mul", &["three", "swish"], "larger"),
            node("Add", &["larger", "minus"], "z"),
        ];
        model.to_bytes()
    }

    fn operations(model: &Model) -> Vec<&str> {
        model.nodes.iter().map(|node| node.op.as_str()).collect()
    }

    #[test]
    fn convolution_scalars_and_hard_swish_become_four_operations() {
        let model = Model::parse(&simplified(network(6.0))).unwrap();
        assert_eq!(
            operations(&model),
            ["Conv", "HardSigmoid", "Mul", "BatchNormalization"]
        );
        let [convolution, .., last] = &model.nodes[..] else {
            panic!("no nodes");
        };
        let values = |name: &String| model.constant(name).unwrap().values.clone();
        // By hand: weights · 2; bias · 2 + 1.
        assert_eq!(values(&convolution.inputs[1]), [10.0, 14.0]);
        assert_eq!(values(&convolution.inputs[2]), [2.0, 1.5]);
        assert_eq!(values(&last.inputs[1]), [3.0, 3.0]);
        assert_eq!(values(&last.inputs[2]), [-1.0, -1.0]);
        assert_eq!(last.outputs, ["z"]);
    }

    #[test]
    fn another_clip_is_no_hard_swish() {
        let model = Model::parse(&simplified(network(5.0))).unwrap();
        let kept = ["Conv", "Add", "Clip", "Mul", "Div", "Mul", "Add"];
        assert_eq!(operations(&model), kept);
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            simplified(bytes);
        }

        #[test]
        fn a_damaged_model_is_taken(at in 0usize..200, value in any::<u8>()) {
            let mut bytes = network(6.0);
            let at = at % bytes.len();
            bytes[at] = value;
            simplified(bytes);
        }
    }
}
