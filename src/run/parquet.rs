//! Grades as tables: one row for each output, one column a tag and a part.

use super::error::RunError;
use crate::files::write_durable;
use crate::guard::guarded;
use crate::record::Grade;
use crate::table::FormatError;
use crate::table::formats::{CSV, csv, of_file, parquet};
use crate::table::records::{Builder, Records};
use polars::prelude::{
    DataFrame, Float64Chunked, ParallelStrategy, ParquetReader, PolarsError, SerReader as _,
};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::Path;

/// The grades of one run, for a table of several.
#[derive(Debug, Clone)]
pub struct RunGrades {
    /// The suite's short name.
    pub suite: String,
    /// The suite's version.
    pub suite_version: String,
    /// The model's short name.
    pub model: String,
    /// The name of the run.
    pub run: String,
    /// One for each output.
    pub grades: Vec<Grade>,
}

/// Writes grades as a Parquet table: `item, repeat, score, correct, reason, unscored`, then `tag.*` and
/// `part.*`.
///
/// # Errors
/// Fails if the file cannot be written.
pub(super) fn write_grades(path: &Path, grades: &[Grade]) -> Result<(), RunError> {
    let rows: Vec<&Grade> = grades.iter().collect();
    let records = with_grades(Records::rows(&rows), &rows, |grade| grade);
    let bytes = parquet::compressed(&records).map_err(|error| failed(path, &error))?;
    Ok(write_durable(path, &bytes)?)
}

/// Writes the grades of several runs as one table, Parquet or, where the file is so named, CSV: `suite,
/// suite_version, model, run`, then the columns of `write_grades`.
///
/// # Errors
/// Fails if the file cannot be written.
pub fn write_items(path: &Path, runs: &[RunGrades]) -> Result<(), RunError> {
    let mut rows: Vec<(&RunGrades, &Grade)> = Vec::new();
    for run in runs {
        rows.extend(run.grades.iter().map(|grade| (run, grade)));
    }
    let records = Records::rows(&rows)
        .text("suite", |(run, _)| Some(run.suite.as_str()))
        .text("suite_version", |(run, _)| Some(run.suite_version.as_str()))
        .text("model", |(run, _)| Some(run.model.as_str()))
        .text("run", |(run, _)| Some(run.run.as_str()));
    let records = with_grades(records, &rows, |(_, grade)| grade);
    let bytes = if of_file(path) == Some(&CSV) {
        csv::table(&records).into_bytes()
    } else {
        parquet::compressed(&records).map_err(|error| failed(path, &error))?
    };
    Ok(write_durable(path, &bytes)?)
}

fn failed(path: &Path, error: &FormatError) -> RunError {
    RunError::Invalid(format!(
        "cannot write `{}`: {}",
        path.display(),
        error.message
    ))
}

/// Adds the columns of the grade that each row has.
fn with_grades<'r, 'a, T>(
    records: Builder<'r, 'a, T>,
    rows: &'r [T],
    grade: impl Fn(&'r T) -> &'a Grade,
) -> Records<'a> {
    let mut records = records
        .text("item", |row| Some(grade(row).item.as_str()))
        .small("repeat", |row| Some(grade(row).repeat))
        .number("score", |row| grade(row).score)
        .truth("correct", |row| grade(row).correct)
        .text("reason", |row| Some(grade(row).reason.as_str()))
        .text("unscored", |row| grade(row).unscored.as_deref());
    let tags: BTreeSet<&String> = rows.iter().flat_map(|row| grade(row).tags.keys()).collect();
    for tag in tags {
        let value = |row: &'r T| grade(row).tags.get(tag).map(String::as_str);
        records = records.text(format!("tag.{tag}"), value);
    }
    let parts: BTreeSet<&String> = rows
        .iter()
        .flat_map(|row| grade(row).parts.keys())
        .collect();
    for part in parts {
        let value = |row: &'r T| grade(row).parts.get(part).copied();
        records = records.number(format!("part.{part}"), value);
    }
    records.build()
}

/// Shows every grade of the table, with what scores are computed from: item, repeat, score, `correct` and
/// parts. The record is the same one each time.
///
/// # Errors
/// When the file is absent, damaged or no such table; the reason, in words.
pub fn read_grades(path: &Path, mut see: impl FnMut(&Grade)) -> Result<(), String> {
    let frame = guarded(|| frame(path))?;
    let wrong = |error: PolarsError| format!("it is not a table of grades: {error}");
    let column = |name: &str| frame.column(name).map_err(wrong);
    let items = column("item")?.str().map_err(wrong)?;
    let repeats = column("repeat")?.u32().map_err(wrong)?;
    let scores = column("score")?.f64().map_err(wrong)?;
    let rights = column("correct")?.bool().map_err(wrong)?;
    let names = frame.get_column_names();
    let parts = names.iter().filter_map(|name| name.strip_prefix("part."));
    let parts: Vec<(String, &Float64Chunked)> = parts
        .map(|name| {
            let values = column(&format!("part.{name}"))?.f64().map_err(wrong)?;
            Ok((name.to_owned(), values))
        })
        .collect::<Result<_, String>>()?;
    let mut grade = Grade::default();
    for row in 0..frame.height() {
        let (Some(item), Some(repeat)) = (items.get(row), repeats.get(row)) else {
            return Err(format!("row {} does not name an output", row + 1));
        };
        grade.item.clear();
        grade.item.push_str(item);
        grade.repeat = repeat;
        grade.score = scores.get(row);
        grade.correct = rights.get(row);
        if !parts.is_empty() {
            let known = parts.iter();
            let known = known.filter_map(|(name, values)| Some((name.clone(), values.get(row)?)));
            grade.parts = known.collect::<BTreeMap<_, _>>().into();
        }
        see(&grade);
    }
    Ok(())
}

/// The columns that scores are computed from.
fn frame(path: &Path) -> Result<DataFrame, String> {
    let failed = |error: PolarsError| error.to_string();
    let open = || File::open(path).map_err(|error| error.to_string());
    let schema = ParquetReader::new(open()?).schema().map_err(failed)?;
    let wanted = schema.iter_names().filter(|name| {
        matches!(name.as_str(), "item" | "repeat" | "score" | "correct")
            || name.starts_with("part.")
    });
    let wanted: Vec<String> = wanted.map(ToString::to_string).collect();
    ParquetReader::new(open()?)
        .with_columns(Some(wanted))
        .read_parallel(ParallelStrategy::None)
        .finish()
        .map_err(failed)
}
