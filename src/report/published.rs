//! What papers printed, below the measured rows of a table.

use super::table::{Estimated, PUBLISHED, Row, cell};
use super::{Table, judged};
use crate::config::{PublishedFile, PublishedRow};
use crate::record::JudgedBy;
use std::collections::BTreeMap;

impl Table {
    /// Adds the published rows of this table's suite. They take no part in the choice of the best, since no run stands
    /// behind them.
    #[must_use]
    pub fn beside(mut self, files: &[PublishedFile]) -> Self {
        for file in files.iter().filter(|file| file.suite == self.suite) {
            let mut sources: Vec<&str> = Vec::new();
            for row in &file.rows {
                self.rows.push(line(&self, file, row));
                self.estimates.extend(estimates(&self, file, row));
                if !sources.contains(&row.source.as_str()) {
                    sources.push(&row.source);
                }
            }
            let sources = sources.join("; ");
            self.notes.push(format!(
                "{PUBLISHED} as printed, not measured here: {sources}."
            ));
            let noted = file.rows.iter().filter(|row| !row.notes.is_empty());
            self.notes.extend(
                noted.map(|row| format!("{PUBLISHED} {}: {}.", label(row), row.notes.join("; "))),
            );
        }
        judged::mark(&mut self);
        self
    }
}

fn label(row: &PublishedRow) -> String {
    match row.setting.as_str() {
        "" => row.model.clone(),
        setting => format!("{} ({setting})", row.model),
    }
}

/// Published numbers come from the benchmark's own prompts, unless the row says otherwise.
fn judges(file: &PublishedFile, row: &PublishedRow) -> Vec<JudgedBy> {
    let judge = row.judge.as_ref().or(file.judge.as_ref());
    let judge = judge.map(|judge| JudgedBy {
        judge: judge.clone(),
        prompts: row
            .prompts
            .clone()
            .or_else(|| file.prompts.clone())
            .unwrap_or_default(),
        sha256: String::new(),
    });
    judge.into_iter().collect()
}

fn line(table: &Table, file: &PublishedFile, row: &PublishedRow) -> Row {
    let same = file.by == table.by;
    let of = |key: &String| row.groups.get(key).filter(|_| same);
    let groups = table.columns.iter().skip(1).map(of);
    let values = std::iter::once(Some(&row.overall)).chain(groups);
    Row {
        model: row.model.clone(),
        run: row.source.clone(),
        label: label(row),
        expected: 0,
        scored: 0,
        failed: 0,
        unscored: 0,
        unscored_by: BTreeMap::new(),
        partial: false,
        judges: judges(file, row),
        judged_apart: false,
        published: true,
        cells: values
            .map(|value| cell(value.map(|value| file.here(*value)), None, None, 0))
            .collect(),
    }
}

fn estimates(table: &Table, file: &PublishedFile, row: &PublishedRow) -> Vec<Estimated> {
    let estimated = |by: Option<&String>, key: &str, value: f64| Estimated {
        suite: table.suite.clone(),
        suite_version: table.suite_version.clone(),
        model: label(row),
        run: row.source.clone(),
        partial: false,
        by: by.cloned(),
        key: key.to_owned(),
        value: Some(file.here(value)),
        low: None,
        high: None,
        n: 0,
        outputs: 0,
    };
    let groups = row.groups.iter();
    let groups = groups.map(|(key, value)| estimated(file.by.as_ref(), key, *value));
    std::iter::once(estimated(None, "overall", row.overall))
        .chain(groups)
        .collect()
}
