//! The page of what was run together.

use super::{MadeRun, RunTarget, SessionError, read_view};
use crate::config::PublishedFile;
use crate::report::{self, ReportOptions, RunView};
use std::path::{Path, PathBuf};

/// Writes the page of a study, or the comparison of several runs, below `out`, and says where the page is. A
/// run alone has its page already.
///
/// # Errors
/// Fails if a run is not graded yet, or the page cannot be written.
pub fn write_page(
    target: &RunTarget,
    out: &Path,
    made: &[MadeRun],
    published: &[PublishedFile],
) -> Result<PathBuf, SessionError> {
    let mut summaries = made.iter().filter_map(|run| run.summary.as_ref());
    let (folder, options) = match (&target.study, made, summaries.next()) {
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
        .map(|run| read_view(run.folder.root()))
        .collect::<Result<_, _>>()?;
    report::write(&folder, &views, &options)?;
    Ok(page_of(&folder))
}

fn page_of(report: &Path) -> PathBuf {
    report.join("index.html")
}
