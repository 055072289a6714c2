//! The files of a verdict, apart from its page.

use super::summary;
use super::verdict::Verdict;
use crate::compare::PlacedComparison;
use crate::files::write_durable;
use crate::run::{RunError, write_json};
use std::path::Path;

/// Writes `verdict.json`, `junit.xml` and `summary.md` into a folder. `junit` is the JUnit XML of the
/// verdict.
///
/// # Errors
/// Fails if the folder cannot be written.
pub fn write_files(
    dir: &Path,
    verdict: &Verdict,
    comparisons: &[PlacedComparison],
    junit: &str,
) -> Result<(), RunError> {
    write_json(&dir.join("verdict.json"), verdict)?;
    write_durable(&dir.join("junit.xml"), junit.as_bytes())?;
    let summary = summary::render(verdict, comparisons);
    Ok(write_durable(&dir.join("summary.md"), summary.as_bytes())?)
}
