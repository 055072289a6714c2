//! The parts of a graded run that a report shows.

use super::summary::{model_title, open_graded};
use super::{SessionError, TitledSummary};
use crate::record::Grade;
use crate::report::{self, ReportOptions, RunView};
use crate::run::{Manifest, Records, RunFolder, Scored, read_all, read_json};
use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

/// Largest number of outputs that the report gets for its gallery. It shows fewer.
const GALLERY_POOL: usize = 60_000;

/// Reads a graded run folder for a report or a comparison.
///
/// # Errors
/// Fails if it is not a run folder, or is not graded yet.
pub fn read_view(path: &Path) -> Result<RunView, SessionError> {
    let (folder, manifest) = open_graded(path)?;
    let scored = Scored {
        records: Records::of_run(&folder, None)?,
        grades: read_all(&folder.grades())?,
        summary: read_json(&folder.summary())?,
    };
    run_view(&folder, &manifest, scored)
}

/// Writes the report of one run into its folder, and gives the summary back.
///
/// # Errors
/// Fails if the report cannot be written.
pub(super) fn report_graded(
    folder: &RunFolder,
    manifest: &Manifest,
    scored: Scored,
) -> Result<TitledSummary, SessionError> {
    let summary = TitledSummary::new(scored.summary.clone(), manifest);
    let view = run_view(folder, manifest, scored)?;
    report::write(
        &folder.report(),
        std::slice::from_ref(&view),
        &ReportOptions::default(),
    )?;
    Ok(summary)
}

fn run_view(
    folder: &RunFolder,
    manifest: &Manifest,
    mut scored: Scored,
) -> Result<RunView, SessionError> {
    thin_records(&mut scored);
    let manifest_json =
        serde_json::to_value(manifest).map_err(|error| SessionError::Unwritable {
            record: "the manifest",
            reason: error.to_string(),
        })?;
    Ok(RunView {
        dir: folder.root().to_path_buf(),
        suite: manifest.suite.name().to_owned(),
        suite_title: manifest.suite.title().to_owned(),
        suite_version: manifest.suite.version().to_owned(),
        model: manifest.model.name().to_owned(),
        model_title: model_title(manifest, &scored.summary.judges),
        run: manifest.run.clone(),
        variant_notes: scored.summary.notes.clone(),
        manifest: manifest_json,
        summary: scored.summary,
        items: scored.records.items,
        outputs: scored.records.outputs.unwrap_or_default(),
        evidence: scored.records.evidence,
        grades: scored.grades,
    })
}

/// Keeps a part of a huge run for the gallery: items with something wrong first, and others at equal steps.
fn thin_records(scored: &mut Scored) {
    if scored.grades.len() <= GALLERY_POOL {
        return;
    }
    let wrong = |grade: &Grade| grade.score.is_none() || grade.correct == Some(false);
    let (bad, good): (Vec<&Grade>, Vec<&Grade>) =
        scored.grades.iter().partition(|grade| wrong(grade));
    let step = (good.len() / (GALLERY_POOL / 2)).max(1);
    let kept: HashSet<&str> = bad
        .into_iter()
        .take(GALLERY_POOL / 2)
        .chain(good.into_iter().step_by(step))
        .map(|grade| grade.item.as_str())
        .collect();
    let records = &mut scored.records;
    let items = records
        .items
        .iter()
        .filter(|item| kept.contains(item.item.as_str()));
    records.items = Arc::new(items.cloned().collect());
    records
        .evidence
        .retain(|evidence| kept.contains(evidence.item.as_str()));
    records.evidence.shrink_to_fit();
    if let Some(outputs) = &mut records.outputs {
        outputs.retain(|output| kept.contains(output.item.as_str()));
        outputs.shrink_to_fit();
    }
}
