//! How far a parser has read, and the tree so far.

use super::document::{Document, NodeId};
use super::rules::Content;

/// Largest number of elements that are open at once. Deeper input is cut off, as libxml2 does.
const MAX_DEPTH: usize = 256;

/// Reads a text from left to right. Positions are always on character boundaries.
pub(super) struct Parser<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
    pub(super) document: Document,
    /// The names and the nodes of the open elements.
    pub(super) open: Vec<(String, NodeId)>,
    pub(super) content: Content,
    seen: Seen,
    /// Number of ignored start tags of `html`, `head` and `body` whose end tags are ignored too.
    pub(super) misplaced: usize,
    /// Set if elements are nested too deep.
    pub(super) halted: bool,
}

/// Which parts of the document have begun.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Seen {
    Nothing,
    Head,
    Body,
}

impl<'a> Parser<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            document: Document::default(),
            open: Vec::new(),
            content: Content::Markup,
            seen: Seen::Nothing,
            misplaced: 0,
            halted: false,
        }
    }

    /// The byte `ahead` positions after the current one, or 0 after the end.
    pub(super) fn peek(&self, ahead: usize) -> u8 {
        let bytes = self.text.as_bytes();
        bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    pub(super) fn at_end(&self) -> bool {
        self.at >= self.text.len()
    }

    /// The name of the innermost open element.
    pub(super) fn name(&self) -> Option<&str> {
        self.open.last().map(|(name, _)| name.as_str())
    }

    pub(super) fn is_open(&self, name: &str) -> bool {
        self.open.iter().any(|(open, _)| open == name)
    }

    pub(super) fn skip_blanks(&mut self) {
        let blanks = self.rest().bytes().take_while(|&b| is_blank(b)).count();
        self.at += blanks;
    }

    /// Opens `html`, `head` or `body` if `new` is outside them.
    pub(super) fn open_implied(&mut self, new: &str) {
        if new == "html" {
            return;
        }
        if self.open.is_empty() {
            self.open("html", Vec::new());
        }
        match new {
            "body" | "head" | "noframes" | "frame" | "frameset" => {}
            "script" | "style" | "meta" | "link" | "title" | "base" if self.open.len() <= 1 => {
                if self.seen < Seen::Head {
                    self.open("head", Vec::new());
                }
            }
            _ => {
                if self.seen < Seen::Body && !self.is_open("body") && !self.is_open("head") {
                    self.open("body", Vec::new());
                }
            }
        }
    }

    /// Prepares the tree for characters that are not blank.
    pub(super) fn begin_characters(&mut self) {
        if self.name() == Some("head") {
            self.close();
        }
        self.open_implied("p");
    }

    pub(super) fn open(&mut self, name: &str, attributes: Vec<(String, String)>) {
        let reached = match name {
            "head" => Seen::Head,
            "body" => Seen::Body,
            _ => Seen::Nothing,
        };
        self.seen = self.seen.max(reached);
        if self.open.len() >= MAX_DEPTH {
            self.halted = true;
            return;
        }
        let parent = self.open.last().map(|(_, node)| *node);
        let node = self.document.push_element(parent, name, attributes);
        self.open.push((name.to_owned(), node));
    }

    pub(super) fn close(&mut self) {
        self.open.pop();
    }

    /// Adds text to the innermost open element.
    pub(super) fn push_text(&mut self, text: &str) {
        if let Some((_, node)) = self.open.last()
            && !text.is_empty()
        {
            self.document.push_text(*node, text);
        }
    }
}

/// Whether a byte is a blank between the parts of a tag.
pub(super) fn is_blank(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\x0c' | b'\r' | b' ')
}
