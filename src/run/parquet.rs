//! `grades.parquet`: one row an output, one column a tag and a part.

use super::error::RunError;
use super::store::write_durable;
use crate::guard::guarded;
use crate::record::Grade;
use polars::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
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

/// Shows every grade of the table, with what scores are computed from: item, repeat, score, `correct` and parts. The record
/// is the same one each time.
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
