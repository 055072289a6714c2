//! Reads graded runs for exports.

use super::{SessionError, open_graded, read_outcomes};
use crate::compare::standard_error;
use crate::config::Metric;
use crate::record::{Output, Summary};
use crate::report::exports::ExportedRun;
use crate::run::{Stream, read_all, read_json};
use std::collections::HashMap;
use std::path::Path;

/// Reads a graded run folder with all that an export needs; the records of the outputs only if they are
/// wanted.
///
/// # Errors
/// Fails if it is not a run folder, is not graded yet, or its rule is not known to this version.
pub fn read_export(path: &Path, with_outputs: bool) -> Result<ExportedRun, SessionError> {
    let (folder, manifest) = open_graded(path)?;
    let summary: Summary = read_json(&folder.summary())?;
    let outcomes = read_outcomes(path)?;
    let error = |metric: &Metric, value: Option<f64>| standard_error(&outcomes, metric, value?);
    let group_errors = summary.groups.iter().map(|group| {
        let (by, key) = (group.by.clone(), group.key.clone());
        error(&Metric::Group { by, key }, group.value)
    });
    let mut outputs = Vec::new();
    if with_outputs {
        let all: Vec<Output> = read_all(&folder.stream(Stream::Outputs, None))?;
        outputs = last_of_each(all);
    }
    Ok(ExportedRun {
        error: error(&Metric::Overall, summary.overall.value),
        group_errors: group_errors.collect(),
        manifest: read_json(&folder.manifest())?,
        items: read_all(&folder.items())?,
        grades: read_all(&folder.grades())?,
        outputs,
        started: manifest.started,
        finished: manifest.finished,
        summary,
    })
}

/// The last record of each output, since a journal keeps the earlier ones, too.
fn last_of_each(all: Vec<Output>) -> Vec<Output> {
    let mut places: HashMap<(String, u32), usize> = HashMap::new();
    let mut last: Vec<Output> = Vec::new();
    for output in all {
        let at = *places
            .entry((output.item.clone(), output.repeat))
            .or_insert(last.len());
        match last.get_mut(at) {
            Some(earlier) => *earlier = output,
            None => last.push(output),
        }
    }
    last
}
