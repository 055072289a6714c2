//! Python literals, as `ast.literal_eval` takes them.

mod number;
mod string;

use super::python_value::{Dict, Value};

/// Most brackets within each other.
const MOST_OPEN: usize = 200;

/// The value of a Python literal: numbers, texts, bytes, tuples, lists, sets, dicts, `None`, `True`, `False`, `...`.
///
/// None where `ast.literal_eval` raises, whatever it raises, and for complex numbers and characters by name
/// (`\N{DASH}`), which are refused.
pub fn parse(text: &str) -> Option<Value> {
    if text.contains('\0') {
        return None;
    }
    let text = text.trim_start_matches([' ', '\t']);
    // Python reads a text with the line ends of any system.
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut reader = Reader {
        rest: &text,
        open: 0,
    };
    reader.skip_empty_lines()?;
    let value = reader.values_of_line()?;
    reader.skip_to_end()?;
    Some(value)
}

/// Reads a literal from left to right.
struct Reader<'a> {
    rest: &'a str,
    /// Brackets around the position. Inside of one, a line end is a blank.
    open: usize,
}

impl Reader<'_> {
    fn eat(&mut self, token: &str) -> bool {
        let eaten = self.rest.strip_prefix(token);
        self.rest = eaten.unwrap_or(self.rest);
        eaten.is_some()
    }

    fn skip_comment(&mut self) {
        if self.rest.starts_with('#') {
            let end = self.rest.find('\n').unwrap_or(self.rest.len());
            self.rest = &self.rest[end..];
        }
    }

    /// Blanks, continued lines and, inside of brackets, comments and line ends.
    fn skip_blanks(&mut self) {
        loop {
            let before = self.rest.len();
            self.rest = self.rest.trim_start_matches([' ', '\t', '\u{c}']);
            // A backslash continues the line, unless nothing follows.
            if self.rest.starts_with("\\\n") && self.rest.len() > 2 {
                self.rest = &self.rest[2..];
            }
            if self.open > 0 {
                self.skip_comment();
                self.rest = self.rest.trim_start_matches('\n');
            }
            if self.rest.len() == before {
                return;
            }
        }
    }

    /// Lines with nothing but blanks and comments. The first other line must not be indented.
    fn skip_empty_lines(&mut self) -> Option<()> {
        loop {
            let line = self.rest;
            let begin = line.trim_start_matches([' ', '\t', '\u{c}']);
            let indent = &line[..line.len() - begin.len()];
            self.rest = begin;
            self.skip_comment();
            if self.rest.starts_with('\n') {
                self.rest = &self.rest[1..];
            } else {
                let column = indent.rsplit('\u{c}').next().unwrap_or("");
                return (column.is_empty() && !self.rest.is_empty()).then_some(());
            }
        }
    }

    /// What follows the value: blanks, a comment, empty lines.
    fn skip_to_end(&mut self) -> Option<()> {
        self.skip_blanks();
        self.skip_comment();
        if self.rest.is_empty() {
            return Some(());
        }
        let mut lines = self.rest.strip_prefix('\n')?.split('\n').peekable();
        while let Some(line) = lines.next() {
            let begin = line.trim_start_matches([' ', '\t', '\u{c}']);
            let indented = begin.len() < line.len();
            let last = lines.peek().is_none();
            let empty = begin.is_empty() && !(last && indented);
            if !(empty || begin.starts_with('#')) {
                return None;
            }
        }
        Some(())
    }

    /// A value, or several with commas between them: a tuple without brackets.
    fn values_of_line(&mut self) -> Option<Value> {
        let first = self.value()?;
        self.skip_blanks();
        if !self.eat(",") {
            return Some(first);
        }
        let mut all = vec![first];
        loop {
            self.skip_blanks();
            if self.rest.is_empty() || self.rest.starts_with(['\n', '#']) {
                return Some(Value::Tuple(all));
            }
            all.push(self.value()?);
            self.skip_blanks();
            if !self.eat(",") {
                return Some(Value::Tuple(all));
            }
        }
    }

    fn value(&mut self) -> Option<Value> {
        self.skip_blanks();
        if self.rest.starts_with(['+', '-']) {
            return self.signed();
        }
        self.unsigned()
    }

    /// A sign and a number, which may stand in round brackets but have no further sign.
    fn signed(&mut self) -> Option<Value> {
        let negative = self.eat("-");
        if !negative {
            self.eat("+");
        }
        let opened = self.open;
        loop {
            self.skip_blanks();
            if !self.eat("(") {
                break;
            }
            self.enter()?;
        }
        let number = self.number()?;
        while self.open > opened {
            self.skip_blanks();
            if !self.eat(")") {
                return None;
            }
            self.open -= 1;
        }
        Some(match number {
            Value::Int(digits) if negative && digits != "0" => Value::Int(format!("-{digits}")),
            Value::Float(value) if negative => Value::Float(-value),
            other => other,
        })
    }

    fn unsigned(&mut self) -> Option<Value> {
        match self.rest.chars().next()? {
            '(' => self.round(),
            '[' => {
                self.rest = &self.rest[1..];
                self.enter()?;
                Some(Value::List(self.items("]")?))
            }
            '{' => self.curly(),
            '.' if self.eat("...") => Some(Value::Ellipsis),
            '0'..='9' | '.' => self.number(),
            '"' | '\'' => self.strings(),
            letter if letter.is_ascii_alphabetic() => self.word(),
            _ => None,
        }
    }

    fn word(&mut self) -> Option<Value> {
        let length = self
            .rest
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(self.rest.len());
        let (word, after) = self.rest.split_at(length);
        if after.starts_with(['"', '\'']) {
            return self.strings();
        }
        self.rest = after;
        match word {
            "None" => Some(Value::None),
            "True" => Some(Value::Bool(true)),
            "False" => Some(Value::Bool(false)),
            "set" => {
                self.skip_blanks();
                if !self.eat("(") {
                    return None;
                }
                self.enter()?;
                self.skip_blanks();
                if !self.eat(")") {
                    return None;
                }
                self.open -= 1;
                Some(Value::Set(Vec::new()))
            }
            _ => None,
        }
    }

    fn enter(&mut self) -> Option<()> {
        self.open += 1;
        (self.open <= MOST_OPEN).then_some(())
    }

    /// Values with commas between them, to the closing bracket.
    fn items(&mut self, close: &str) -> Option<Vec<Value>> {
        let mut all = Vec::new();
        loop {
            self.skip_blanks();
            if self.eat(close) {
                break;
            }
            all.push(self.value()?);
            self.skip_blanks();
            if self.eat(close) {
                break;
            }
            if !self.eat(",") {
                return None;
            }
        }
        self.open -= 1;
        Some(all)
    }

    /// A tuple, or a value in brackets.
    fn round(&mut self) -> Option<Value> {
        self.rest = &self.rest[1..];
        self.enter()?;
        self.skip_blanks();
        if self.eat(")") {
            self.open -= 1;
            return Some(Value::Tuple(Vec::new()));
        }
        let first = self.value()?;
        self.skip_blanks();
        if self.eat(")") {
            self.open -= 1;
            return Some(first);
        }
        if !self.eat(",") {
            return None;
        }
        let mut all = vec![first];
        all.extend(self.items(")")?);
        Some(Value::Tuple(all))
    }

    /// A dict or a set.
    fn curly(&mut self) -> Option<Value> {
        self.rest = &self.rest[1..];
        self.enter()?;
        self.skip_blanks();
        if self.eat("}") {
            self.open -= 1;
            return Some(Value::Dict(Dict::default()));
        }
        let first = self.value()?;
        self.skip_blanks();
        if !self.rest.starts_with(':') {
            let mut all = vec![first];
            if self.eat(",") {
                all.extend(self.items("}")?);
            } else if self.eat("}") {
                self.open -= 1;
            } else {
                return None;
            }
            return Value::set(all);
        }
        let mut pairs = Vec::new();
        let mut key = first;
        loop {
            if !self.eat(":") {
                return None;
            }
            pairs.push((key, self.value()?));
            self.skip_blanks();
            let more = self.eat(",");
            self.skip_blanks();
            if self.eat("}") {
                self.open -= 1;
                return Some(Value::Dict(Dict::new(pairs)?));
            }
            if !more {
                return None;
            }
            key = self.value()?;
            self.skip_blanks();
        }
    }
}
