//! The part of Python's pickle machine that torch's old files need. It builds lists, dictionaries and
//! descriptions of tensors, and never calls anything.

use candle_core::{Result, bail};
use std::collections::HashMap;
use std::io::{BufRead, Read};

/// The longest text that is read, in bytes. Names of tensors are far shorter.
const LONGEST: usize = 1 << 16;

/// A value that a pickle builds.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Text(String),
    Number(i64),
    List(Vec<Value>),
    Tuple(Vec<Value>),
    Dict(Vec<(Value, Value)>),
    /// A class or function, as `module name`.
    Global(String),
    /// An object outside the pickle, by the tuple that names it.
    Persistent(Vec<Value>),
    /// A call that was not made.
    Call(String, Vec<Value>),
    /// None, true, false and the rest.
    Other,
}

#[derive(Default)]
struct Machine {
    stack: Vec<Value>,
    /// The indices where marked sequences begin.
    marks: Vec<usize>,
    memo: HashMap<u32, Value>,
}

/// Reads one pickle, protocol 2.
///
/// # Errors
/// Fails if it is truncated, or uses operations that such files do not have.
pub(super) fn unpickle(reader: &mut impl BufRead) -> Result<Value> {
    let mut machine = Machine::default();
    loop {
        let [code] = bytes(reader)?;
        if code == b'.' {
            return machine.pop();
        }
        machine.step(code, reader)?;
    }
}

impl Machine {
    fn step(&mut self, code: u8, reader: &mut impl BufRead) -> Result<()> {
        match code {
            0x80 => {
                let [_protocol] = bytes(reader)?;
            }
            b'(' => self.marks.push(self.stack.len()),
            b'N' | 0x88 | 0x89 => self.stack.push(Value::Other),
            b'K' => self.number(i64::from(u8::from_le_bytes(bytes(reader)?))),
            b'M' => self.number(i64::from(u16::from_le_bytes(bytes(reader)?))),
            b'J' => self.number(i64::from(i32::from_le_bytes(bytes(reader)?))),
            0x8a => {
                let number = long(reader)?;
                self.number(number);
            }
            b'G' => {
                let [_, _, _, _, _, _, _, _] = bytes(reader)?;
                self.stack.push(Value::Other);
            }
            b'U' => {
                let [length] = bytes(reader)?;
                self.text(reader, usize::from(length))?;
            }
            b'X' | b'T' => {
                let length = u32::from_le_bytes(bytes(reader)?);
                self.text(reader, length as usize)?;
            }
            b'c' => {
                let global = format!("{} {}", line(reader)?, line(reader)?);
                self.stack.push(Value::Global(global));
            }
            b'q' => self.keep(u32::from(u8::from_le_bytes(bytes(reader)?)))?,
            b'r' => self.keep(u32::from_le_bytes(bytes(reader)?))?,
            b'h' => self.recall(u32::from(u8::from_le_bytes(bytes(reader)?)))?,
            b'j' => self.recall(u32::from_le_bytes(bytes(reader)?))?,
            b']' => self.stack.push(Value::List(Vec::new())),
            b'}' => self.stack.push(Value::Dict(Vec::new())),
            b')' => self.stack.push(Value::Tuple(Vec::new())),
            b't' => {
                let items = self.marked()?;
                self.stack.push(Value::Tuple(items));
            }
            0x85..=0x87 => {
                let items = self.last(usize::from(code - 0x84))?;
                self.stack.push(Value::Tuple(items));
            }
            b'a' => {
                let items = self.last(1)?;
                self.extend(items)?;
            }
            b'e' => {
                let items = self.marked()?;
                self.extend(items)?;
            }
            b's' => {
                let items = self.last(2)?;
                self.insert(items)?;
            }
            b'u' => {
                let items = self.marked()?;
                self.insert(items)?;
            }
            b'Q' => match self.pop()? {
                Value::Tuple(name) => self.stack.push(Value::Persistent(name)),
                _ => bail!("the name of a storage is not a tuple"),
            },
            b'R' => self.call()?,
            // An object of a class, such as the options of a training. It is not created.
            0x81 => {
                self.last(2)?;
                self.stack.push(Value::Other);
            }
            // Additional data of a built object, such as the metadata of a dictionary.
            b'b' => {
                self.pop()?;
            }
            other => bail!(
                "the pickle uses the operation {other:#04x}, which files of weights do not have"
            ),
        }
        Ok(())
    }

    fn number(&mut self, number: i64) {
        self.stack.push(Value::Number(number));
    }

    fn text(&mut self, reader: &mut impl BufRead, length: usize) -> Result<()> {
        if length > LONGEST {
            bail!("the pickle contains a text of {length} bytes");
        }
        let mut text = vec![0; length];
        reader.read_exact(&mut text)?;
        let text = String::from_utf8_lossy(&text).into_owned();
        self.stack.push(Value::Text(text));
        Ok(())
    }

    fn keep(&mut self, place: u32) -> Result<()> {
        let Some(top) = self.stack.last() else {
            bail!("the pickle stores a value that does not exist");
        };
        self.memo.insert(place, top.clone());
        Ok(())
    }

    fn recall(&mut self, place: u32) -> Result<()> {
        let Some(value) = self.memo.get(&place) else {
            bail!("the pickle reads a value that it never stored");
        };
        self.stack.push(value.clone());
        Ok(())
    }

    fn pop(&mut self) -> Result<Value> {
        let top = self.stack.pop();
        top.map_or_else(|| bail!("the pickle takes more values than there are"), Ok)
    }

    fn last(&mut self, count: usize) -> Result<Vec<Value>> {
        match self.stack.len().checked_sub(count) {
            Some(start) => Ok(self.stack.split_off(start)),
            None => bail!("the pickle takes more values than there are"),
        }
    }

    fn marked(&mut self) -> Result<Vec<Value>> {
        match self.marks.pop() {
            Some(start) if start <= self.stack.len() => Ok(self.stack.split_off(start)),
            _ => bail!("the pickle ends a sequence that it did not begin"),
        }
    }

    fn extend(&mut self, items: Vec<Value>) -> Result<()> {
        match self.stack.last_mut() {
            Some(Value::List(list)) => list.extend(items),
            _ => bail!("the pickle appends to a value that is not a list"),
        }
        Ok(())
    }

    fn insert(&mut self, items: Vec<Value>) -> Result<()> {
        match self.stack.last_mut() {
            Some(Value::Dict(pairs)) => pairs.extend(twos(items)),
            // The attributes of another object.
            Some(_) => {}
            None => bail!("the pickle fills an object that does not exist"),
        }
        Ok(())
    }

    fn call(&mut self) -> Result<()> {
        let (Value::Tuple(arguments), callee) = (self.pop()?, self.pop()?) else {
            bail!("the pickle calls without arguments");
        };
        let result = match callee {
            Value::Global(name) if name == "collections OrderedDict" => {
                Value::Dict(ordered(arguments))
            }
            Value::Global(name) => Value::Call(name, arguments),
            _ => Value::Other,
        };
        self.stack.push(result);
        Ok(())
    }
}

/// Keys and values in turn.
fn twos(items: Vec<Value>) -> Vec<(Value, Value)> {
    let mut items = items.into_iter();
    let mut pairs = Vec::new();
    while let (Some(key), Some(value)) = (items.next(), items.next()) {
        pairs.push((key, value));
    }
    pairs
}

/// The content of an ordered dictionary: empty, or a list of pairs as Python 2 wrote it.
fn ordered(arguments: Vec<Value>) -> Vec<(Value, Value)> {
    let Some(Value::List(entries)) = arguments.into_iter().next() else {
        return Vec::new();
    };
    let pairs = entries.into_iter().flat_map(|entry| match entry {
        Value::List(pair) | Value::Tuple(pair) => twos(pair),
        _ => Vec::new(),
    });
    pairs.collect()
}

fn bytes<const N: usize>(reader: &mut impl Read) -> Result<[u8; N]> {
    let mut bytes = [0; N];
    reader.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// A whole number of at most eight bytes.
fn long(reader: &mut impl Read) -> Result<i64> {
    let [length] = bytes(reader)?;
    if length > 8 {
        bail!("the pickle contains a number of {length} bytes");
    }
    let mut number = vec![0; usize::from(length)];
    reader.read_exact(&mut number)?;
    let sign = number.last().is_some_and(|last| last & 0x80 != 0);
    let mut whole = [if sign { 0xff } else { 0 }; 8];
    for (to, from) in whole.iter_mut().zip(number) {
        *to = from;
    }
    Ok(i64::from_le_bytes(whole))
}

fn line(reader: &mut impl BufRead) -> Result<String> {
    let mut line = String::new();
    reader.take(LONGEST as u64).read_line(&mut line)?;
    Ok(line.trim_end_matches('\n').to_owned())
}
