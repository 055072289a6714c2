//! Everything into one folder: tables, charts, thumbnails, cards and the page.

use super::chart::{self, Drawn};
use super::error::ReportError;
use super::folder::PageFolder;
use super::gallery::{self, Gallery, Picture, Scripts};
use super::page::{self, Section};
use super::printed::document;
use super::table::{Row, Table, TableInput, TableSettings};
use super::thumbs::{Pictured, Place, Thumbs};
use super::view::RunView;
use crate::config::PublishedFile;
use crate::table::formats::TERMINAL;
use crate::table::{FORMATS, Window};
use rayon::prelude::*;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// What goes into a report.
#[derive(Debug, Clone)]
pub struct ReportOptions {
    /// Heading of the page; none takes the titles of the suites.
    pub title: Option<String>,
    /// How the tables are printed.
    pub table: TableSettings,
    /// What papers printed; shown in the tables of their suites.
    pub published: Vec<PublishedFile>,
    /// How many outputs have a card in the gallery at most. Where there are more, the gallery shows a sample
    /// and says so.
    pub max_outputs: usize,
    /// Longer side of a thumbnail, in pixels.
    pub thumb_side: u32,
    /// Whether the page has the cards and thumbnails inside, and names no other file.
    pub single_file: bool,
}

impl Default for ReportOptions {
    fn default() -> Self {
        Self {
            title: None,
            table: TableSettings::default(),
            published: Vec::new(),
            max_outputs: 20_000,
            thumb_side: 320,
            single_file: false,
        }
    }
}

/// What was written.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct Written {
    /// The HTML page.
    pub page: PathBuf,
    /// Tables and charts.
    pub files: Vec<PathBuf>,
    /// Thumbnails inside the page.
    pub thumbs_inline: usize,
    /// Thumbnails beside the page.
    pub thumbs_linked: usize,
    /// Thumbnails that an earlier report made.
    pub thumbs_kept: usize,
    /// Outputs with a card, of all outputs.
    pub shown: usize,
    /// All outputs.
    pub total: usize,
}

/// Writes `index.html`, `table.*`, `charts/*`, `cards/*` and `thumbs/*` into `dir`; a page that is a single
/// file has no cards and thumbnails beside it. A report that fails leaves an earlier one as it was.
///
/// # Errors
/// Fails if there is no run, the folder cannot be written to, or an export fails. A broken picture is not an
/// error: its card says so.
pub fn write(
    dir: &Path,
    runs: &[RunView],
    options: &ReportOptions,
) -> Result<Written, ReportError> {
    if runs.is_empty() {
        return Err(ReportError::NoRuns);
    }
    let mut folder = PageFolder::open(dir)?;
    let inputs: Vec<TableInput<'_>> = runs.iter().map(RunView::table_input).collect();
    let tables: Vec<Table> = Table::of_runs(&inputs, options.table)
        .into_iter()
        .map(|table| table.beside(&options.published))
        .collect();
    let mut charts = tables
        .par_iter()
        .map(|table| chart::of_suite(table, &runs_of(table, runs)))
        .collect::<Result<Vec<Vec<Drawn>>, ReportError>>()?;
    // Two versions of a suite have one table each.
    chart::distinct(charts.iter_mut().flatten());
    let labels: Vec<String> = runs.iter().map(|run| label(run, &tables)).collect();
    let mut gallery = gallery::collect(runs, &labels, options.max_outputs);
    let mut written = Written {
        shown: gallery.shown,
        total: gallery.total,
        ..Written::default()
    };
    let place = if options.single_file {
        Place::Inside
    } else {
        Place::Beside
    };
    let thumbs = Thumbs::new(&folder, options.thumb_side, place);
    illustrate(&mut gallery, &thumbs, &mut written)?;
    let mut used = thumbs.into_used();
    let scripts = match place {
        Place::Inside => Scripts::inside(&gallery)?,
        Place::Beside => Scripts::beside(&gallery, &folder, &mut used)?,
    };
    written.files = stage_tables_and_charts(&mut folder, &tables, &charts)?;
    let sections: Vec<Section<'_>> = tables
        .iter()
        .zip(&charts)
        .map(|(table, charts)| Section { table, charts })
        .collect();
    let html = page::render(
        &sections,
        runs,
        &labels,
        (&gallery, &scripts),
        options.title.as_deref(),
    )?;
    written.page = folder.finish(&html, &used)?;
    Ok(written)
}

/// Writes the tables in every format and the charts, which get their names with the page.
fn stage_tables_and_charts(
    folder: &mut PageFolder,
    tables: &[Table],
    charts: &[Vec<Drawn>],
) -> Result<Vec<PathBuf>, ReportError> {
    let mut files = Vec::new();
    let document = document(tables)?;
    for format in FORMATS.iter().filter(|format| **format != &TERMINAL) {
        let name = format!("table.{}", format.extension);
        let bytes = (format.write)(&document, Window::default())?;
        files.push(folder.stage(&name, &bytes)?);
    }
    for drawn in charts.iter().flatten() {
        for (extension, bytes) in [("svg", drawn.svg.as_bytes()), ("png", &drawn.png[..])] {
            let name = format!("charts/{}.{extension}", drawn.name);
            files.push(folder.stage(&name, bytes)?);
        }
    }
    Ok(files)
}

/// The runs of a table, in its rows' order.
fn runs_of<'a>(table: &Table, runs: &'a [RunView]) -> Vec<&'a RunView> {
    runs.iter()
        .filter(|run| {
            run.summary.suite == table.suite && run.summary.suite_version == table.suite_version
        })
        .collect()
}

/// A run's name as its table prints it.
fn label(run: &RunView, tables: &[Table]) -> String {
    let is_run = |row: &&Row| row.model == run.summary.model && row.run == run.summary.run;
    tables
        .iter()
        .find(|table| {
            table.suite == run.summary.suite && table.suite_version == run.summary.suite_version
        })
        .and_then(|table| table.rows.iter().find(is_run))
        .map_or(run.model_title.clone(), |row| row.label.clone())
}

/// Makes the thumbnails on all cores, those of one file once.
fn illustrate(
    gallery: &mut Gallery,
    thumbs: &Thumbs<'_>,
    written: &mut Written,
) -> Result<(), ReportError> {
    let mut places: HashMap<PathBuf, usize> = HashMap::new();
    let mut pictures: Vec<(PathBuf, Vec<&mut Picture>)> = Vec::new();
    for card in &mut gallery.items {
        let outputs = card.outputs.iter_mut();
        let outputs = outputs.filter_map(|output| output.picture.as_mut());
        for picture in card.inputs.iter_mut().chain(outputs) {
            let place = *places.entry(picture.path.clone()).or_insert_with(|| {
                pictures.push((picture.path.clone(), Vec::new()));
                pictures.len() - 1
            });
            pictures[place].1.push(picture);
        }
    }
    let made = pictures.par_iter().map(|(path, _)| thumbs.pictured(path));
    let made: Vec<Pictured> = made.collect::<Result<_, _>>()?;
    for ((_, shown), made) in pictures.into_iter().zip(made) {
        for picture in shown {
            picture.show(&made);
            match &picture.thumb {
                Some(src) if src.starts_with("data:") => written.thumbs_inline += 1,
                Some(_) => written.thumbs_linked += 1,
                None => {}
            }
            let kept = made.thumb.as_ref().is_ok_and(|thumb| thumb.kept);
            written.thumbs_kept += usize::from(kept);
        }
    }
    Ok(())
}
