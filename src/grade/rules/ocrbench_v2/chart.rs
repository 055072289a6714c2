//! Charts: the dict of the prediction and that of the answer, as tables with two columns.

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

/// `#` to the end of its line, also inside texts.
static COMMENT: LazyLock<Regex> = LazyLock::new(|| pattern("#.*"));

/// # Errors
/// Fails if the official script gives 0 without comparing. The error says why.
pub(super) fn compare(prediction: &str, gold: &Dict) -> Result<Alike, String> {
    let dict = parse_prediction(prediction).ok_or("no Python dict in the prediction")?;
    if dict.is_empty() {
        return Err("the prediction's dict is empty".into());
    }
    table::teds(&dict_as_table(&dict), &dict_as_table(gold))
}

/// The answer's dict.
///
/// # Errors
/// Fails if it is not a dict. The official script would stop here.
pub(super) fn read_gold(answer: &Json) -> Result<Dict, String> {
    match Value::from_json(answer) {
        Value::Dict(dict) => Ok(dict),
        other => Err(format!(
            "the answer is {}, where an object was expected",
            other.repr()
        )),
    }
}

/// The longest fenced block, or else the whole text, as a Python dict.
fn parse_prediction(prediction: &str) -> Option<Dict> {
    let blocks = FENCED
        .captures_iter(prediction)
        .filter_map(|found| found.get(1));
    // The first of the blocks with this length.
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

/// A row for each key. The characters of its value are separated by blanks. Nothing is escaped.
fn dict_as_table(dict: &Dict) -> String {
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
