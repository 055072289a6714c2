//! Writes a study into one folder: page, tables and charts.

use super::{Study, charts, long, page};
use crate::report::ReportError;
use crate::report::chart::{self, Drawn};
use crate::report::files::{create, write_file};
use crate::table::formats::{CSV, LATEX, MARKDOWN};
use crate::table::{Document, Window};
use rayon::prelude::*;
use std::path::{Path, PathBuf};

/// The files that were written.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct Written {
    /// The HTML page.
    pub page: PathBuf,
    /// Tables and charts.
    pub files: Vec<PathBuf>,
}

/// Writes `index.html`, `study.json`, `table.{md,tex,csv}` and `charts/*` into `dir`, the page last. `titles`
/// are the names of the levels.
///
/// # Errors
/// Fails if a chart cannot be drawn or the folder cannot be written to.
pub fn write(dir: &Path, study: &Study, titles: &[String]) -> Result<Written, ReportError> {
    create(&dir.join("charts"))?;
    let mut drawn: Vec<Vec<Drawn>> = study
        .sections
        .par_iter()
        .map(|section| charts::of_section(study, section))
        .collect::<Result<_, _>>()?;
    let mut curves = charts::of_series(study, titles)?;
    chart::distinct(drawn.iter_mut().flatten().chain(&mut curves));
    let mut written = Written::default();
    let mut save = |path: PathBuf, bytes: &[u8]| {
        write_file(&path, bytes)?;
        written.files.push(path);
        Ok::<(), ReportError>(())
    };
    let document = Document {
        grids: study.grids(),
        records: long::records(study),
        ..Document::default()
    };
    for format in [&MARKDOWN, &LATEX, &CSV] {
        let bytes = (format.write)(&document, Window::default())?;
        save(dir.join("table").with_extension(format.extension), &bytes)?;
    }
    let json =
        serde_json::to_vec_pretty(study).map_err(|error| ReportError::Page(error.to_string()))?;
    save(dir.join("study.json"), &json)?;
    for chart in drawn.iter().flatten().chain(&curves) {
        let path = dir.join("charts").join(&chart.name);
        save(path.with_added_extension("svg"), chart.svg.as_bytes())?;
        save(path.with_added_extension("png"), &chart.png)?;
    }
    let html = page::render(study, &drawn, &curves, dir)?;
    written.page = dir.join("index.html");
    write_file(&written.page, html.as_bytes())?;
    Ok(written)
}
