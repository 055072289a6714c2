//! Pieces of Markdown.

use regex::Regex;

/// A text as the cell of a table: on one line, with `|` escaped, and without the links of rustdoc.
pub(super) fn cell(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ").replace('|', "\\|");
    let link = Regex::new(r"\[(`[^`]*`)\]").unwrap();
    // A link with a target of its own stays.
    if line.contains("](") {
        line
    } else {
        link.replace_all(&line, "$1").into_owned()
    }
}

/// A text of several paragraphs and code blocks, with an empty line behind it.
pub(super) fn paragraphs(text: &str) -> String {
    format!("{}\n\n", text.trim())
}

/// The first lines of a page that the tests write.
pub(super) fn head(title: &str, source: &str) -> String {
    format!("# {title}\n\n<!-- Written by the test `reference` from {source}; do not edit. -->\n\n")
}
