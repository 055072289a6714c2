//! The page of what was run together.

use super::{MadeRun, RunTarget, SessionError, TitledSummary, read_view};
use crate::config::PublishedFile;
use crate::report::{self, ReportOptions, RunView};
use std::path::{Path, PathBuf};

/// Writes the page of a study, or the comparison of several runs, below `out`, and says where the page is. A
/// run alone has its page already. The page has the notes of `summaries`, which may say more than those of
/// the runs alone.
///
/// # Errors
/// Fails if a run is not graded yet, or the page cannot be written.
pub fn write_page(
    target: &RunTarget,
    out: &Path,
    made: &[MadeRun],
    summaries: &[TitledSummary],
    published: &[PublishedFile],
) -> Result<PathBuf, SessionError> {
    let (folder, options) = match (&target.study, made, summaries.first()) {
        (Some(study), ..) => {
            let options = ReportOptions {
                title: Some(study.title.clone()),
                published: published.to_vec(),
                ..ReportOptions::default()
            };
            (out.join("studies").join(&study.name), options)
        }
        (None, [run], _) => return Ok(page_of(&run.folder.report())),
        (None, _, first) => {
            let suite = first.map_or("", |first| first.summary.suite.as_str());
            (out.join(suite).join("comparison"), ReportOptions::default())
        }
    };
    let views: Vec<RunView> = made
        .iter()
        .map(|run| Ok(noted(read_view(run.folder.root())?, summaries)))
        .collect::<Result<_, SessionError>>()?;
    report::write(&folder, &views, &options)?;
    Ok(page_of(&folder))
}

/// The run with the notes of its summary among `summaries`.
fn noted(mut view: RunView, summaries: &[TitledSummary]) -> RunView {
    let of_view = |titled: &&TitledSummary| {
        let summary = &titled.summary;
        (&summary.suite, &summary.model, &summary.run) == (&view.suite, &view.model, &view.run)
    };
    if let Some(titled) = summaries.iter().find(of_view) {
        view.summary.notes.clone_from(&titled.summary.notes);
    }
    view
}

fn page_of(report: &Path) -> PathBuf {
    report.join("index.html")
}
