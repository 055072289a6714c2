//! JSON as Python writes and reads it: `json.dumps` with its defaults (`", "` and `": "` between parts, ASCII only) and
//! `json.loads`.

use super::{python_int, python_value};
use serde::Serialize as _;
use serde_json::Value;
use serde_json::ser::{Formatter, Serializer};
use std::io::{self, Write};

struct PythonStyle;

impl Formatter for PythonStyle {
    fn begin_array_value<W: Write + ?Sized>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        separate(out, first)
    }

    fn begin_object_key<W: Write + ?Sized>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        separate(out, first)
    }

    fn begin_object_value<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
    }

    fn write_string_fragment<W: Write + ?Sized>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut units = [0; 2];
        for character in fragment.chars() {
            if character.is_ascii() {
                out.write_all(&[character as u8])?;
            } else {
                for unit in character.encode_utf16(&mut units) {
                    write!(out, "\\u{unit:04x}")?;
                }
            }
        }
        Ok(())
    }
}

fn separate<W: Write + ?Sized>(out: &mut W, first: bool) -> io::Result<()> {
    out.write_all(if first { b"" } else { b", " })
}

/// `json.dumps(value)`.
pub fn dumps(value: &Value) -> String {
    let mut bytes = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut bytes, PythonStyle);
    // Writing a `Value` into memory has no way to fail.
    let _ = value.serialize(&mut serializer);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Deepest nesting that [`loads`] follows; Python gives up near its recursion limit.
const MOST_OPEN: usize = 900;

/// `json.loads(text)`: as the standard but for `NaN`, `Infinity` and `-Infinity`, whole numbers of any size, and single
/// halves of surrogate pairs (which become U+FFFD here). None where Python raises.
pub fn loads(text: &str) -> Option<python_value::Value> {
    let mut reader = Reader { rest: text, open: 0 };
    let value = reader.value()?;
    reader.skip_blanks();
    reader.rest.is_empty().then_some(value)
}

/// Reads a JSON text from left to right.
struct Reader<'a> {
    rest: &'a str,
    open: usize,
}

impl<'a> Reader<'a> {
    fn eat(&mut self, token: &str) -> bool {
        let eaten = self.rest.strip_prefix(token);
        self.rest = eaten.unwrap_or(self.rest);
        eaten.is_some()
    }

    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    fn value(&mut self) -> Option<python_value::Value> {
        use python_value::Value;
        const WORDS: [(&str, Value); 6] = [
            ("null", Value::None),
            ("true", Value::Bool(true)),
            ("false", Value::Bool(false)),
            ("NaN", Value::Float(f64::NAN)),
            ("Infinity", Value::Float(f64::INFINITY)),
            ("-Infinity", Value::Float(f64::NEG_INFINITY)),
        ];
        self.skip_blanks();
        match self.rest.as_bytes().first()? {
            b'"' => {
                self.rest = &self.rest[1..];
                self.string().map(Value::Str)
            }
            b'[' => self.nested(|reader| reader.items("]", Self::value).map(Value::List)),
            b'{' => self.nested(|reader| {
                let pairs = reader.items("}", Self::pair)?;
                python_value::Dict::new(pairs).map(Value::Dict)
            }),
            _ => match WORDS.into_iter().find(|(word, _)| self.eat(word)) {
                Some((_, value)) => Some(value),
                None => self.number(),
            },
        }
    }

    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        self.rest = &self.rest[1..];
        self.open += 1;
        if self.open > MOST_OPEN {
            return None;
        }
        let read = read(self)?;
        self.open -= 1;
        Some(read)
    }

    fn items<T>(&mut self, close: &str, one: fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let mut all = Vec::new();
        self.skip_blanks();
        if self.eat(close) {
            return Some(all);
        }
        loop {
            all.push(one(self)?);
            self.skip_blanks();
            if self.eat(close) {
                return Some(all);
            }
            if !self.eat(",") {
                return None;
            }
        }
    }

    fn pair(&mut self) -> Option<(python_value::Value, python_value::Value)> {
        self.skip_blanks();
        if !self.eat("\"") {
            return None;
        }
        let key = self.string()?;
        self.skip_blanks();
        if !self.eat(":") {
            return None;
        }
        Some((python_value::Value::Str(key), self.value()?))
    }

    fn number(&mut self) -> Option<python_value::Value> {
        let (whole, rest) = digits_of(self.rest.strip_prefix('-').unwrap_or(self.rest));
        if whole.is_empty() {
            return None;
        }
        // After a leading zero, further digits are no part of the number.
        let mut rest = if whole.len() > 1 && whole.starts_with('0') {
            &self.rest[self.rest.len() - rest.len() - whole.len() + 1..]
        } else {
            rest
        };
        let after_whole = rest.len();
        if let Some(after) = rest.strip_prefix('.') {
            let (fraction, after) = digits_of(after);
            rest = if fraction.is_empty() { rest } else { after };
        }
        if let Some(after) = rest.strip_prefix(['e', 'E']) {
            let (exponent, after) = digits_of(after.strip_prefix(['+', '-']).unwrap_or(after));
            rest = if exponent.is_empty() { rest } else { after };
        }
        let text = &self.rest[..self.rest.len() - rest.len()];
        let is_float = rest.len() < after_whole;
        self.rest = rest;
        if is_float {
            return text.parse().ok().map(python_value::Value::Float);
        }
        python_int::parse(text).map(python_value::Value::Int)
    }

    /// To the closing mark.
    fn string(&mut self) -> Option<String> {
        let mut text = String::new();
        loop {
            let end = self.rest.find(|c: char| c == '"' || c == '\\' || c < ' ')?;
            text.push_str(&self.rest[..end]);
            self.rest = &self.rest[end..];
            if self.eat("\"") {
                return Some(text);
            }
            if !self.eat("\\") {
                return None;
            }
            let escaped = self.rest.chars().next()?;
            self.rest = &self.rest[escaped.len_utf8()..];
            text.push(match escaped {
                same @ ('"' | '\\' | '/') => same,
                'b' => '\u{8}',
                'f' => '\u{c}',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'u' => self.unit_pair()?,
                _ => return None,
            });
        }
    }

    /// The character of one or two UTF-16 units.
    fn unit_pair(&mut self) -> Option<char> {
        let first = self.unit()?;
        if let Some(character) = char::from_u32(first) {
            return Some(character);
        }
        let behind = self.rest;
        if first < 0xdc00 && self.eat("\\u") {
            let second = self.unit().filter(|second| (0xdc00..0xe000).contains(second));
            if let Some(second) = second {
                return char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00));
            }
            self.rest = behind;
        }
        Some(char::REPLACEMENT_CHARACTER)
    }

    fn unit(&mut self) -> Option<u32> {
        let digits = self.rest.get(..4)?;
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        self.rest = &self.rest[4..];
        u32::from_str_radix(digits, 16).ok()
    }
}

fn digits_of(text: &str) -> (&str, &str) {
    text.split_at(text.bytes().take_while(u8::is_ascii_digit).count())
}
