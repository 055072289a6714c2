//! JSON as Python's `json.loads` reads it.

use crate::python::number;
use crate::python::value::{Dict, Value};

/// Deepest nesting that [`loads`] follows. Python gives up near its recursion limit.
const MOST_OPEN: usize = 900;

/// `json.loads(text)`. It reads the standard and also `NaN`, `Infinity` and `-Infinity`, whole numbers of any
/// size, and single halves of surrogate pairs, which become U+FFFD here. `None` if Python raises.
pub fn loads(text: &str) -> Option<Value> {
    read(text, None)
}

/// The same, but also `None` if the outermost object has this key twice.
pub fn loads_once(text: &str, key: &str) -> Option<Value> {
    read(text, Some(key))
}

fn read(text: &str, once: Option<&str>) -> Option<Value> {
    let mut reader = Reader {
        rest: text,
        open: 0,
        once,
    };
    let value = reader.value()?;
    reader.skip_blanks();
    reader.rest.is_empty().then_some(value)
}

/// Reads a JSON text from left to right.
struct Reader<'a> {
    rest: &'a str,
    open: usize,
    /// A key that the outermost object may have only once.
    once: Option<&'a str>,
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

    fn value(&mut self) -> Option<Value> {
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
                let asked = reader.once.filter(|_| reader.open == 1);
                let named = |key: &str| {
                    let keys = pairs.iter().map(|(name, _)| name);
                    keys.filter(|name| matches!(name, Value::Str(name) if name == key))
                        .count()
                };
                if asked.is_some_and(|key| named(key) > 1) {
                    return None;
                }
                Dict::new(pairs).map(Value::Dict)
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

    fn pair(&mut self) -> Option<(Value, Value)> {
        self.skip_blanks();
        if !self.eat("\"") {
            return None;
        }
        let key = self.string()?;
        self.skip_blanks();
        if !self.eat(":") {
            return None;
        }
        Some((Value::Str(key), self.value()?))
    }

    fn number(&mut self) -> Option<Value> {
        let (whole, rest) = digits_of(self.rest.strip_prefix('-').unwrap_or(self.rest));
        if whole.is_empty() {
            return None;
        }
        // After a leading zero, further digits are not part of the number.
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
            return text.parse().ok().map(Value::Float);
        }
        number::digits(text).map(Value::Int)
    }

    /// The characters up to the closing quotation mark.
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

    /// The character that one or two UTF-16 units encode.
    fn unit_pair(&mut self) -> Option<char> {
        let first = self.unit()?;
        if let Some(character) = char::from_u32(first) {
            return Some(character);
        }
        let behind = self.rest;
        if first < 0xdc00 && self.eat("\\u") {
            let second = self
                .unit()
                .filter(|second| (0xdc00..0xe000).contains(second));
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
