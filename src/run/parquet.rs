//! Grades as tables: one row for each output, one column a tag and a part.

use super::error::RunError;
use crate::files::write_durable;
use crate::parquet::{Column, ParquetFile};
use crate::record::Grade;
use crate::table::FormatError;
use crate::table::formats::{CSV, csv, of_file, parquet};
use crate::table::records::{Builder, Records};
use polars_arrow::array::{BooleanArray, PrimitiveArray, Utf8ViewArray};
use polars_arrow::datatypes::ArrowDataType;
use std::collections::{BTreeMap, BTreeSet};
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
    let file = ParquetFile::open(path)?;
    let names = file.fields().iter().map(|field| field.name.as_str());
    let parts = names.filter(|name| name.starts_with("part."));
    let parts: Vec<&str> = parts.collect();
    let mut before = 0;
    for (group, rows) in file.groups().into_iter().enumerate() {
        let columns = GradeColumns::read(&file, group, &parts)?;
        let mut grade = Grade::default();
        for row in 0..rows {
            let named = columns.fill(row, &mut grade);
            named.ok_or_else(|| format!("row {} does not name an output", before + row + 1))?;
            see(&grade);
        }
        before += rows;
    }
    Ok(())
}

/// The columns that scores are computed from, of one group of rows.
struct GradeColumns<'a> {
    item: Column,
    repeat: Column,
    score: Column,
    correct: Column,
    /// Each with the name of the part.
    parts: Vec<(&'a str, Column)>,
}

impl<'a> GradeColumns<'a> {
    fn read(file: &ParquetFile, group: usize, parts: &[&'a str]) -> Result<Self, String> {
        let own = ["item", "repeat", "score", "correct"];
        let wanted: Vec<&str> = own.iter().chain(parts).copied().collect();
        file.check_size(group, &wanted)?;
        let column = |name: &str, kind: ArrowDataType| {
            let wrong =
                |problem| format!("it is not a table of grades: the column `{name}`: {problem}");
            let column = file.column(group, name).map_err(wrong)?;
            match column.at(0) {
                Some((array, _)) if *array.dtype() != kind => Err(wrong(format!(
                    "{kind:?} is expected, not {:?}",
                    array.dtype()
                ))),
                _ => Ok(column),
            }
        };
        let parts = parts.iter().map(|name| {
            let part = name.strip_prefix("part.").unwrap_or(name);
            Ok((part, column(name, ArrowDataType::Float64)?))
        });
        Ok(Self {
            item: column("item", ArrowDataType::Utf8View)?,
            repeat: column("repeat", ArrowDataType::UInt32)?,
            score: column("score", ArrowDataType::Float64)?,
            correct: column("correct", ArrowDataType::Boolean)?,
            parts: parts.collect::<Result<_, String>>()?,
        })
    }

    /// Makes the grade that of a row; none where the row does not name an output.
    fn fill(&self, row: usize, grade: &mut Grade) -> Option<()> {
        let item = self
            .item
            .value::<Utf8ViewArray, _>(row, Utf8ViewArray::value)?;
        grade.item.clear();
        grade.item.push_str(item);
        grade.repeat = self.repeat.value(row, PrimitiveArray::<u32>::value)?;
        grade.score = self.score.value(row, PrimitiveArray::<f64>::value);
        grade.correct = self.correct.value(row, BooleanArray::value);
        if !self.parts.is_empty() {
            let known = self.parts.iter().filter_map(|(name, column)| {
                let value = column.value(row, PrimitiveArray::<f64>::value)?;
                Some(((*name).to_owned(), value))
            });
            grade.parts = known.collect::<BTreeMap<_, _>>().into();
        }
        Some(())
    }
}
