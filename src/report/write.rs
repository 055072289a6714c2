//! Everything into one folder: tables, charts, thumbnails and the page.

use super::chart::{self, Drawn};
use super::error::ReportError;
use super::files::{absolute, create, relative, write_file};
use super::gallery::{self, Gallery, Picture};
use super::page::{self, Section};
use super::printed::document;
use super::table::{Row, Table, TableInput, TableSettings};
use super::thumbs;
use super::view::RunView;
use crate::config::PublishedFile;
use crate::table::formats::TERMINAL;
use crate::table::{FORMATS, Window};
use base64::Engine;
use rayon::prelude::*;
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
    /// How many bytes of thumbnails the page has at most. Further thumbnails are files beside it.
    pub inline_bytes: usize,
}

impl Default for ReportOptions {
    fn default() -> Self {
        Self {
            title: None,
            table: TableSettings::default(),
            published: Vec::new(),
            max_outputs: 20_000,
            thumb_side: 320,
            inline_bytes: 24 << 20,
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
    /// Outputs with a card, of all outputs.
    pub shown: usize,
    /// All outputs.
    pub total: usize,
}

/// How many pictures are shrunk at once, which bounds the memory.
const BATCH: usize = 64;

/// Writes `index.html`, `table.*`, `charts/*` and, where needed, `thumbs/*` into `dir`. Every file appears
/// whole or not at all, the page last.
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
    create(dir)?;
    let inputs: Vec<TableInput<'_>> = runs.iter().map(RunView::table_input).collect();
    let tables: Vec<Table> = Table::of_runs(&inputs, options.table)
        .into_iter()
        .map(|table| table.beside(&options.published))
        .collect();
    let mut written = Written::default();
    let document = document(&tables)?;
    for format in FORMATS.iter().filter(|format| **format != &TERMINAL) {
        let path = dir.join("table").with_extension(format.extension);
        write_file(&path, &(format.write)(&document, Window::default())?)?;
        written.files.push(path);
    }
    let mut charts = tables
        .par_iter()
        .map(|table| chart::of_suite(table, &runs_of(table, runs)))
        .collect::<Result<Vec<Vec<Drawn>>, ReportError>>()?;
    // Two versions of a suite have one table each.
    chart::distinct(charts.iter_mut().flatten());
    create(&dir.join("charts"))?;
    for drawn in charts.iter().flatten() {
        let path = dir.join("charts").join(&drawn.name);
        for (extension, bytes) in [("svg", drawn.svg.as_bytes()), ("png", &drawn.png[..])] {
            let path = path.with_added_extension(extension);
            write_file(&path, bytes)?;
            written.files.push(path);
        }
    }
    let labels: Vec<String> = runs.iter().map(|run| label(run, &tables)).collect();
    let mut gallery = gallery::collect(runs, &labels, options.max_outputs);
    illustrate(&mut gallery, dir, options, &mut written)?;
    let sections: Vec<Section<'_>> = tables
        .iter()
        .zip(&charts)
        .map(|(table, charts)| Section { table, charts })
        .collect();
    let html = page::render(&sections, runs, &labels, &gallery, options.title.as_deref())?;
    written.page = dir.join("index.html");
    write_file(&written.page, html.as_bytes())?;
    (written.shown, written.total) = (gallery.shown, gallery.total);
    Ok(written)
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

/// Makes the thumbnails: inside the page while there is room, as files beside it after that.
fn illustrate(
    gallery: &mut Gallery,
    dir: &Path,
    options: &ReportOptions,
    written: &mut Written,
) -> Result<(), ReportError> {
    let here = absolute(dir).unwrap_or_else(|| dir.to_owned());
    let mut pictures: Vec<&mut Picture> = gallery
        .items
        .iter_mut()
        .flat_map(|item| {
            let outputs = item
                .outputs
                .iter_mut()
                .filter_map(|output| output.picture.as_mut());
            item.inputs.iter_mut().chain(outputs)
        })
        .collect();
    let mut room = options.inline_bytes;
    for (index, batch) in pictures.chunks_mut(BATCH).enumerate() {
        if room == 0 {
            create(&dir.join("thumbs"))?;
        }
        let made: Vec<Made> = batch
            .par_iter()
            .enumerate()
            .map(|(offset, picture)| {
                let name = thumb_name(picture, options.thumb_side, index * BATCH + offset);
                let reusable = room == 0
                    && picture.sha256.is_some()
                    && picture.width > 0
                    && dir.join(&name).is_file();
                if reusable {
                    return Made::Kept(name);
                }
                match thumbs::make(&picture.path, options.thumb_side) {
                    Ok(thumb) => Made::New(name, thumb),
                    Err(problem) => Made::Problem(problem),
                }
            })
            .collect();
        for (picture, made) in batch.iter_mut().zip(made) {
            picture.link = relative(&here, &picture.path);
            match made {
                Made::Problem(problem) => picture.problem = Some(problem),
                Made::Kept(name) => {
                    picture.thumb = Some(name);
                    written.thumbs_linked += 1;
                }
                Made::New(name, thumb) => {
                    (picture.width, picture.height) = (thumb.width, thumb.height);
                    let text = base64::engine::general_purpose::STANDARD.encode(&thumb.jpeg);
                    if text.len() <= room {
                        room -= text.len();
                        picture.thumb = Some(format!("data:image/jpeg;base64,{text}"));
                        written.thumbs_inline += 1;
                    } else {
                        room = 0;
                        create(&dir.join("thumbs"))?;
                        write_file(&dir.join(&name), &thumb.jpeg)?;
                        picture.thumb = Some(name);
                        written.thumbs_linked += 1;
                    }
                }
            }
        }
    }
    Ok(())
}

enum Made {
    New(String, thumbs::Thumb),
    /// Made by an earlier report of the same picture.
    Kept(String),
    Problem(String),
}

fn thumb_name(picture: &Picture, side: u32, place: usize) -> String {
    match picture.sha256.as_deref() {
        Some(sha256) if sha256.len() >= 24 && sha256.bytes().all(|b| b.is_ascii_hexdigit()) => {
            format!("thumbs/{}-{side}.jpg", &sha256[..24])
        }
        _ => format!("thumbs/{place:06}-{side}.jpg"),
    }
}
