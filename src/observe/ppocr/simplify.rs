//! Rewrites a network into fewer operations that compute the same function.
//!
//! The published networks spell out hard-swish in four operations and surround it with learned scalars, which ONNX
//! Runtime does not merge: half of the time goes into walking over memory. The results differ by single-precision
//! rounding only.

use super::onnx::{Model, Node};

/// The model's bytes, rewritten; as they are when they cannot be understood.
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

    fn live(&self) -> impl Iterator<Item = usize> {
        (0..self.removed.len()).filter(|&index| !self.removed[index])
    }

    fn producer(&self, tensor: &str) -> Option<usize> {
        self.live()
            .find(|&index| self.node(index).outputs.iter().any(|name| name == tensor))
    }

    /// The only node that reads the tensor, if it reads it once and nobody else needs it.
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

    /// For `op`(tensor, scalar) in either order: the tensor and the scalar.
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
        let add = self.only_reader(&self.node(multiply).outputs[0])?;
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
        let affine = self.affine_of(&convolution.outputs[0])?;
        let mut weights = self.model.constant(&convolution.inputs[1])?.clone();
        let channels = *weights.dims.first()?;
        let mut bias = match convolution.inputs.get(2) {
            Some(name) => self.model.constant(name)?.values.clone(),
            None => vec![0.0; channels as usize],
        };
        for weight in &mut weights.values {
            *weight *= affine.scale;
        }
        for value in &mut bias {
            *value = *value * affine.scale + affine.shift;
        }
        let name = format!("{} folded", convolution.inputs[1]);
        let bias_name = format!("{name} bias");
        let weights = self.model.add_constant(name, weights.dims, weights.values);
        let bias = self.model.add_constant(bias_name, vec![channels], bias);
        let output = self.node(affine.add).outputs[0].clone();
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
        let (x, clip, add) = self
            .clipped(a, b)
            .or_else(|| self.clipped(b, a))
            .filter(|(_, clip, _)| self.only_reader(&self.node(*clip).outputs[0]).is_some())?;
        let gate = self.node(clip).outputs[0].clone();
        let attributes = [("alpha", 1.0 / 6.0), ("beta", 0.5)];
        self.model.nodes[clip] = Node::with_floats("HardSigmoid", vec![x], gate, &attributes);
        self.model.nodes[multiply].outputs = self.node(divide).outputs.clone();
        self.removed[add] = true;
        self.removed[divide] = true;
        Some(())
    }

    /// Whether `clipped` = clip(`x` + 3, 0, 6): then x and the two nodes.
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

    /// Hard-swish of a convolution, × scalar, + scalar → one batch normalisation, which ONNX Runtime runs in the
    /// convolutions' own memory layout.
    fn affine_to_normalisation(&mut self, product: usize) -> Option<()> {
        if self.removed[product] || self.node(product).op != "Mul" {
            return None;
        }
        let input = self.node(product).outputs[0].clone();
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
        let channels = *self.model.constant(weights)?.dims.first()?;
        let output = self.node(affine.add).outputs[0].clone();
        let mut inputs = vec![input];
        for (name, value) in [
            ("scale", affine.scale),
            ("shift", affine.shift),
            ("mean", 0.0),
            ("variance", 1.0),
        ] {
            inputs.push(self.model.add_constant(
                format!("{output} {name}"),
                vec![channels],
                vec![value; channels as usize],
            ));
        }
        let attributes = [("epsilon", 0.0)];
        self.model.nodes[affine.multiply] =
            Node::with_floats("BatchNormalization", inputs, output, &attributes);
        self.removed[affine.add] = true;
        Some(())
    }
}
