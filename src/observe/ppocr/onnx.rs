//! The parts of the ONNX file format that are needed to rewrite a graph: nodes and constant tensors.
//! Everything else is copied byte for byte.

use std::collections::HashMap;

/// One field of a protobuf message.
#[derive(Debug, Clone, PartialEq)]
enum Value {
    Varint(u64),
    Fixed64([u8; 8]),
    Bytes(Vec<u8>),
    Fixed32([u8; 4]),
}

/// A protobuf message whose fields keep their order.
#[derive(Debug, Clone, Default, PartialEq)]
struct Message(Vec<(u64, Value)>);

// Field numbers of onnx.proto.
const MODEL_GRAPH: u64 = 7;
const GRAPH_NODE: u64 = 1;
const GRAPH_INITIALIZER: u64 = 5;
const GRAPH_OUTPUT: u64 = 12;
const NODE_INPUT: u64 = 1;
const NODE_OUTPUT: u64 = 2;
const NODE_OP: u64 = 4;
const NODE_ATTRIBUTE: u64 = 5;
const ATTRIBUTE_NAME: u64 = 1;
const ATTRIBUTE_FLOAT: u64 = 2;
const ATTRIBUTE_TENSOR: u64 = 5;
const ATTRIBUTE_TYPE: u64 = 20;
const ATTRIBUTE_TYPE_FLOAT: u64 = 1;
const TENSOR_DIMS: u64 = 1;
const TENSOR_TYPE: u64 = 2;
const TENSOR_TYPE_FLOAT: u64 = 1;
const TENSOR_FLOATS: u64 = 4;
const TENSOR_NAME: u64 = 8;
const TENSOR_RAW: u64 = 9;
const VALUE_INFO_NAME: u64 = 1;

/// A model that can be rewritten.
pub(super) struct Model {
    outer: Message,
    graph: Message,
    pub nodes: Vec<Node>,
    /// Single-precision constants by name.
    constants: HashMap<String, Tensor>,
    /// Names of the constants that the file does not have.
    added: Vec<String>,
    /// Names of the tensors that the model returns.
    pub outputs: Vec<String>,
}

/// One operation.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub op: String,
    pub inputs: Vec<String>,
    pub outputs: Vec<String>,
    rest: Message,
}

/// A constant of single-precision numbers.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tensor {
    pub dims: Vec<u64>,
    pub values: Vec<f32>,
}

impl Model {
    /// Reads a model. `None` if the bytes are not an ONNX model.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut outer = Message::parse(bytes)?;
        let mut graph = Message::parse(outer.bytes(MODEL_GRAPH)?)?;
        let nodes: Vec<Node> = graph
            .all_bytes(GRAPH_NODE)
            .map(|bytes| Some(Node::new(Message::parse(bytes)?)))
            .collect::<Option<_>>()?;
        let initializers = graph
            .all_bytes(GRAPH_INITIALIZER)
            .filter_map(Message::parse)
            .filter_map(|tensor| Some((tensor.text(TENSOR_NAME), Tensor::parse(&tensor)?)));
        let constants = nodes.iter().filter_map(Node::constant).chain(initializers);
        let outputs = graph
            .all_bytes(GRAPH_OUTPUT)
            .filter_map(Message::parse)
            .map(|output| output.text(VALUE_INFO_NAME));
        let (constants, outputs) = (constants.collect(), outputs.collect());
        outer.0.retain(|(field, _)| *field != MODEL_GRAPH);
        graph.0.retain(|(field, _)| *field != GRAPH_NODE);
        Some(Self {
            outer,
            graph,
            nodes,
            constants,
            added: Vec::new(),
            outputs,
        })
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut graph = self.graph.clone();
        for node in &self.nodes {
            graph.push(GRAPH_NODE, node.to_message().to_bytes());
        }
        for (name, tensor) in self
            .added
            .iter()
            .filter_map(|name| self.constants.get_key_value(name))
        {
            graph.push(GRAPH_INITIALIZER, tensor.to_message(name).to_bytes());
        }
        let mut outer = self.outer.clone();
        outer.push(MODEL_GRAPH, graph.to_bytes());
        outer.to_bytes()
    }

    /// The constant with this name, if it contains single-precision numbers.
    pub(super) fn constant(&self, name: &str) -> Option<&Tensor> {
        self.constants.get(name)
    }

    /// Adds a constant and returns its name.
    pub(super) fn add_constant(
        &mut self,
        name: String,
        dims: Vec<u64>,
        values: Vec<f32>,
    ) -> String {
        self.constants.insert(name.clone(), Tensor { dims, values });
        self.added.push(name.clone());
        name
    }
}

impl Node {
    fn new(mut message: Message) -> Self {
        let texts = |field| message.all_bytes(field).map(lossy).collect();
        let (inputs, outputs) = (texts(NODE_INPUT), texts(NODE_OUTPUT));
        let op = message.text(NODE_OP);
        message
            .0
            .retain(|(field, _)| ![NODE_INPUT, NODE_OUTPUT, NODE_OP].contains(field));
        Self {
            op,
            inputs,
            outputs,
            rest: message,
        }
    }

    /// The name and the value of a `Constant` node.
    fn constant(&self) -> Option<(String, Tensor)> {
        if self.op != "Constant" {
            return None;
        }
        let attribute = Message::parse(self.rest.bytes(NODE_ATTRIBUTE)?)?;
        let tensor = Message::parse(attribute.bytes(ATTRIBUTE_TENSOR)?)?;
        Some((self.outputs.first()?.clone(), Tensor::parse(&tensor)?))
    }

    /// An operation with single-precision attributes.
    pub(super) fn with_floats(
        op: &str,
        inputs: Vec<String>,
        output: String,
        attributes: &[(&str, f32)],
    ) -> Self {
        let mut rest = Message::default();
        for (name, value) in attributes {
            let mut attribute = Message::default();
            attribute.push(ATTRIBUTE_NAME, name.as_bytes().to_vec());
            let float = Value::Fixed32(value.to_le_bytes());
            attribute.0.push((ATTRIBUTE_FLOAT, float));
            let kind = Value::Varint(ATTRIBUTE_TYPE_FLOAT);
            attribute.0.push((ATTRIBUTE_TYPE, kind));
            rest.push(NODE_ATTRIBUTE, attribute.to_bytes());
        }
        Self {
            op: op.to_owned(),
            inputs,
            outputs: vec![output],
            rest,
        }
    }

    fn to_message(&self) -> Message {
        let mut message = Message::default();
        for input in &self.inputs {
            message.push(NODE_INPUT, input.as_bytes().to_vec());
        }
        for output in &self.outputs {
            message.push(NODE_OUTPUT, output.as_bytes().to_vec());
        }
        message.push(NODE_OP, self.op.as_bytes().to_vec());
        message.0.extend(self.rest.0.iter().cloned());
        message
    }
}

impl Tensor {
    /// The number of output channels of convolution weights. `None` if there are no values.
    pub(super) fn channels(&self) -> Option<usize> {
        let channels = usize::try_from(*self.dims.first()?).ok()?;
        (!self.values.is_empty()).then_some(channels)
    }

    fn parse(message: &Message) -> Option<Self> {
        let float = (TENSOR_TYPE, Value::Varint(TENSOR_TYPE_FLOAT));
        if !message.0.contains(&float) {
            return None;
        }
        let mut dims = Vec::new();
        for (_, value) in message.0.iter().filter(|(field, _)| *field == TENSOR_DIMS) {
            match value {
                Value::Varint(side) => dims.push(*side),
                Value::Bytes(packed) => {
                    let mut rest = packed.as_slice();
                    while !rest.is_empty() {
                        dims.push(varint(&mut rest)?);
                    }
                }
                Value::Fixed64(_) | Value::Fixed32(_) => return None,
            }
        }
        let packed = message
            .bytes(TENSOR_RAW)
            .or_else(|| message.bytes(TENSOR_FLOATS))?;
        let (values, rest) = packed.as_chunks::<4>();
        let count = dims.iter().try_fold(1u64, |n, side| n.checked_mul(*side))?;
        if !rest.is_empty() || values.len() as u64 != count {
            return None;
        }
        let values = values.iter().map(|bytes| f32::from_le_bytes(*bytes));
        Some(Self {
            dims,
            values: values.collect(),
        })
    }

    fn to_message(&self, name: &str) -> Message {
        let mut message = Message::default();
        for side in &self.dims {
            message.0.push((TENSOR_DIMS, Value::Varint(*side)));
        }
        let kind = Value::Varint(TENSOR_TYPE_FLOAT);
        message.0.push((TENSOR_TYPE, kind));
        message.push(TENSOR_NAME, name.as_bytes().to_vec());
        let raw = self.values.iter().flat_map(|value| value.to_le_bytes());
        message.push(TENSOR_RAW, raw.collect());
        message
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl Message {
    fn parse(mut bytes: &[u8]) -> Option<Self> {
        let mut fields = Vec::new();
        while !bytes.is_empty() {
            let key = varint(&mut bytes)?;
            let value = match key & 7 {
                0 => Value::Varint(varint(&mut bytes)?),
                1 => Value::Fixed64(*take_bytes(&mut bytes, 8)?.first_chunk()?),
                2 => {
                    let length = usize::try_from(varint(&mut bytes)?).ok()?;
                    Value::Bytes(take_bytes(&mut bytes, length)?.to_vec())
                }
                5 => Value::Fixed32(*take_bytes(&mut bytes, 4)?.first_chunk()?),
                _ => return None,
            };
            fields.push((key >> 3, value));
        }
        Some(Self(fields))
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (field, value) in &self.0 {
            let kind = match value {
                Value::Varint(_) => 0,
                Value::Fixed64(_) => 1,
                Value::Bytes(_) => 2,
                Value::Fixed32(_) => 5,
            };
            put_varint(&mut bytes, field << 3 | kind);
            match value {
                Value::Varint(value) => put_varint(&mut bytes, *value),
                Value::Fixed64(value) => bytes.extend(value),
                Value::Bytes(value) => {
                    put_varint(&mut bytes, value.len() as u64);
                    bytes.extend(value);
                }
                Value::Fixed32(value) => bytes.extend(value),
            }
        }
        bytes
    }

    fn push(&mut self, field: u64, bytes: Vec<u8>) {
        self.0.push((field, Value::Bytes(bytes)));
    }

    fn all_bytes(&self, wanted: u64) -> impl Iterator<Item = &[u8]> {
        self.0.iter().filter_map(move |(field, value)| match value {
            Value::Bytes(bytes) if *field == wanted => Some(bytes.as_slice()),
            _ => None,
        })
    }

    fn bytes(&self, field: u64) -> Option<&[u8]> {
        self.all_bytes(field).next()
    }

    fn text(&self, field: u64) -> String {
        self.bytes(field).map(lossy).unwrap_or_default()
    }
}

fn take_bytes<'a>(bytes: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(count)?;
    *bytes = rest;
    Some(taken)
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = take_bytes(bytes, 1)?[0];
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

fn put_varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}
