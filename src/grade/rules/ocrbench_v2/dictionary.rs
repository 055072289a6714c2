//! The key and value pairs of a prediction.

use super::patterns::{SPACE, pattern};
use crate::python;
use crate::python::value::Value;
use crate::python::whitespace::strip;
use regex::Regex;
use std::sync::LazyLock;

/// A fenced block. After its opening fence, the line has nothing, `python` or `json`.
pub(super) static FENCED: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?s)```(?i:python|json)?\n(.*?)\n```"));

/// A key, a colon or an equals sign, and a value up to a quotation mark, brace, comma or line end.
static PAIR: LazyLock<Regex> = LazyLock::new(|| {
    pattern(&format!(
        r#"["']?([\p{{L}}\p{{N}}_{SPACE}]+)["']?[{SPACE}]*[:=][{SPACE}]*["']?([^\n,"'{{}}]+)["']?"#
    ))
});

/// Keys and values, stripped, in the order of the keys.
pub(super) type Pairs = Vec<(String, String)>;

/// Reads the first fenced block, or else the whole text: as JSON, or else as a Python literal, or else by
/// searching for `key: value`. Anything that is not a dict gives no pairs. If one key is not text, there are
/// no pairs at all.
pub(super) fn parse(prediction: &str) -> Pairs {
    let fenced = FENCED.captures(prediction).and_then(|found| found.get(1));
    let content = fenced.map_or(strip(prediction), |block| block.as_str());
    if let Some(value) = python::json::loads(content) {
        return of_value(&value);
    }
    match python::literal::parse(content) {
        Some(value) => of_value(&value),
        None => by_search(content),
    }
}

fn of_value(value: &Value) -> Pairs {
    let Value::Dict(dict) = value else {
        return Pairs::new();
    };
    let pairs = dict.iter().map(|(key, value)| {
        let Value::Str(key) = key else {
            return None;
        };
        Some((strip(key).to_owned(), strip(&value.to_str()).to_owned()))
    });
    pairs
        .collect::<Option<Pairs>>()
        .map(unique)
        .unwrap_or_default()
}

fn by_search(content: &str) -> Pairs {
    let found = PAIR.captures_iter(content).filter_map(|pair| {
        let part = |index| pair.get(index).map(|part| strip(part.as_str()).to_owned());
        Some((part(1)?, part(2)?))
    });
    unique(found.collect())
}

/// For equal keys, the value of the last one counts, in the place of the first one.
fn unique(pairs: Pairs) -> Pairs {
    let mut places = std::collections::HashMap::new();
    let mut kept = Pairs::new();
    for (key, value) in pairs {
        let place = *places.entry(key.clone()).or_insert(kept.len());
        match kept.get_mut(place) {
            Some(pair) => pair.1 = value,
            None => kept.push((key, value)),
        }
    }
    kept
}
