//! Series over steps from logs, which are CSV with a header, or JSON Lines. Only the broken lines of a log
//! are left out.

use crate::report::chart::Point;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// One line of a chart: a column of the files of one level, with one file for each seed.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// The index of the level in the study.
    pub level: usize,
    /// Names of the columns.
    pub step: String,
    /// The name of the value that is read.
    pub value: String,
    /// In the order of the steps.
    pub points: Vec<Point>,
    /// Number of files that were read.
    pub files: usize,
    /// Number of files that could not be read at all.
    pub unread: usize,
    /// Remarks on what could not be read.
    pub notes: Vec<String>,
}

/// Values by step. A value that is not a number is a gap.
type Read = Vec<(f64, f64)>;

/// A larger file is not the log of a training.
const MAX_BYTES: u64 = 1 << 30;

impl Series {
    /// Reads a column of some files: the mean over the files, and a band from the lowest to the highest
    /// value.
    pub fn read(level: usize, files: &[PathBuf], step: &str, value: &str) -> Self {
        let (mut notes, mut unread) = (Vec::new(), 0);
        let mut found: Vec<Read> = Vec::new();
        for file in files {
            match read(file, step, value) {
                Ok((points, None)) => found.push(points),
                Ok((points, Some(note))) => {
                    notes.push(format!("{}: {note}.", file.display()));
                    found.push(points);
                }
                Err(why) => {
                    unread += 1;
                    notes.push(format!("{}: {why}.", file.display()));
                }
            }
        }
        found.retain(|points| !points.is_empty());
        Self {
            level,
            step: step.to_owned(),
            value: value.to_owned(),
            points: merged(&found),
            files: found.len(),
            unread,
            notes,
        }
    }
}

/// The points of a file, sorted by step, and a remark on the lines that were left out.
fn read(file: &Path, step: &str, value: &str) -> Result<(Read, Option<String>), String> {
    let size = std::fs::metadata(file).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        _ => format!("cannot be read ({error})"),
    })?;
    if size.len() > MAX_BYTES {
        return Err("larger than any log (1 GiB)".to_owned());
    }
    let bytes = std::fs::read(file).map_err(|error| format!("cannot be read ({error})"))?;
    let text = String::from_utf8_lossy(&bytes);
    let is_csv = file.extension().is_some_and(|extension| extension == "csv");
    let (rows, torn) = if is_csv {
        csv(&text, step, value)?
    } else {
        json_lines(&text, step, value)?
    };
    // A step that was logged again, as after a resumed training, has its later value.
    let mut by_step: BTreeMap<u64, (f64, f64)> = BTreeMap::new();
    let mut gaps = 0;
    for (x, y) in rows {
        // Adding zero turns −0 into 0, so that there is only one zero.
        let x = x + 0.0;
        gaps += usize::from(!y.is_finite());
        by_step.insert(order(x), (x, y));
    }
    let mut remarks = Vec::new();
    if torn > 0 {
        remarks.push(format!(
            "lines that are torn or lack `{step}` or `{value}`: {torn}"
        ));
    }
    if gaps > 0 {
        remarks.push(format!(
            "values of `{value}` that are not numbers, left as gaps: {gaps}"
        ));
    }
    let note = (!remarks.is_empty()).then(|| remarks.join("; "));
    Ok((by_step.into_values().collect(), note))
}

/// A key with the same order as the number.
fn order(number: f64) -> u64 {
    let bits = number.to_bits();
    match bits >> 63 {
        0 => bits | 1 << 63,
        _ => !bits,
    }
}

/// The rows, and the number of lines that were not rows.
type Rows = (Read, usize);

fn csv(text: &str, step: &str, value: &str) -> Result<Rows, String> {
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let names = reader.headers().map_err(|error| error.to_string())?.clone();
    let column = |name: &str| {
        let place = names.iter().position(|known| known == name);
        let all = || names.iter().collect::<Vec<_>>().join(", ");
        place.ok_or_else(|| format!("it has no column `{name}` (it has: {})", all()))
    };
    let (x, y) = (column(step)?, column(value)?);
    let mut torn = 0;
    let mut rows = Vec::new();
    for record in reader.records() {
        let row = record.ok().filter(|record| record.len() == names.len());
        let row = row.and_then(|record| number(record.get(x)?).zip(value_of(record.get(y)?)));
        match row {
            Some(row) => rows.push(row),
            None => torn += 1,
        }
    }
    Ok((rows, torn))
}

fn json_lines(text: &str, step: &str, value: &str) -> Result<Rows, String> {
    let mut torn = 0;
    let mut rows = Vec::new();
    let mut seen = false;
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        // Python writes NaN and Infinity, which JSON does not have.
        let parsed: Option<Value> = serde_json::from_str(line)
            .or_else(|_| serde_json::from_str(&strict(line)))
            .ok();
        let Some(object) = parsed.as_ref().and_then(Value::as_object) else {
            torn += 1;
            continue;
        };
        // Logs mix lines of several kinds. A line without the value does not concern it.
        let Some(found) = object.get(value) else {
            continue;
        };
        seen = true;
        let y = match found {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => value_of(text),
            Value::Null => Some(f64::NAN),
            _ => None,
        };
        let x = object.get(step).and_then(Value::as_f64);
        match x.zip(y) {
            Some(row) => rows.push(row),
            None => torn += 1,
        }
    }
    if seen {
        Ok((rows, torn))
    } else {
        Err(format!("no line has a `{value}`"))
    }
}

/// A line in which null replaces Python's names for values that are not numbers.
fn strict(line: &str) -> String {
    ["-Infinity", "Infinity", "NaN"]
        .into_iter()
        .fold(line.to_owned(), |line, name| {
            line.replace(&format!(": {name}"), ": null")
                .replace(&format!(":{name}"), ":null")
        })
}

fn number(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|number| number.is_finite())
}

/// A logged value. An empty cell and a NaN are gaps.
fn value_of(text: &str) -> Option<f64> {
    match text {
        "" => Some(f64::NAN),
        text => text.parse().ok(),
    }
}

/// The mean over the files, at every step of any file, up to the last step that all files reach. Values
/// between the steps of a file are interpolated.
fn merged(files: &[Read]) -> Vec<Point> {
    if let [one] = files {
        let point = |(x, y): &(f64, f64)| Point {
            x: *x,
            y: *y,
            band: None,
        };
        return one.iter().map(point).collect();
    }
    let finite: Vec<Read> = files
        .iter()
        .map(|file| {
            file.iter()
                .copied()
                .filter(|(_, y)| y.is_finite())
                .collect()
        })
        .filter(|file: &Read| !file.is_empty())
        .collect();
    let ends = |at: fn(&Read) -> Option<&(f64, f64)>| {
        let ends = finite.iter().filter_map(at).map(|(x, _)| *x);
        ends.collect::<Vec<f64>>()
    };
    let from = ends(|file| file.first())
        .into_iter()
        .fold(f64::NEG_INFINITY, f64::max);
    let to = ends(|file| file.last())
        .into_iter()
        .fold(f64::INFINITY, f64::min);
    let mut steps: Vec<f64> = finite
        .iter()
        .flatten()
        .map(|(x, _)| *x)
        .filter(|x| (from..=to).contains(x))
        .collect();
    steps.sort_by(f64::total_cmp);
    steps.dedup();
    let point = |x: f64| {
        let values: Vec<f64> = finite
            .iter()
            .filter_map(|file| interpolate(file, x))
            .collect();
        Point {
            x,
            y: values.iter().sum::<f64>() / values.len() as f64,
            band: Some((
                values.iter().copied().fold(f64::INFINITY, f64::min),
                values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            )),
        }
    };
    steps.into_iter().map(point).collect()
}

/// The value at a step, interpolated between its neighbours.
fn interpolate(file: &Read, x: f64) -> Option<f64> {
    let next = file.partition_point(|(known, _)| *known < x);
    let (right, up) = *file.get(next)?;
    if right == x {
        return Some(up);
    }
    let (left, down) = *file.get(next.checked_sub(1)?)?;
    Some(down + (up - down) * (x - left) / (right - left))
}
