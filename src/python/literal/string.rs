//! Texts and bytes in a Python literal.

use super::{Reader, Value};

/// The meaning of the letters before the quotation mark.
#[derive(Clone, Copy)]
struct Prefix {
    raw: bool,
    bytes: bool,
}

impl Prefix {
    /// `None` for letters that are not a prefix, and for `f`, whose text is known only when it runs.
    fn parse(letters: &str) -> Option<Self> {
        let (raw, bytes) = match letters.to_ascii_lowercase().as_str() {
            "" | "u" => (false, false),
            "r" => (true, false),
            "b" => (false, true),
            "br" | "rb" => (true, true),
            _ => return None,
        };
        Some(Self { raw, bytes })
    }
}

impl Reader<'_> {
    /// One text, or several adjacent texts, which form one.
    pub(super) fn strings(&mut self) -> Option<Value> {
        let mut text = String::new();
        let mut kind = None;
        loop {
            let bytes = self.string(&mut text)?;
            if kind.is_some_and(|known| known != bytes) {
                return None;
            }
            kind = Some(bytes);
            self.skip_blanks();
            let letters = self
                .rest
                .chars()
                .take_while(char::is_ascii_alphabetic)
                .count();
            if !self.rest[letters..].starts_with(['"', '\'']) {
                break;
            }
        }
        if kind != Some(true) {
            return Some(Value::Str(text));
        }
        let bytes = text.chars().map(|c| u8::try_from(c).ok());
        Some(Value::Bytes(bytes.collect::<Option<_>>()?))
    }

    /// Appends one text to `text`. A byte becomes the character with its number. Returns true for bytes.
    fn string(&mut self, text: &mut String) -> Option<bool> {
        let start = self.rest.find(['"', '\''])?;
        let prefix = Prefix::parse(&self.rest[..start])?;
        let mark = self.rest[start..].chars().next()?;
        self.rest = &self.rest[start..];
        let triple = mark.to_string().repeat(3);
        let long = self.eat(&triple);
        let end = if long { triple } else { mark.to_string() };
        if !long {
            self.eat(&end);
        }
        while !self.eat(&end) {
            let character = self.next()?;
            match character {
                '\\' if prefix.raw => {
                    text.push('\\');
                    let escaped = self.next()?;
                    if prefix.bytes && !escaped.is_ascii() {
                        return None;
                    }
                    text.push(escaped);
                }
                '\\' => self.escape(prefix.bytes, text)?,
                '\n' if !long => return None,
                other if prefix.bytes && !other.is_ascii() => return None,
                other => text.push(other),
            }
        }
        Some(prefix.bytes)
    }

    fn next(&mut self) -> Option<char> {
        let mut characters = self.rest.chars();
        let next = characters.next();
        self.rest = characters.as_str();
        next
    }

    /// Reads the part of an escape after the backslash.
    fn escape(&mut self, bytes: bool, text: &mut String) -> Option<()> {
        let character = match self.next()? {
            '\n' => return Some(()),
            same @ ('\\' | '\'' | '"') => same,
            'a' => '\u{7}',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            first @ '0'..='7' => return self.octal(first, bytes, text),
            'x' => self.hexadecimal(2)?,
            'u' if !bytes => self.hexadecimal(4)?,
            'U' if !bytes => self.hexadecimal(8)?,
            'N' if !bytes => return None,
            other if bytes && !other.is_ascii() => return None,
            other => {
                text.push('\\');
                other
            }
        };
        text.push(character);
        Some(())
    }

    fn octal(&mut self, first: char, bytes: bool, text: &mut String) -> Option<()> {
        let mut code = first.to_digit(8)?;
        for _ in 0..2 {
            let Some(digit) = self.rest.chars().next().and_then(|c| c.to_digit(8)) else {
                break;
            };
            code = code * 8 + digit;
            self.rest = &self.rest[1..];
        }
        let code = if bytes { code & 0xff } else { code };
        text.push(char::from_u32(code)?);
        Some(())
    }

    /// A character in hexadecimal. Half of a surrogate pair becomes U+FFFD, since Python's texts may contain
    /// it and Rust's cannot.
    fn hexadecimal(&mut self, digits: usize) -> Option<char> {
        let digits = self.rest.get(..digits)?;
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        self.rest = &self.rest[digits.len()..];
        let code = u32::from_str_radix(digits, 16).ok()?;
        (code <= 0x10_ffff).then(|| char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER))
    }
}
