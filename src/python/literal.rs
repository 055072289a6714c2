//! Python literals as `ast.literal_eval` reads them.

mod number;
mod string;

use crate::python::value::{Dict, Value};

/// Deepest nesting of brackets.
const MOST_OPEN: usize = 200;

/// The value of a Python literal: numbers, texts, bytes, tuples, lists, sets, dicts, `None`, `True`, `False`,
/// `...`.
///
/// `None` if `ast.literal_eval` raises any error. Complex numbers and named characters (`\N{DASH}`) also give
/// `None`.
pub fn parse(text: &str) -> Option<Value> {
    if text.contains('\0') {
        return None;
    }
    let text = text.trim_start_matches([' ', '\t']);
    // Python accepts the line ends of every system.
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
    /// Number of brackets around the position. Inside brackets, a line end counts as a blank.
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

    /// Skips blanks and continued lines and, inside brackets, comments and line ends.
    fn skip_blanks(&mut self) {
        loop {
            let before = self.rest.len();
            self.rest = self.rest.trim_start_matches([' ', '\t', '\u{c}']);
            // A backslash continues the line, unless nothing follows it.
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

    /// Skips lines that contain only blanks and comments. The next line must not be indented.
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

    /// Skips what follows the value: blanks, a comment, empty lines.
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

    /// A value, or several values separated by commas, which are a tuple without brackets.
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

    /// A sign and a number. The number may be in round brackets, but may have no further sign.
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

    /// Values separated by commas, up to the closing bracket.
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

    /// A tuple, or a value in round brackets.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::python::json;
    use proptest::prelude::*;

    fn printed(text: &str) -> Option<String> {
        parse(text).map(|value| value.repr())
    }

    /// `repr(ast.literal_eval(text))` of Python 3.11.
    #[test]
    fn prints_what_python_prints() {
        let cases = [
            (
                r#"{'k': 3, "it's": [1e-07, 1.0, 1e16, 100000.0]}"#,
                r#"{'k': 3, "it's": [1e-07, 1.0, 1e+16, 100000.0]}"#,
            ),
            ("(1,), (), (2)", "((1,), (), 2)"),
            ("{1, 1.0, True}", "{1}"),
            ("{1: 'a', 1.0: 'b', True: 'c'}", "{1: 'c'}"),
            (
                "[0x1F, 0b101, 1_000, 00, -0, -(5), + 2]",
                "[31, 5, 1000, 0, 0, -5, 2]",
            ),
            ("0xffffffffffffffffffff", "1208925819614629174706175"),
            (
                "['a' 'b'\n\"c\" # d\n, r'\\n', b'\\xff\"']",
                "['abc', '\\\\n', b'\\xff\"']",
            ),
            (
                "'\\x41\\u00e9\\t\\q\\101 \u{200b}中'",
                "'Aé\\t\\\\qA \\u200b中'",
            ),
            ("''' a\r\nb'''", "' a\\nb'"),
            ("[None, ..., set(), {}]", "[None, Ellipsis, set(), {}]"),
            ("1e999", "inf"),
            ("  1 # one\n\n  # two\n", "1"),
        ];
        for (text, value) in cases {
            assert_eq!(printed(text).as_deref(), Some(value), "{text}");
        }
    }

    #[test]
    fn refuses_what_python_refuses() {
        let cases = "[ {1:2,3} {1,2:3} {[1]:2} {**{}} (,) 007 1_ 1__0 --1 -True 1+2 f'x' b'é' '\\x4' '\\u12' a true 1L [1][0]";
        for text in cases.split(' ') {
            assert_eq!(printed(text), None, "{text}");
        }
        for text in [
            "", "1 2", "1\n2", "\n 1", "1\u{a0}", "'\0'", "'a\nb'", "'a' b'b'",
        ] {
            assert_eq!(printed(text), None, "{text}");
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(parse(&nested(200)).is_some());
        assert!(parse(&nested(201)).is_none());
        assert!(parse(&"[".repeat(1 << 20)).is_none());
        assert!(json::loads(&"[".repeat(1 << 20)).is_none());
        assert!(json::loads(&"{\"a\":".repeat(1 << 18)).is_none());
    }

    proptest! {
        /// What is printed reads back as itself.
        #[test]
        fn prints_literals(
            text in "([\\[\\](){},:'\"\\\\ \n#bru0-9.e_+xa中-]|\\.\\.\\.|None|True|set\\(\\)|1|'a'|\\[\\]){0,12}"
        ) {
            if let Some(printed) = printed(&text).filter(|p| !p.contains("inf") && !p.contains("Ellipsis")) {
                let again = super::parse(&printed).map(|value| value.repr());
                prop_assert_eq!(again, Some(printed));
            }
        }

        #[test]
        fn reads_any_text(text in ".{0,40}") {
            let _ = (parse(&text), json::loads(&text));
        }
    }
}
