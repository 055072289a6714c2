//! Grades as tables: one row an output, one column a tag and a part.

use super::error::RunError;
use super::store::write_durable;
use crate::record::Grade;
use polars::prelude::*;
use std::collections::BTreeSet;
use std::path::Path;

/// The grades of one run, for a table of several.
#[derive(Debug, Clone)]
pub struct RunGrades {
    pub suite: String,
    pub suite_version: String,
    pub model: String,
    pub run: String,
    pub grades: Vec<Grade>,
}

/// Writes grades as a Parquet table: `item, repeat, score, correct, reason, unscored`, then `tag.*` and `part.*`.
///
/// # Errors
/// When the file cannot be written.
pub fn write_grades(path: &Path, grades: &[Grade]) -> Result<(), RunError> {
    let grades: Vec<&Grade> = grades.iter().collect();
    let bytes = DataFrame::new(grades.len(), columns(&grades)).and_then(parquet);
    write_durable(path, &bytes.map_err(|error| failed(path, &error))?)
}

/// Writes the grades of several runs as one table, Parquet or, where the file is so named, CSV: `suite, suite_version,
/// model, run`, then the columns of [`write_grades`].
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
    write_durable(path, &bytes.map_err(|error| failed(path, &error))?)
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
