//! Generators, observers and rules: what each does, and its options.

use super::markdown::{cell, head, paragraphs};
use super::schema::tables;
use serde_json::Value;
use std::fmt::Write as _;

/// One generator, observer or rule.
pub struct Described {
    pub name: &'static str,
    /// What it does, in a sentence.
    pub summary: &'static str,
    /// The JSON schema of its options.
    pub options: Value,
    /// Further facts, a line each.
    pub facts: Vec<String>,
}

/// A page with a list, and a section for each.
pub fn page(title: &str, introduction: &str, described: &[Described]) -> String {
    let mut page = head(title, "the program's own list");
    page += &paragraphs(introduction);
    page += "| name | what it does |\n|---|---|\n";
    for one in described {
        let _ = writeln!(page, "| [`{0}`](#{0}) | {1} |", one.name, cell(one.summary));
    }
    page += "\n";
    for one in described {
        let _ = write!(page, "## `{}`\n\n{}\n\n", one.name, one.summary);
        for fact in &one.facts {
            let _ = writeln!(page, "- {fact}");
        }
        if !one.facts.is_empty() {
            page += "\n";
        }
        page += &tables(&one.options, 3);
    }
    page
}
