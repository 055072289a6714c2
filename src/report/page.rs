//! The HTML page. It asks no server for anything: what it needs is in it, or in files beside it.

use super::chart::Drawn;
use super::error::ReportError;
use super::gallery::{Gallery, Inside, Scripts};
use super::remarks::states;
use super::table::Table;
use super::view::RunView;
use crate::table::formats::html;
use crate::text::count::counted;
use askama::Template;

const STYLE: &str = include_str!("../../templates/report.css");
const SCRIPT: &str = include_str!("../../templates/report.js");

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    title: String,
    suites: Vec<Suite<'a>>,
    runs: Vec<Facts<'a>>,
    partial: Vec<String>,
    sampled: Option<String>,
    version: &'static str,
    style: &'static str,
    script: &'static str,
    list: Option<&'a str>,
    inside: &'a [Inside],
}

/// A suite's table and charts.
struct Suite<'a> {
    title: &'a str,
    table: String,
    figures: Vec<Figure<'a>>,
}

struct Figure<'a> {
    name: &'a str,
    caption: &'a str,
    svg: String,
}

/// What happened in one run.
struct Facts<'a> {
    label: &'a str,
    suite: &'a str,
    view: &'a RunView,
    method: &'a str,
    manifest: Option<String>,
    /// The model's settings, on one line.
    settings: Option<String>,
}

/// A suite of the page: its table and the charts drawn of it.
pub struct Section<'a> {
    /// The table.
    pub table: &'a Table,
    /// What is drawn of it.
    pub charts: &'a [Drawn],
}

/// The page of these runs. `labels` are the runs' names as printed in tables. The page links the files of
/// charts if the gallery, too, is in files beside it.
///
/// # Errors
/// Fails if the template fails.
pub fn render(
    sections: &[Section<'_>],
    runs: &[RunView],
    labels: &[String],
    (gallery, scripts): (&Gallery, &Scripts),
    title: Option<&str>,
) -> Result<String, ReportError> {
    let titles: Vec<&str> = sections
        .iter()
        .map(|s| s.table.suite_title.as_str())
        .collect();
    let facts = |(run, label): (&'_ RunView, &'_ String)| -> String {
        let summary = &run.summary;
        format!(
            "{label} on {}: {} of {} scored, {} failed, {} unscored{}.",
            run.suite_title,
            summary.scored,
            counted(summary.expected, "output"),
            summary.failed,
            summary.unscored,
            states(&summary.unscored_by)
        )
    };
    let page = Page {
        title: title.map_or_else(|| titles.join(", "), str::to_owned),
        suites: sections.iter().map(suite).collect(),
        runs: runs
            .iter()
            .zip(labels)
            .map(|(run, label)| Facts {
                label,
                suite: &run.suite_title,
                view: run,
                method: &run.summary.overall.method,
                settings: settings(&run.manifest),
                manifest: (!run.manifest.is_null())
                    .then(|| format!("{:#}", run.manifest)),
            })
            .collect(),
        partial: runs
            .iter()
            .zip(labels)
            .filter(|(run, _)| run.summary.partial)
            .map(facts)
            .collect(),
        sampled: (gallery.shown < gallery.total).then(|| {
            format!(
                "The gallery shows {} of {} outputs: failures first, then passed outputs at even steps through the suite.",
                gallery.shown, gallery.total
            )
        }),
        version: env!("CARGO_PKG_VERSION"),
        style: STYLE,
        script: SCRIPT,
        list: scripts.list.as_deref(),
        inside: &scripts.inside,
    };
    page.render()
        .map_err(|error| ReportError::Page(error.to_string()))
}

/// The settings that a manifest names, those with no value left out, and the preset that they come from.
fn settings(manifest: &serde_json::Value) -> Option<String> {
    let model = &manifest["model"];
    let pairs = model["settings"].as_object()?.iter();
    let told: Vec<String> = pairs
        .filter(|(_, value)| !value.is_null())
        .map(|(key, value)| match value.as_str() {
            Some(text) => format!("{key} {text}"),
            None => format!("{key} {value}"),
        })
        .collect();
    let preset = model["preset"].as_str();
    let preset = preset.map_or(String::new(), |name| format!(" (preset {name})"));
    (!told.is_empty()).then(|| format!("{}{preset}", told.join(" · ")))
}

fn suite<'a>(section: &Section<'a>) -> Suite<'a> {
    Suite {
        title: &section.table.suite_title,
        table: html::element(&section.table.grid()),
        figures: section
            .charts
            .iter()
            .map(|chart| Figure {
                name: &chart.name,
                caption: &chart.caption,
                svg: inline(chart),
            })
            .collect(),
    }
}

/// The SVG element as it is in the page, named for those who cannot see it.
pub fn inline(chart: &Drawn) -> String {
    let from = chart.svg.find("<svg").unwrap_or(0);
    let label = html::escape(&chart.caption);
    chart.svg[from..].replacen(
        "<svg",
        &format!("<svg role=\"img\" aria-label=\"{label}\""),
        1,
    )
}
