//! Charts: the prediction's dict and the answer's as tables of two columns.

use super::dictionary::FENCED;
use super::patterns::{SPACE, pattern};
use super::table::{self, Alike};
use crate::python;
use crate::python::value::{Dict, Value};
use crate::python::whitespace::strip;
use regex::Regex;
use serde_json::Value as Json;
use std::sync::LazyLock;

/// `name =` before the dict.
static ASSIGNED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r"^[{SPACE}]*[\p{{L}}\p{{N}}_]+[{SPACE}]*=[{SPACE}]*"
    ))
});

/// `#` to the end of its line, also inside of texts.
static COMMENT: LazyLock<Regex> = LazyLock::new(|| pattern("#.*"));

/// # Errors
/// Why the official script gives 0 without comparing.
pub(super) fn compare(prediction: &str, gold: &Dict) -> Result<Alike, String> {
    let dict = parse(prediction).ok_or("no Python dict in the prediction")?;
    if dict.is_empty() {
        return Err("the prediction's dict is empty".into());
    }
    table::teds(&of_dict(&dict), &of_dict(gold))
}

/// The answer's dict.
///
/// # Errors
/// Fails if it is none: the official script would stop here.
pub(super) fn gold(answer: &Json) -> Result<Dict, String> {
    match Value::from_json(answer) {
        Value::Dict(dict) => Ok(dict),
        other => Err(format!(
            "the answer is {}, where an object was expected",
            other.repr()
        )),
    }
}

/// The longest fenced block, or else the whole text, as a Python dict.
fn parse(prediction: &str) -> Option<Dict> {
    let blocks = FENCED
        .captures_iter(prediction)
        .filter_map(|found| found.get(1));
    // Of blocks of one length the first.
    let longest = blocks.fold(None, |best: Option<&str>, block| {
        let longer = best.is_none_or(|best| block.as_str().chars().count() > best.chars().count());
        if longer { Some(block.as_str()) } else { best }
    });
    let content = strip(longest.unwrap_or(prediction));
    let content = ASSIGNED.replace(content, "");
    let content = COMMENT.replace_all(&content, "");
    let content = content.rfind('}').map_or(&*content, |end| &content[..=end]);
    match python::literal::parse(content)? {
        Value::Dict(dict) => Some(dict),
        _ => None,
    }
}

/// A row for each key, the characters of its value set apart by blanks. Nothing is escaped.
fn of_dict(dict: &Dict) -> String {
    let mut html = String::from("<html><body><table>\n");
    for (key, value) in dict.iter() {
        let mut spaced = String::new();
        for (index, character) in value.to_str().chars().enumerate() {
            spaced.push_str(if index == 0 { "" } else { " " });
            spaced.push(character);
        }
        html += &format!("  <tr><td>{}</td><td>{spaced}</td></tr>\n", key.to_str());
    }
    html + "</table></body></html>"
}
