//! Tags: what they open and close.

use super::chars::attribute_value;
use super::document::Document;
use super::rules::{self, Content};
use super::state::Parser;

/// The number of bytes that count in the name of a tag or an attribute.
const NAME_BYTES: usize = 100;

impl Document {
    /// Reads a text.
    pub fn parse(text: &str) -> Self {
        let mut parser = Parser::new(text);
        parser.skip_prolog();
        parser.parse_content();
        parser.document
    }
}

impl Parser<'_> {
    /// Skips what may precede the first element.
    fn skip_prolog(&mut self) {
        self.skip_blanks();
        self.skip_comments();
        if self.at_doctype() {
            self.skip_doctype();
        }
        self.skip_blanks();
        self.skip_comments();
    }

    fn skip_comments(&mut self) {
        loop {
            if self.rest().starts_with("<!--") {
                self.skip_comment();
            } else if self.rest().starts_with("<?") {
                self.skip_beyond_gt();
            } else {
                return;
            }
            self.skip_blanks();
        }
    }

    fn parse_content(&mut self) {
        while !self.halted && !self.at_end() {
            if self.content != Content::Markup || self.peek(0) != b'<' {
                self.parse_characters();
                continue;
            }
            match self.peek(1) {
                b'/' => self.parse_end_tag(),
                b'!' if self.at_doctype() => self.skip_doctype(),
                b'!' if self.rest().starts_with("<!--") => self.skip_comment(),
                b'!' | b'?' => self.skip_beyond_gt(),
                letter if letter.is_ascii_alphabetic() => self.parse_element(),
                _ => {
                    self.begin_characters();
                    self.push_text("<");
                    self.at += 1;
                }
            }
        }
    }

    fn at_doctype(&self) -> bool {
        let start = self.text.as_bytes().get(self.at..self.at + 9);
        start.is_some_and(|s| s.eq_ignore_ascii_case(b"<!doctype"))
    }

    /// Skips a doctype. Its quoted parts cannot contain `>` either.
    fn skip_doctype(&mut self) {
        self.skip_beyond_gt();
    }

    fn skip_beyond_gt(&mut self) {
        self.at = match self.rest().find('>') {
            Some(gt) => self.at + gt + 1,
            None => self.text.len(),
        };
    }

    fn skip_comment(&mut self) {
        self.at += 4;
        let rest = self.rest();
        let length = if rest.starts_with('>') {
            1
        } else if rest.starts_with("->") {
            2
        } else {
            let ends = ["-->", "--!>"].map(|end| rest.find(end).map(|at| (at, end.len())));
            let first = ends.into_iter().flatten().min();
            first.map_or(rest.len(), |(at, length)| at + length)
        };
        self.at += length;
    }

    /// Reads a start tag and, for an element without content, its end.
    fn parse_element(&mut self) {
        self.parse_start_tag();
        // After an ignored start tag, this is the element around it. libxml2 makes no difference.
        let Some(name) = self.name().map(str::to_owned) else {
            return;
        };
        if self.rest().starts_with("/>") {
            self.at += 2;
            self.close();
        } else if self.peek(0) == b'>' {
            self.at += 1;
            if rules::is_void(&name) {
                self.close();
            } else {
                self.content = rules::content_of(&name);
            }
        }
    }

    fn parse_start_tag(&mut self) {
        self.content = Content::Markup;
        self.at += 1;
        let name = self.parse_name(b' ');
        while self.name().is_some_and(|old| rules::closes(&name, old)) {
            self.close();
        }
        self.open_implied(&name);
        let misplaced = match name.as_str() {
            "html" => usize::from(!self.open.is_empty()),
            "head" => usize::from(self.open.len() != 1),
            "body" => self.open.iter().filter(|(open, _)| open == "body").count(),
            _ => 0,
        };
        self.misplaced += misplaced;
        let attributes = self.parse_attributes();
        if misplaced == 0 && !self.at_end() {
            self.open(&name, attributes);
        }
    }

    /// The attributes up to `>` or `/>`, which are not consumed.
    fn parse_attributes(&mut self) -> Vec<(String, String)> {
        let mut attributes: Vec<(String, String)> = Vec::new();
        let mut known = std::collections::HashSet::new();
        self.skip_blanks();
        while !self.at_end() && self.peek(0) != b'>' && !self.rest().starts_with("/>") {
            if self.peek(0) == b'/' {
                self.at += 1;
                self.skip_blanks();
                continue;
            }
            let name = self.parse_name(b'=');
            self.skip_blanks();
            let mut value = String::new();
            if self.peek(0) == b'=' && !self.at_end() {
                self.at += 1;
                self.skip_blanks();
                value = attribute_value(self);
            }
            if known.insert(name.clone()) {
                attributes.push((name, value));
            }
            self.skip_blanks();
        }
        attributes
    }

    /// A lower-cased name up to a blank, `/`, `>` or `stop`. The first character always belongs to it.
    fn parse_name(&mut self, stop: u8) -> String {
        let mut name = String::new();
        for (index, character) in self.rest().char_indices() {
            let ends = matches!(character, '/' | '>' | '\t' | '\n' | '\u{c}' | '\r' | ' ')
                || character == char::from(stop);
            if !name.is_empty() && ends {
                self.at += index;
                return name;
            }
            let character = match character {
                '\0' => char::REPLACEMENT_CHARACTER,
                other => other.to_ascii_lowercase(),
            };
            if name.len() + character.len_utf8() <= NAME_BYTES {
                name.push(character);
            }
        }
        self.at = self.text.len();
        name
    }

    fn parse_end_tag(&mut self) {
        self.at += 2;
        if self.at_end() {
            self.begin_characters();
            self.push_text("</");
            return;
        }
        if !self.peek(0).is_ascii_alphabetic() {
            return self.skip_beyond_gt();
        }
        let name = self.parse_name(b' ');
        self.parse_attributes();
        match self.peek(0) {
            b'>' => self.at += 1,
            b'/' if self.peek(1) == b'>' => self.at += 2,
            _ => return,
        }
        if self.misplaced > 0 && matches!(name.as_str(), "html" | "body" | "head") {
            self.misplaced -= 1;
            return;
        }
        if self.is_open(&name) {
            self.close_to(&name);
        }
    }

    /// Closes the innermost element with this name and all elements inside it, unless one of a higher rank is
    /// inside.
    fn close_to(&mut self, name: &str) {
        let rank = rules::end_rank(name);
        let inside = self.open.iter().rev().take_while(|(open, _)| open != name);
        if inside.clone().any(|(open, _)| rules::end_rank(open) > rank) {
            return;
        }
        for _ in 0..=inside.count() {
            self.close();
        }
    }
}
