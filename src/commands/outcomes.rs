//! A graded run as a comparison reads it.

use super::failure::Failure;
use super::score::{graded, suite_of};
use crate::config::{Settings, SuiteFile};
use crate::grade::{self, Rule};
use crate::record::{Grade, Item, Outcomes, RunFacts, Summary};
use crate::run::{Manifest, read_all, read_json};
use serde_json::{Value, json};
use std::path::Path;

/// The key of the summary under which rule and options stand that a run was graded by.
pub const GRADING: &str = "grading";

/// The rule and options of a suite, as the summary notes them.
pub fn grading(suite: &SuiteFile, options: &Settings) -> Value {
    json!({"rule": suite.grade.rule, "options": options.to_json()})
}

/// Reads the scores of a graded run folder.
///
/// # Errors
/// When it is not a run folder, is not graded yet, or its rule is not known to this version.
pub fn read(path: &Path) -> Result<Outcomes, Failure> {
    let (folder, manifest) = graded(path)?;
    let summary: Summary = read_json(&folder.summary())?;
    let suite = suite_of(&manifest)?;
    // A run that was graded again by another suite's rule notes it; runs of earlier versions were graded by their own.
    let noted = summary.extra.get(GRADING).cloned();
    let grading = noted.unwrap_or_else(|| grading(&suite, &suite.grade.options));
    let rule = rule(&grading)?;
    let items: Vec<Item> = read_all(&folder.items())?;
    let grades: Vec<Grade> = read_all(&folder.grades())?;
    Ok(Outcomes {
        items: grade::outcomes(
            rule.as_ref(),
            &items,
            &suite.report.group_by,
            &grades,
            manifest.repeats,
        ),
        facts: facts(summary, &suite, &manifest, grading, rule.as_ref()),
    })
}

fn rule(grading: &Value) -> Result<Box<dyn Rule>, Failure> {
    let options: toml::Table =
        serde_json::from_value(grading["options"].clone()).unwrap_or_default();
    let options = Settings::from_table(&options)?;
    Ok(grade::build(
        grading["rule"].as_str().unwrap_or_default(),
        &options,
    )?)
}

fn facts(
    summary: Summary,
    suite: &SuiteFile,
    manifest: &Manifest,
    grading: Value,
    rule: &dyn Rule,
) -> RunFacts {
    RunFacts {
        suite: summary.suite,
        suite_title: suite.title.clone(),
        suite_version: summary.suite_version,
        model_title: manifest.model["title"]
            .as_str()
            .unwrap_or(&summary.model)
            .to_owned(),
        model: summary.model,
        run: summary.run,
        repeats: manifest.repeats,
        grading,
        observers: manifest.observers.clone(),
        overall: rule.overall(),
        group_by: suite.report.group_by.clone(),
        expected: summary.expected,
        scored: summary.scored,
        failed: summary.failed,
        unscored: summary.unscored,
        value: summary.overall.value,
    }
}
