//! The page of a study, in one file that loads nothing else.

use super::Study;
use super::section::{LevelRow, Section};
use crate::report::chart::Drawn;
use crate::report::{ReportError, files, inline};
use crate::table::formats::html;
use crate::text::count::counted;
use askama::Template;
use std::path::Path;

const STYLE: &str = concat!(
    include_str!("../../templates/report.css"),
    include_str!("../../templates/study.css")
);

#[derive(Template)]
#[template(path = "study.html")]
struct Page<'a> {
    study: &'a Study,
    metric: String,
    incomplete: Vec<String>,
    sections: Vec<Part<'a>>,
    curves: Vec<Figure<'a>>,
    curve_notes: Vec<&'a String>,
    style: &'static str,
    version: &'static str,
}

/// One suite.
struct Part<'a> {
    title: &'a str,
    tables: Vec<String>,
    figures: Vec<Figure<'a>>,
    levels: Vec<Made<'a>>,
}

struct Figure<'a> {
    name: &'a str,
    caption: &'a str,
    svg: String,
}

/// A level's runs.
struct Made<'a> {
    level: &'a LevelRow,
    runs: Vec<Link>,
}

struct Link {
    name: String,
    page: Option<String>,
    value: String,
}

/// The page for the folder `dir`. `charts` are the charts of each section.
///
/// # Errors
/// Fails if the template cannot be filled.
pub(super) fn render(
    study: &Study,
    charts: &[Vec<Drawn>],
    curves: &[Drawn],
    dir: &Path,
) -> Result<String, ReportError> {
    let sections = study.sections.iter().zip(charts);
    let notes = study.series.iter().flat_map(|series| &series.notes);
    let partial = study.sections.iter().flat_map(|section| {
        let valueless = section.valueless().then(|| {
            let (title, metric) = (&section.title, &section.metric);
            format!("{title}: no level has a value for {metric}.")
        });
        let partial = section.levels.iter().filter(|level| level.partial());
        let partial = partial.map(|level| match &level.missing[..] {
            [] => format!(
                "{}, {}: {} of {} outputs scored.",
                section.title, level.title, level.scored, level.expected
            ),
            missing => format!(
                "{}, {}: {} missing.",
                section.title,
                level.title,
                counted(missing.len(), "run")
            ),
        });
        partial.chain(valueless)
    });
    let page = Page {
        study,
        metric: study.metric().to_string(),
        incomplete: partial.collect(),
        sections: sections
            .map(|(section, charts)| part(study, section, charts, dir))
            .collect(),
        curves: curves.iter().map(figure).collect(),
        curve_notes: notes.collect(),
        style: STYLE,
        version: env!("CARGO_PKG_VERSION"),
    };
    page.render()
        .map_err(|error| ReportError::Page(error.to_string()))
}

fn part<'a>(study: &Study, section: &'a Section, charts: &'a [Drawn], dir: &Path) -> Part<'a> {
    Part {
        title: &section.title,
        tables: section.grids(study).iter().map(html::element).collect(),
        figures: charts.iter().map(figure).collect(),
        levels: section
            .levels
            .iter()
            .map(|level| made(section, level, dir))
            .collect(),
    }
}

fn figure(chart: &Drawn) -> Figure<'_> {
    Figure {
        name: &chart.name,
        caption: &chart.caption,
        svg: inline(chart),
    }
}

fn made<'a>(section: &Section, level: &'a LevelRow, dir: &Path) -> Made<'a> {
    let numbers = section.numbers();
    let link = |(path, value): (&std::path::PathBuf, &Option<f64>)| Link {
        name: path.display().to_string(),
        page: files::link(dir, &path.join("report/index.html")),
        value: value.map_or("–".to_owned(), |value| numbers.score(value)),
    };
    Made {
        level,
        runs: level.runs.iter().zip(&level.by_run).map(link).collect(),
    }
}
