//! How a run differs from its suite.

use crate::config::{self, Kind};
use crate::record::{Object, Summary};
use crate::run::Manifest;
use serde_json::Value;
use std::path::Path;

/// Notes on items, repeats and options of a run that are not those of its suite.
pub fn suite_deviations(manifest: &Manifest, summary: &Summary) -> Vec<String> {
    let mut found = Vec::new();
    let selection = &manifest.selection;
    if selection.limit.is_some() || !selection.only.is_empty() {
        let n = summary.overall.n;
        found.push(format!(
            "only some of the suite's items were used, of which {n} are scored"
        ));
    }
    let own = manifest.suite.as_json()["repeats"].as_u64().unwrap_or(1);
    if own != u64::from(manifest.repeats) {
        let asked = manifest.repeats;
        found.push(format!(
            "{asked} outputs per item, but the suite requires {own}"
        ));
    }
    found.extend(unlike_here(manifest.suite.as_json()));
    let graded = summary.extra.get(Summary::GRADING);
    let options = graded.map(|grading| &grading["options"]);
    let own = &manifest.suite.as_json()["grade"]["options"];
    let rule = graded.map(|grading| &grading["rule"]);
    let own_rule = &manifest.suite.as_json()["grade"]["rule"];
    if let Some(rule) = rule.filter(|rule| *rule != own_rule) {
        found.push(format!("graded by the rule {rule}, not by the suite's own"));
    }
    if let Some(options) = options.filter(|options| !same(options, own)) {
        found.push(format!(
            "graded with other options than the suite's own: {options}"
        ));
    }
    found
}

/// A note on the parts of the suite that differ from the definition that its name has here.
fn unlike_here(suite: &Value) -> Option<String> {
    let name = suite["name"].as_str()?;
    let known = config::list(Kind::Suite)
        .iter()
        .any(|listed| listed.name == name);
    let here = config::suite(name, Path::new("")).ok().filter(|_| known)?;
    let here = serde_json::to_value(here.definition).ok()?;
    let keys = ["version", "items", "observers", "observe", "grade"];
    let other: Vec<&str> = keys
        .into_iter()
        .filter(|key| !same(&suite[*key], &here[*key]))
        .collect();
    (!other.is_empty()).then(|| {
        format!(
            "the run's {} are not those of the current suite",
            other.join(", ")
        )
    })
}

/// Whether two values are equal. An absent value is the same as an empty table.
fn same(one: &Value, other: &Value) -> bool {
    let empty = |value: &Value| value.as_object().is_none_or(Object::is_empty);
    one == other || (empty(one) && empty(other))
}
