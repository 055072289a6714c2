//! Python's plain values, and how `str` and `repr` print them.

use regex::Regex;
use std::collections::HashMap;
use std::fmt::Write;
use std::sync::LazyLock;

/// A value of a Python literal or a JSON text.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `None`.
    None,
    /// `...`.
    Ellipsis,
    /// `True` or `False`.
    Bool(bool),
    /// Decimal digits of any length, without leading zeros.
    Int(String),
    /// A `float`.
    Float(f64),
    /// A `str`.
    Str(String),
    /// A `bytes`.
    Bytes(Vec<u8>),
    /// A `list`.
    List(Vec<Value>),
    /// A `tuple`.
    Tuple(Vec<Value>),
    /// In the order of the text, since Python's own order changes from run to run.
    Set(Vec<Value>),
    /// A `dict`.
    Dict(Dict),
}

/// Keys and values, in the order in which the keys first appear.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Dict(Vec<(Value, Value)>);

impl Dict {
    /// Of equal keys, the first key stays and the last value counts, as in Python (where `1 == 1.0 == True`).
    /// `None` if a value cannot be a key, such as a list.
    pub fn new(pairs: Vec<(Value, Value)>) -> Option<Self> {
        let mut kept: Vec<(Value, Value)> = Vec::with_capacity(pairs.len());
        let mut places = HashMap::new();
        for (key, value) in pairs {
            let place = *places.entry(key.identity()?).or_insert(kept.len());
            match kept.get_mut(place) {
                Some(pair) => pair.1 = value,
                None => kept.push((key, value)),
            }
        }
        Some(Self(kept))
    }

    /// Whether there are no keys.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The keys and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&Value, &Value)> {
        self.0.iter().map(|(key, value)| (key, value))
    }
}

impl Value {
    /// A set of these values. `None` if one of them cannot be in a set.
    pub fn set(values: Vec<Self>) -> Option<Self> {
        let pairs = values.into_iter().map(|value| (value, Self::None));
        let unique = Dict::new(pairs.collect())?;
        Some(Self::Set(
            unique.0.into_iter().map(|(key, _)| key).collect(),
        ))
    }

    /// The value of a key of a dictionary.
    pub fn get(&self, key: &str) -> Option<&Self> {
        let Self::Dict(dict) = self else { return None };
        let is_key = |known: &Self| matches!(known, Self::Str(known) if known == key);
        dict.iter()
            .find_map(|(known, value)| is_key(known).then_some(value))
    }

    /// The result of `str(value)`.
    pub fn to_str(&self) -> String {
        match self {
            Self::Str(text) => text.clone(),
            other => other.repr(),
        }
    }

    /// The result of `repr(value)`.
    pub fn repr(&self) -> String {
        let mut text = String::new();
        self.write(&mut text);
        text
    }

    /// The result of `bool(value)`.
    pub fn truth(&self) -> bool {
        match self {
            Self::None => false,
            Self::Ellipsis => true,
            Self::Bool(value) => *value,
            Self::Int(digits) => digits != "0",
            Self::Float(value) => *value != 0.0,
            Self::Str(text) => !text.is_empty(),
            Self::Bytes(bytes) => !bytes.is_empty(),
            Self::List(all) | Self::Tuple(all) | Self::Set(all) => !all.is_empty(),
            Self::Dict(dict) => !dict.is_empty(),
        }
    }

    /// The value of a part of a JSON text, as `json.loads` returns it.
    pub fn from_json(value: &serde_json::Value) -> Self {
        match value {
            serde_json::Value::Null => Self::None,
            serde_json::Value::Bool(value) => Self::Bool(*value),
            serde_json::Value::Number(number) => match number.as_f64() {
                Some(float) if number.is_f64() => Self::Float(float),
                _ => Self::Int(number.to_string()),
            },
            serde_json::Value::String(text) => Self::Str(text.clone()),
            serde_json::Value::Array(all) => Self::List(all.iter().map(Self::from_json).collect()),
            serde_json::Value::Object(map) => {
                let pairs = map.iter();
                Self::Dict(Dict(
                    pairs
                        .map(|(key, value)| (Self::Str(key.clone()), Self::from_json(value)))
                        .collect(),
                ))
            }
        }
    }

    /// A text that is equal for equal values and only for those. `None` for a value without a hash.
    fn identity(&self) -> Option<String> {
        Some(match self {
            Self::Bool(value) => format!("n{}", u8::from(*value)),
            Self::Int(digits) => format!("n{digits}"),
            // Adding 0 turns -0 into 0.
            Self::Float(value) if value.fract() == 0.0 => format!("n{:.0}", value + 0.0),
            Self::Float(value) => format!("f{value}"),
            Self::Str(text) => format!("s{text}"),
            Self::Tuple(all) => {
                let mut joined = format!("t{}", all.len());
                for value in all {
                    let part = value.identity()?;
                    let _ = write!(joined, ",{}:{part}", part.len());
                }
                joined
            }
            Self::None | Self::Ellipsis | Self::Bytes(_) => format!("r{}", self.repr()),
            Self::List(_) | Self::Set(_) | Self::Dict(_) => return None,
        })
    }

    fn write(&self, out: &mut String) {
        match self {
            Self::None => out.push_str("None"),
            Self::Ellipsis => out.push_str("Ellipsis"),
            Self::Bool(true) => out.push_str("True"),
            Self::Bool(false) => out.push_str("False"),
            Self::Int(digits) => out.push_str(digits),
            Self::Float(value) => out.push_str(&float(*value)),
            Self::Str(text) => write_str(text, out),
            Self::Bytes(bytes) => write_bytes(bytes, out),
            Self::List(all) => write_all(all, "[", "]", out),
            Self::Tuple(all) if all.len() == 1 => write_all(all, "(", ",)", out),
            Self::Tuple(all) => write_all(all, "(", ")", out),
            Self::Set(all) if all.is_empty() => out.push_str("set()"),
            Self::Set(all) => write_all(all, "{", "}", out),
            Self::Dict(dict) => {
                out.push('{');
                for (index, (key, value)) in dict.iter().enumerate() {
                    out.push_str(if index == 0 { "" } else { ", " });
                    key.write(out);
                    out.push_str(": ");
                    value.write(out);
                }
                out.push('}');
            }
        }
    }
}

fn write_all(all: &[Value], before: &str, after: &str, out: &mut String) {
    out.push_str(before);
    for (index, value) in all.iter().enumerate() {
        out.push_str(if index == 0 { "" } else { ", " });
        value.write(out);
    }
    out.push_str(after);
}

/// The result of `repr(float)`: the shortest digits that read back as the same number, such as `1.0`,
/// `1e-07`, `1e+16`.
pub fn float(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let scientific = format!("{value:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) {
        let plain = value.to_string();
        return if plain.contains('.') {
            plain
        } else {
            plain + ".0"
        };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.unsigned_abs())
}

/// The quotation mark that Python chooses for a text that contains these marks.
fn quote(single: bool, double: bool) -> char {
    if single && !double { '"' } else { '\'' }
}

/// The characters that are not printable for Python: those of the categories other and separator, except the
/// blank.
static UNPRINTABLE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^[[\p{C}\p{Z}]--[ ]]$").ok());

fn is_printable(character: char) -> bool {
    let mut bytes = [0; 4];
    let text = character.encode_utf8(&mut bytes);
    !UNPRINTABLE
        .as_ref()
        .is_some_and(|class| class.is_match(text))
}

fn write_str(text: &str, out: &mut String) {
    let mark = quote(text.contains('\''), text.contains('"'));
    out.push(mark);
    for character in text.chars() {
        let code = u32::from(character);
        let _ = match character {
            '\\' => out.write_str("\\\\"),
            '\n' => out.write_str("\\n"),
            '\r' => out.write_str("\\r"),
            '\t' => out.write_str("\\t"),
            c if c == mark => write!(out, "\\{mark}"),
            ' '..='~' => out.write_char(character),
            c if !c.is_ascii() && is_printable(c) => out.write_char(c),
            _ if code < 0x100 => write!(out, "\\x{code:02x}"),
            _ if code < 0x1_0000 => write!(out, "\\u{code:04x}"),
            _ => write!(out, "\\U{code:08x}"),
        };
    }
    out.push(mark);
}

fn write_bytes(bytes: &[u8], out: &mut String) {
    let mark = quote(bytes.contains(&b'\''), bytes.contains(&b'"'));
    out.push('b');
    out.push(mark);
    for &byte in bytes {
        let _ = match byte {
            b'\\' => out.write_str("\\\\"),
            b'\n' => out.write_str("\\n"),
            b'\r' => out.write_str("\\r"),
            b'\t' => out.write_str("\\t"),
            _ if char::from(byte) == mark => write!(out, "\\{mark}"),
            b' '..=b'~' => out.write_char(char::from(byte)),
            _ => write!(out, "\\x{byte:02x}"),
        };
    }
    out.push(mark);
}
