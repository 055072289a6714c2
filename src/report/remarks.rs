//! What a reader of a table of runs must know, and of which rows it is true.

use super::table::{Row, TableInput};
use crate::record::Summary;
use crate::table::marks::PARTIAL;
use crate::text::count::counted;
use std::collections::BTreeMap;

/// ` (2 missing, 1 refused)`; nothing where that is not known.
pub(super) fn states(counts: &BTreeMap<String, usize>) -> String {
    let counts: Vec<String> = counts
        .iter()
        .map(|(state, n)| format!("{n} {state}"))
        .collect();
    if counts.is_empty() {
        String::new()
    } else {
        format!(" ({})", counts.join(", "))
    }
}

/// All notes below a table of runs.
pub(super) fn of_table(inputs: &[TableInput<'_>], rows: &[Row]) -> Vec<String> {
    let mut notes = Vec::new();
    for row in rows.iter().filter(|row| row.partial) {
        notes.push(format!(
            "{PARTIAL} {} is partial: {} of {} scored, {} failed, {} unscored{}.",
            row.label,
            row.scored,
            counted(row.expected, "output"),
            row.failed,
            row.unscored,
            states(&row.unscored_by)
        ));
    }
    notes.extend(engines(inputs, rows));
    notes.extend(of_runs(inputs, rows));
    notes
}

/// The notes of the runs, each once. Where there are several rows, a note with a count names its rows, and so
/// does a note that not all rows have.
fn of_runs(inputs: &[TableInput<'_>], rows: &[Row]) -> Vec<String> {
    let mut told: Vec<(&str, Vec<usize>)> = Vec::new();
    for (at, input) in inputs.iter().enumerate() {
        for note in &input.summary.notes {
            match told.iter_mut().find(|(known, _)| known == note) {
                Some((_, of)) if of.contains(&at) => {}
                Some((_, of)) => of.push(at),
                None => told.push((note, vec![at])),
            }
        }
    }
    let counts = |note: &str| note.starts_with(|first: char| first.is_ascii_digit());
    let told = told.into_iter().map(|(note, of)| {
        let shared = of.len() == rows.len();
        if rows.len() == 1 || shared && !counts(note) {
            return note.to_owned();
        }
        let labels: Vec<&str> = of.iter().map(|at| rows[*at].label.as_str()).collect();
        format!("{}: {note}", labels.join(", "))
    });
    told.collect()
}

/// Says who read which row, where the rows' texts were read by different OCR engines.
fn engines(inputs: &[TableInput<'_>], rows: &[Row]) -> Option<String> {
    let mut readers: Vec<(String, Vec<&str>)> = Vec::new();
    for (input, row) in inputs.iter().zip(rows) {
        let engines = input.summary.extra.get(Summary::READ_BY);
        let engines = engines.and_then(|engines| engines.as_array());
        let Some(engines) = engines else {
            continue;
        };
        let names: Vec<&str> = engines.iter().filter_map(|name| name.as_str()).collect();
        let names = names.join(" and ");
        match readers.iter_mut().find(|(known, _)| *known == names) {
            Some((_, labels)) => labels.push(&row.label),
            None => readers.push((names, vec![&row.label])),
        }
    }
    if readers.len() < 2 {
        return None;
    }
    let read: Vec<String> = readers
        .iter()
        .map(|(names, labels)| format!("{} by {names}", labels.join(", ")))
        .collect();
    Some(format!(
        "The texts were read by different OCR engines, so the rows are not comparable with each other: {}.",
        read.join("; ")
    ))
}
