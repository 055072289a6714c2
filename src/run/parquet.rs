//! Grades as tables: one row an output, one column a tag and a part.

use super::error::RunError;
use crate::files::write_durable;
use crate::guard::guarded;
use crate::record::Grade;
use polars::prelude::*;
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
/// When the file cannot be written.
pub fn write_grades(path: &Path, grades: &[Grade]) -> Result<(), RunError> {
    let grades: Vec<&Grade> = grades.iter().collect();
    let bytes = DataFrame::new(grades.len(), columns(&grades)).and_then(parquet);
    Ok(write_durable(
        path,
        &bytes.map_err(|error| failed(path, &error))?,
    )?)
}

/// Writes the grades of several runs as one table, Parquet or, where the file is so named, CSV: `suite,
/// suite_version, model, run`, then the columns of `write_grades`.
///
/// # Errors
/// When the file cannot be written.
pub fn write_items(path: &Path, runs: &[RunGrades]) -> Result<(), RunError> {
    let rows: Vec<(&RunGrades, &Grade)> = runs
        .iter()
        .flat_map(|run| run.grades.iter().map(move |grade| (run, grade)))
        .collect();
    let of_run = |name: &str, of: fn(&RunGrades) -> &str| {
        let values: Vec<&str> = rows.iter().map(|(run, _)| of(run)).collect();
        Column::new(name.into(), values)
    };
    let mut all = vec![
        of_run("suite", |run| &run.suite),
        of_run("suite_version", |run| &run.suite_version),
        of_run("model", |run| &run.model),
        of_run("run", |run| &run.run),
    ];
    let grades: Vec<&Grade> = rows.iter().map(|(_, grade)| *grade).collect();
    all.extend(columns(&grades));
    let bytes = DataFrame::new(rows.len(), all).and_then(match path.extension() {
        Some(extension) if extension == "csv" => csv,
        _ => parquet,
    });
    Ok(write_durable(
        path,
        &bytes.map_err(|error| failed(path, &error))?,
    )?)
}

fn failed(path: &Path, error: &PolarsError) -> RunError {
    RunError::Invalid(format!("cannot write `{}`: {error}", path.display()))
}

fn parquet(mut frame: DataFrame) -> PolarsResult<Vec<u8>> {
    let mut bytes = Vec::new();
    ParquetWriter::new(&mut bytes).finish(&mut frame)?;
    Ok(bytes)
}

fn csv(mut frame: DataFrame) -> PolarsResult<Vec<u8>> {
    let mut bytes = Vec::new();
    CsvWriter::new(&mut bytes)
        .with_line_terminator("\r\n".into())
        .finish(&mut frame)?;
    Ok(bytes)
}

fn columns(grades: &[&Grade]) -> Vec<Column> {
    let numbers = |of: &dyn Fn(&Grade) -> Option<f64>| -> Vec<Option<f64>> {
        grades.iter().map(|grade| of(grade)).collect()
    };
    let repeats: Vec<u32> = grades.iter().map(|grade| grade.repeat).collect();
    let correct: Vec<Option<bool>> = grades.iter().map(|grade| grade.correct).collect();
    let mut columns: Vec<Column> = vec![
        Column::new("item".into(), strings(grades, |grade| Some(&grade.item))),
        Column::new("repeat".into(), repeats),
        Column::new("score".into(), numbers(&|grade| grade.score)),
        Column::new("correct".into(), correct),
        Column::new(
            "reason".into(),
            strings(grades, |grade| Some(&grade.reason)),
        ),
        Column::new(
            "unscored".into(),
            strings(grades, |grade| grade.unscored.as_deref()),
        ),
    ];
    let tags: BTreeSet<&String> = grades.iter().flat_map(|grade| grade.tags.keys()).collect();
    for tag in tags {
        let values = strings(grades, |grade| grade.tags.get(tag).map(String::as_str));
        columns.push(Column::new(format!("tag.{tag}").into(), values));
    }
    let parts: BTreeSet<&String> = grades.iter().flat_map(|grade| grade.parts.keys()).collect();
    for part in parts {
        let values = numbers(&|grade| grade.parts.get(part).copied());
        columns.push(Column::new(format!("part.{part}").into(), values));
    }
    columns
}

fn strings<'a>(
    grades: &[&'a Grade],
    of: impl Fn(&'a Grade) -> Option<&'a str>,
) -> Vec<Option<&'a str>> {
    grades.iter().map(|grade| of(grade)).collect()
}

/// Shows every grade of the table, with what scores are computed from: item, repeat, score, `correct` and
/// parts. The record is the same one each time.
///
/// # Errors
/// When the file is absent, damaged or no such table; the reason, in words.
pub fn read_grades(path: &Path, mut see: impl FnMut(&Grade)) -> Result<(), String> {
    let frame = guarded(|| frame(path))?;
    let wrong = |error: PolarsError| format!("it is no table of grades: {error}");
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
            return Err(format!("row {} names no output", row + 1));
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
