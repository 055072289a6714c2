//! `json.loads`, with what sets it apart from other readers: `NaN` and `Infinity` are numbers, whole numbers stay apart
//! from others, the last of a repeated key wins, raw control characters in strings are errors.

use crate::text::python_str::MOST_DIGITS;

/// A value as Python holds it; texts are kept for keys only.
#[derive(Debug, Clone, PartialEq)]
pub enum Loaded {
    None,
    Bool(bool),
    /// Infinite where it is beyond a double.
    Int(f64),
    Float(f64),
    Str,
    List(Vec<Loaded>),
    /// In the order of the text, repeated keys included.
    Dict(Vec<(String, Loaded)>),
}

impl Loaded {
    /// The value of a key of an object; the last one where it is repeated.
    pub fn get(&self, key: &str) -> Option<&Loaded> {
        match self {
            Self::Dict(entries) => {
                let mut found = entries.iter().rev().filter(|(known, _)| known == key);
                found.next().map(|(_, value)| value)
            }
            _ => None,
        }
    }
}

/// Python gives up at about this depth of nesting.
const DEEPEST: usize = 900;

/// The value of a text; None where Python raises an error.
pub fn loads(text: &str) -> Option<Loaded> {
    let mut reader = Reader { text, at: 0 };
    let value = reader.value(0)?;
    reader.blanks();
    (reader.at == text.len()).then_some(value)
}

struct Reader<'a> {
    text: &'a str,
    /// Byte offset, at a character.
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn take(&mut self, word: &str) -> bool {
        let there = self.rest().starts_with(word);
        if there {
            self.at += word.len();
        }
        there
    }

    fn blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
    }

    /// A value with the blanks before it.
    fn value(&mut self, depth: usize) -> Option<Loaded> {
        if depth > DEEPEST {
            return None;
        }
        self.blanks();
        match self.rest().bytes().next()? {
            b'"' => self.string().map(|_| Loaded::Str),
            b'[' => self.list(depth),
            b'{' => self.dict(depth),
            b'-' | b'0'..=b'9' if !self.rest().starts_with("-I") => self.number(),
            _ => {
                let words = [
                    ("null", Loaded::None),
                    ("true", Loaded::Bool(true)),
                    ("false", Loaded::Bool(false)),
                    ("NaN", Loaded::Float(f64::NAN)),
                    ("Infinity", Loaded::Float(f64::INFINITY)),
                    ("-Infinity", Loaded::Float(f64::NEG_INFINITY)),
                ];
                let mut words = words.into_iter();
                words
                    .find(|(word, _)| self.take(word))
                    .map(|(_, value)| value)
            }
        }
    }

    fn list(&mut self, depth: usize) -> Option<Loaded> {
        self.take("[");
        let mut values = Vec::new();
        self.blanks();
        if self.take("]") {
            return Some(Loaded::List(values));
        }
        loop {
            values.push(self.value(depth + 1)?);
            self.blanks();
            if self.take("]") {
                return Some(Loaded::List(values));
            }
            if !self.take(",") {
                return None;
            }
        }
    }

    fn dict(&mut self, depth: usize) -> Option<Loaded> {
        self.take("{");
        let mut entries = Vec::new();
        self.blanks();
        if self.take("}") {
            return Some(Loaded::Dict(entries));
        }
        loop {
            self.blanks();
            let key = self.string()?;
            self.blanks();
            if !self.take(":") {
                return None;
            }
            entries.push((key, self.value(depth + 1)?));
            self.blanks();
            if self.take("}") {
                return Some(Loaded::Dict(entries));
            }
            if !self.take(",") {
                return None;
            }
        }
    }

    /// A string; halves of surrogate pairs become U+FFFD.
    fn string(&mut self) -> Option<String> {
        if !self.take("\"") {
            return None;
        }
        let mut string = String::new();
        loop {
            let rest = self.rest();
            let special = rest.find(|c: char| c == '"' || c == '\\' || c < ' ')?;
            string.push_str(&rest[..special]);
            self.at += special;
            if self.take("\"") {
                return Some(string);
            }
            if !self.take("\\") {
                return None;
            }
            string.push(self.escape()?);
        }
    }

    fn escape(&mut self) -> Option<char> {
        let letter = self.rest().chars().next()?;
        self.at += letter.len_utf8();
        Some(match letter {
            '"' | '\\' | '/' => letter,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let unit = self.unit()?;
                let pair = (0xd800..0xdc00).contains(&unit) && self.rest().starts_with("\\u");
                let before = self.at;
                if pair {
                    self.at += 2;
                    if let Some(low) = self.unit().filter(|low| (0xdc00..0xe000).contains(low)) {
                        return char::from_u32(0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
                    }
                    self.at = before;
                }
                char::from_u32(unit).unwrap_or('\u{fffd}')
            }
            _ => return None,
        })
    }

    /// Four hexadecimal digits.
    fn unit(&mut self) -> Option<u32> {
        let digits = self.rest().get(..4)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        self.at += 4;
        u32::from_str_radix(digits, 16).ok()
    }

    fn number(&mut self) -> Option<Loaded> {
        let rest = self.rest();
        let bytes = rest.as_bytes();
        let digits = |from: usize| {
            let tail = bytes.get(from..).unwrap_or_default();
            tail.iter().take_while(|byte| byte.is_ascii_digit()).count()
        };
        let sign = usize::from(rest.starts_with('-'));
        let whole = match bytes.get(sign) {
            Some(b'0') => 1,
            _ => digits(sign),
        };
        if whole == 0 {
            return None;
        }
        let mut end = sign + whole;
        let mut float = false;
        if bytes.get(end) == Some(&b'.') && digits(end + 1) > 0 {
            end += 1 + digits(end + 1);
            float = true;
        }
        if matches!(bytes.get(end), Some(b'e' | b'E')) {
            let signed = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
            let power = digits(end + 1 + signed);
            if power > 0 {
                end += 1 + signed + power;
                float = true;
            }
        }
        if !float && whole > MOST_DIGITS {
            return None;
        }
        let value: f64 = rest.get(..end)?.parse().ok()?;
        self.at += end;
        Some(if float {
            Loaded::Float(value)
        } else {
            Loaded::Int(value)
        })
    }
}
