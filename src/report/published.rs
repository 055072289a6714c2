//! What papers printed: below the measured rows of a table, or as a table of its own.

use super::judged;
use super::table::{Cell, Estimated, Row, Table, Unit, cell, rank};
use crate::config::{Impossible, PublishedFile, PublishedRow};
use crate::record::JudgedBy;
use crate::table::marks::{IMPOSSIBLE, INCONSISTENT, PUBLISHED};
use std::collections::BTreeMap;

/// How the rows of papers name their sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sources {
    /// All sources are in one note.
    Listed,
    /// A number after the model stands for the source.
    Numbered,
}

impl Table {
    /// Adds the published rows of this table's suite. They are never marked as the best or the second.
    #[must_use]
    pub fn beside(mut self, files: &[PublishedFile]) -> Self {
        let suite = self.suite.clone();
        for file in files.iter().filter(|file| file.covers(&suite)) {
            self.add(file, Sources::Listed);
        }
        judged::mark(&mut self);
        self
    }

    /// The rows of papers below the measured ones, every number as papers print it, with numbered sources.
    #[must_use]
    pub fn with_papers(mut self, file: &PublishedFile) -> Self {
        self.unit = Unit::Printed;
        let columns = self.columns.clone();
        for row in &mut self.rows {
            let decimals = usual_decimals(file);
            for (at, cell) in row.cells.iter_mut().enumerate() {
                let column = columns.get(at).filter(|_| at > 0);
                let value = cell
                    .value
                    .map(|v| file.to_printed_scale(column.map(String::as_str), v));
                cell.printed = value.map(|value| format!("{value:.decimals$}"));
            }
        }
        self.add(file, Sources::Numbered);
        judged::mark(&mut self);
        self
    }

    /// What papers printed on a benchmark, as printed, best and second marked among the rows that were
    /// checked.
    pub fn of_papers(file: &PublishedFile, title: &str) -> Self {
        let printed = |key: &String| file.rows.iter().any(|row| row.groups.contains_key(key));
        let mut table = Self {
            suite: file.suite.clone(),
            suite_title: title.to_owned(),
            suite_version: String::new(),
            by: file.by.clone(),
            columns: std::iter::once("overall".to_owned())
                .chain(file.keys().into_iter().filter(printed))
                .collect(),
            rows: Vec::new(),
            unit: Unit::Printed,
            intervals: false,
            notes: Vec::new(),
            estimates: Vec::new(),
        };
        table.add(file, Sources::Numbered);
        let checked = table.rows.iter_mut().zip(&file.rows);
        let checked = checked.filter(|(_, row)| !row.unverified);
        rank(&mut checked.map(|(row, _)| row).collect::<Vec<_>>());
        judged::mark(&mut table);
        table
    }

    fn add(&mut self, file: &PublishedFile, how: Sources) {
        let mark = if self.measured() {
            format!("{PUBLISHED} ")
        } else {
            String::new()
        };
        let mut sources: Vec<&str> = Vec::new();
        let mut notes = Vec::new();
        for row in &file.rows {
            let mut numbers = Vec::new();
            for source in row.sources() {
                let known = sources.iter().position(|known| *known == source);
                numbers.push(known.unwrap_or(sources.len()) + 1);
                if known.is_none() {
                    sources.push(source);
                }
            }
            numbers.sort_unstable();
            let mut line = line(self, file, row);
            if how == Sources::Numbered {
                let numbers: Vec<String> = numbers.iter().map(usize::to_string).collect();
                line.label = format!("{} [{}]", line.label, numbers.join(", "));
            }
            notes.extend(remarks(file, row, &line.label, &mark));
            self.rows.push(line);
            self.estimates.extend(estimates(self, file, row));
        }
        match how {
            Sources::Listed => self.notes.push(format!(
                "{PUBLISHED} as printed, not measured here: {}.",
                sources.join("; ")
            )),
            Sources::Numbered => {
                let head = format!("{PUBLISHED} as printed, not measured here.");
                let head = Some(head).filter(|_| self.measured());
                self.notes.extend(head);
                let numbered = sources.iter().enumerate();
                let numbered = numbered.map(|(at, source)| format!("[{}] {source}.", at + 1));
                self.notes.extend(numbered);
            }
        }
        let judge = file.judge.iter().map(|who| format!("Judged by {who}"));
        let reader = file
            .reader
            .iter()
            .map(|who| format!("The texts were read by {who}"));
        let told = judge.chain(reader).filter(|_| how == Sources::Numbered);
        self.notes
            .extend(told.map(|told| format!("{told} in print, where no other is named.")));
        self.notes.extend(file.notes.iter().cloned());
        self.notes.extend(notes);
    }
}

/// The digits that most tables of a file print.
pub(super) fn usual_decimals(file: &PublishedFile) -> usize {
    let most = file.rows.iter().map(|row| file.decimals(row)).max();
    file.decimals.or(most).unwrap_or_default() as usize
}

/// What a reader of one row must know.
fn remarks(file: &PublishedFile, row: &PublishedRow, label: &str, mark: &str) -> Vec<String> {
    let mut remarks = Vec::new();
    if let Some(found) = file.mismatch(row) {
        remarks.push(format!(
            "{INCONSISTENT} {label}: printed {} overall, but {} is {}.",
            found.printed, found.how, found.recomputed
        ));
    }
    let impossible = file.impossible(row);
    if !impossible.is_empty() {
        let told: Vec<String> = impossible.iter().map(Impossible::describe).collect();
        remarks.push(format!("{IMPOSSIBLE} {label}: {}.", told.join("; ")));
    }
    let notes = row.notes.join("; ");
    let notes = match (row.unverified, notes.is_empty()) {
        (false, true) => return remarks,
        (false, false) => notes,
        (true, true) => UNVERIFIED.to_owned(),
        (true, false) => format!("{UNVERIFIED}; {notes}"),
    };
    remarks.push(format!("{mark}{label}: {notes}."));
    remarks
}

/// The note on numbers that nobody compared with their source.
pub(super) const UNVERIFIED: &str = "from memory, not checked against the source";

/// Published numbers come from the benchmark's own prompts, unless the row says otherwise.
pub(super) fn judges(file: &PublishedFile, row: &PublishedRow) -> Vec<JudgedBy> {
    let judge = row.judge.as_ref().or(file.judge.as_ref());
    let judge = judge.map(|judge| JudgedBy {
        judge: judge.clone(),
        prompts: row
            .prompts
            .clone()
            .or_else(|| file.prompts.clone())
            .unwrap_or_default(),
        ..JudgedBy::default()
    });
    judge.into_iter().collect()
}

fn line(table: &Table, file: &PublishedFile, row: &PublishedRow) -> Row {
    let same = file.by == table.by;
    let overall = number(file, row, None, Some(row.overall));
    let group = |key: &String| {
        let value = row.groups.get(key).filter(|_| same);
        number(file, row, Some(key), value.copied())
    };
    let groups = table.columns.iter().skip(1).map(group);
    Row {
        model: row.model.clone(),
        run: row.source.clone(),
        label: row.label(),
        expected: 0,
        scored: 0,
        failed: 0,
        unscored: 0,
        unscored_by: BTreeMap::new(),
        partial: false,
        judges: judges(file, row),
        judged_apart: false,
        published: true,
        inconsistent: file.mismatch(row).is_some(),
        impossible: !file.impossible(row).is_empty(),
        cells: std::iter::once(overall).chain(groups).collect(),
    }
}

fn number(
    file: &PublishedFile,
    row: &PublishedRow,
    column: Option<&String>,
    value: Option<f64>,
) -> Cell {
    let here = value.map(|value| file.to_own_scale(column.map(String::as_str), value));
    Cell {
        printed: value.map(|value| file.text(row, value)),
        ..cell(here, None, None, 0)
    }
}

fn estimates(table: &Table, file: &PublishedFile, row: &PublishedRow) -> Vec<Estimated> {
    let estimated = |by: Option<&String>, key: Option<&String>, value: f64| Estimated {
        suite: table.suite.clone(),
        suite_version: table.suite_version.clone(),
        model: row.label(),
        run: row.source.clone(),
        partial: false,
        by: by.cloned(),
        key: key.map_or("overall", String::as_str).to_owned(),
        value: Some(file.to_own_scale(key.map(String::as_str), value)),
        low: None,
        high: None,
        n: 0,
        outputs: 0,
        notes: match key {
            None => row.notes.join("; "),
            Some(_) => String::new(),
        },
    };
    let groups = row.groups.iter();
    let groups = groups.map(|(key, value)| estimated(file.by.as_ref(), Some(key), *value));
    std::iter::once(estimated(None, None, row.overall))
        .chain(groups)
        .collect()
}
