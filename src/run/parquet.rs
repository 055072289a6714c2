//! `grades.parquet`: one row an output, one column a tag and a part.

use super::error::RunError;
use super::store::write_durable;
use crate::record::Grade;
use polars::prelude::*;
use std::collections::BTreeSet;
use std::path::Path;

/// Writes grades as a Parquet table: `item, repeat, score, correct, reason, unscored`, then `tag.*` and `part.*`.
///
/// # Errors
/// When the file cannot be written.
pub fn write_grades(path: &Path, grades: &[Grade]) -> Result<(), RunError> {
    let failed = |error: PolarsError| {
        RunError::Invalid(format!("cannot write `{}`: {error}", path.display()))
    };
    let mut columns: Vec<Column> = vec![
        Column::new("item".into(), strings(grades, |grade| Some(&grade.item))),
        Column::new(
            "repeat".into(),
            grades
                .iter()
                .map(|grade| grade.repeat)
                .collect::<Vec<u32>>(),
        ),
        Column::new(
            "score".into(),
            grades
                .iter()
                .map(|grade| grade.score)
                .collect::<Vec<Option<f64>>>(),
        ),
        Column::new(
            "correct".into(),
            grades
                .iter()
                .map(|grade| grade.correct)
                .collect::<Vec<Option<bool>>>(),
        ),
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
        let values: Vec<Option<f64>> = grades
            .iter()
            .map(|grade| grade.parts.get(part).copied())
            .collect();
        columns.push(Column::new(format!("part.{part}").into(), values));
    }
    let mut frame = DataFrame::new(grades.len(), columns).map_err(failed)?;
    let mut bytes = Vec::new();
    ParquetWriter::new(&mut bytes)
        .finish(&mut frame)
        .map_err(failed)?;
    write_durable(path, &bytes)
}

fn strings<'a>(
    grades: &'a [Grade],
    of: impl Fn(&'a Grade) -> Option<&'a str>,
) -> Vec<Option<&'a str>> {
    grades.iter().map(of).collect()
}
