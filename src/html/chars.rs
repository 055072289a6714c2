//! Characters between tags and in attributes, and character references.

use super::rules::{Content, Escape};
use super::state::{Parser, is_blank};
use std::collections::HashMap;
use std::sync::LazyLock;

/// Longest name of a character reference.
const LONGEST_NAME: usize = 32;

/// The characters of Windows that references to U+0080–U+009F mean.
const C1: [u32; 32] = [
    0x20ac, 0x81, 0x201a, 0x192, 0x201e, 0x2026, 0x2020, 0x2021, 0x2c6, 0x2030, 0x160, 0x2039,
    0x152, 0x8d, 0x17d, 0x8f, 0x90, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x2dc,
    0x2122, 0x161, 0x203a, 0x153, 0x9d, 0x17e, 0x178,
];

/// The characters by name. The name includes the `;` if it belongs to it.
static NAMED: LazyLock<HashMap<&str, &str>> = LazyLock::new(|| {
    let all = entities::ENTITIES.iter();
    all.map(|e| (e.entity.trim_start_matches('&'), e.characters))
        .collect()
});

impl Parser<'_> {
    /// Reads characters up to the next tag, or up to the end tag of an element that contains only text.
    pub(super) fn parse_characters(&mut self) {
        let text = self.text;
        let mut start = self.at;
        while !self.halted && !self.at_end() {
            let rest = self.rest();
            let references = matches!(self.content, Content::Markup | Content::References);
            match self.peek(0) {
                b'<' if self.content == Content::Markup || self.ends_text() => {
                    self.emit(&text[start..self.at]);
                    self.content = Content::Markup;
                    return;
                }
                b'-' if rest.starts_with("-->") => {
                    if let Content::Script(escape) = &mut self.content {
                        *escape = Escape::Outside;
                    }
                    self.at += 1;
                }
                b'&' if references => match reference(rest, false) {
                    Some((characters, length)) => {
                        self.emit(&text[start..self.at]);
                        self.emit(&characters);
                        self.at += length;
                        start = self.at;
                    }
                    None => self.at += 1,
                },
                b'\0' | b'\r' => {
                    self.emit(&text[start..self.at]);
                    if self.peek(0) == 0 {
                        self.emit("\u{fffd}");
                    } else if self.peek(1) != b'\n' {
                        self.emit("\n");
                    }
                    self.at += 1;
                    start = self.at;
                }
                _ => self.at += rest.chars().next().map_or(1, char::len_utf8),
            }
        }
        self.emit(&text[start.min(self.at)..self.at]);
    }

    /// Adds characters to the tree. Outside the body, leading blanks stay where they are, and everything else
    /// opens the body.
    fn emit(&mut self, characters: &str) {
        let mut characters = characters;
        let references = matches!(self.content, Content::Markup | Content::References);
        if references && matches!(self.name(), None | Some("html" | "head")) {
            let blanks = characters.bytes().take_while(|&b| is_blank(b)).count();
            let (leading, others) = characters.split_at(blanks);
            self.push_text(leading);
            if others.is_empty() {
                return;
            }
            self.begin_characters();
            characters = others;
        }
        self.push_text(characters);
    }

    /// Says whether a `<` in an element that contains only text ends the element. In a script, it also notes
    /// where comments begin and end.
    fn ends_text(&mut self) -> bool {
        let rest = self.rest();
        match &mut self.content {
            Content::Plain | Content::Markup => return false,
            Content::Script(escape @ (Escape::Outside | Escape::Comment))
                if rest.starts_with("<!") =>
            {
                if rest.starts_with("<!--") {
                    *escape = Escape::Comment;
                }
                return false;
            }
            _ => {}
        }
        let solidus = rest.starts_with("</");
        if !solidus && self.content != Content::Script(Escape::Comment) {
            return false;
        }
        let after = &rest.as_bytes()[1 + usize::from(solidus)..];
        let name = self.name().unwrap_or_default().as_bytes();
        let same = after.get(..name.len()).is_some_and(|n| {
            n.iter()
                .zip(name)
                .all(|(&found, &wanted)| found | 0x20 == wanted)
        });
        let ended = after.get(name.len());
        if !same || !ended.is_some_and(|&b| b == b'>' || b == b'/' || is_blank(b)) {
            return false;
        }
        match &mut self.content {
            Content::Script(escape @ Escape::Comment) if !solidus => *escape = Escape::Nested,
            Content::Script(escape @ Escape::Nested) => *escape = Escape::Comment,
            _ => return true,
        }
        false
    }
}

/// The value of an attribute, with or without quotation marks.
pub(super) fn attribute_value(parser: &mut Parser<'_>) -> String {
    let quote = match parser.peek(0) {
        mark @ (b'"' | b'\'') => Some(mark),
        _ => None,
    };
    parser.at += usize::from(quote.is_some());
    let mut value = String::new();
    while let Some(character) = parser.rest().chars().next() {
        let ends = match quote {
            Some(mark) => character == char::from(mark),
            None => character == '>' || u8::try_from(character).is_ok_and(is_blank),
        };
        if ends {
            break;
        }
        if character == '&'
            && let Some((characters, length)) = reference(parser.rest(), true)
        {
            value.push_str(&characters);
            parser.at += length;
            continue;
        }
        match character {
            '\0' => value.push(char::REPLACEMENT_CHARACTER),
            '\r' if parser.peek(1) == b'\n' => {}
            '\r' => value.push('\n'),
            other => value.push(other),
        }
        parser.at += character.len_utf8();
    }
    if quote.is_some() && !parser.at_end() {
        parser.at += 1;
    }
    value
}

/// The characters of a reference at the start of `text`, and its length in bytes.
fn reference(text: &str, in_attribute: bool) -> Option<(String, usize)> {
    let name = text.strip_prefix('&')?;
    if let Some(number) = name.strip_prefix('#') {
        return numbered(number).map(|(c, length)| (c.to_string(), length + 2));
    }
    let run = name.bytes().take_while(u8::is_ascii_alphanumeric);
    let run = run.take(LONGEST_NAME).count();
    if name.as_bytes().get(run) == Some(&b';')
        && let Some(characters) = NAMED.get(&name[..=run])
    {
        return Some(((*characters).to_owned(), run + 2));
    }
    let shortest = if in_attribute { run } else { 1 };
    if in_attribute
        && name
            .as_bytes()
            .get(run)
            .is_some_and(|&b| b == b'=' || b.is_ascii_alphanumeric())
    {
        return None;
    }
    (shortest..=run).rev().find_map(|length| {
        let characters = NAMED.get(&name[..length])?;
        Some(((*characters).to_owned(), length + 1))
    })
}

/// A reference by number, after its `&#`.
fn numbered(text: &str) -> Option<(char, usize)> {
    let hexadecimal = text.starts_with(['x', 'X']);
    let prefix = usize::from(hexadecimal);
    let radix = if hexadecimal { 16 } else { 10 };
    let digits = text[prefix..].chars().map_while(|c| c.to_digit(radix));
    let count = digits.clone().count();
    if count == 0 {
        return None;
    }
    let code = digits.fold(0, |code: u32, digit| {
        (code.saturating_mul(radix).saturating_add(digit)).min(0x11_0000)
    });
    let code = match code {
        0x80..=0x9f => C1[code as usize - 0x80],
        0 => 0xfffd,
        other => other,
    };
    let length = prefix + count;
    let semicolon = text.as_bytes().get(length) == Some(&b';');
    let character = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
    Some((character, length + usize::from(semicolon)))
}
