//! The history as a page: charts, runs, and change points with what else changed there.

use super::text::listed;
use super::{History, Point, Series};
use crate::compare::Numbers;
use crate::report::chart::canvas::Label;
use crate::report::chart::{self, Curve, Drawn, Lines, Look, Width};
use crate::report::page::inline;
use crate::report::{ReportError, files};
use askama::Template;
use std::path::{Path, PathBuf};

const STYLE: &str = concat!(
    include_str!("../../templates/report.css"),
    include_str!("../../templates/history.css")
);

/// Number of the latest runs of a series that the page lists.
const LISTED: usize = 120;
const SECONDS_A_DAY: f64 = 86_400.0;
/// Number of dates below a chart.
const TICKS: usize = 5;

#[derive(Template)]
#[template(path = "history.html")]
struct Page {
    title: String,
    suites: Vec<Section>,
    linked: bool,
    style: &'static str,
    version: &'static str,
}

struct Section {
    title: String,
    figures: Vec<Figure>,
    series: Vec<Block>,
    skipped: Vec<String>,
}

struct Figure {
    name: String,
    caption: String,
    svg: String,
}

struct Block {
    heading: String,
    changes: Vec<Shown>,
    rows: Vec<Row>,
    more: Option<String>,
    notes: Vec<String>,
}

struct Shown {
    class: &'static str,
    sentence: String,
    changed: Vec<String>,
}

struct Row {
    run: String,
    program: String,
    day: String,
    n: String,
    value: String,
    interval: String,
    step: String,
    class: &'static str,
    remark: String,
    /// Whether the run is the first one after a change point.
    turned: bool,
    changed: Vec<String>,
}

/// The page without links to files beside it.
///
/// # Errors
/// Fails if a chart cannot be drawn.
pub fn render(histories: &[History]) -> Result<String, ReportError> {
    page_text(histories, &charts(histories)?, false)
}

/// Writes `index.html` and `charts/` into a folder, and gives the path of the page back.
///
/// # Errors
/// Fails if a chart cannot be drawn or the folder cannot be written to.
pub fn write(dir: &Path, histories: &[History]) -> Result<PathBuf, ReportError> {
    let drawn = charts(histories)?;
    let folder = dir.join("charts");
    files::create(&folder)?;
    for chart in drawn.iter().flatten() {
        files::write_file(
            &folder.join(format!("{}.svg", chart.name)),
            chart.svg.as_bytes(),
        )?;
        files::write_file(&folder.join(format!("{}.png", chart.name)), &chart.png)?;
    }
    let path = dir.join("index.html");
    files::write_file(&path, page_text(histories, &drawn, true)?.as_bytes())?;
    Ok(path)
}

fn page_text(
    histories: &[History],
    drawn: &[Vec<Drawn>],
    linked: bool,
) -> Result<String, ReportError> {
    let titles: Vec<&str> = histories
        .iter()
        .map(|history| history.title.as_str())
        .collect();
    let page = Page {
        title: titles.join(", "),
        suites: histories
            .iter()
            .zip(drawn)
            .map(|(history, drawn)| section(history, drawn))
            .collect(),
        linked,
        style: STYLE,
        version: env!("CARGO_PKG_VERSION"),
    };
    page.render()
        .map_err(|error| ReportError::Page(error.to_string()))
}

fn section(history: &History, drawn: &[Drawn]) -> Section {
    let figure = |chart: &Drawn| Figure {
        name: chart.name.clone(),
        caption: chart.caption.clone(),
        svg: inline(chart),
    };
    Section {
        title: history.title.clone(),
        figures: drawn.iter().map(figure).collect(),
        series: history
            .series
            .iter()
            .map(|series| block(history, series))
            .collect(),
        skipped: history.left_out(),
    }
}

fn block(history: &History, series: &Series) -> Block {
    let numbers = series.numbers();
    let changes = series.changes.iter().map(|change| Shown {
        class: direction(change.difference),
        sentence: change.sentence(series, numbers),
        changed: listed(&change.changed),
    });
    let hidden = series.points.len().saturating_sub(LISTED);
    // The latest run comes first.
    let rows = series.points.iter().enumerate().skip(hidden).rev();
    Block {
        heading: history.heading(series),
        changes: changes.collect(),
        rows: rows
            .map(|(at, point)| row(series, at, point, numbers))
            .collect(),
        more: (hidden > 0).then(|| {
            format!(
                "The latest {LISTED} of {} runs; `--format csv` lists all.",
                series.points.len()
            )
        }),
        notes: series.remarks(numbers, history.level),
    }
}

fn direction(difference: f64) -> &'static str {
    if difference < 0.0 { "worse" } else { "better" }
}

fn row(series: &Series, at: usize, point: &Point, numbers: Numbers) -> Row {
    let [n, value, interval, step_shown] = point.figures(numbers);
    let step = point.step.as_ref();
    let sure = step.and_then(|step| match (step.low, step.high) {
        (Some(low), _) if low > 0.0 => Some("better"),
        (_, Some(high)) if high < 0.0 => Some("worse"),
        _ => None,
    });
    Row {
        run: point.run.clone(),
        program: point.program.clone(),
        day: point.started.strftime("%F %H:%M").to_string(),
        n,
        value,
        interval,
        step: step_shown,
        class: sure.unwrap_or("same"),
        remark: series.remark(at, point),
        turned: series.changes.iter().any(|change| change.at == at),
        changed: match (at, point.changed.is_empty()) {
            (0, _) | (_, true) => Vec::new(),
            _ => listed(&point.changed),
        },
    }
}

/// One chart for each metric of each suite, with one line for each model.
fn charts(histories: &[History]) -> Result<Vec<Vec<Drawn>>, ReportError> {
    let of_history = |history: &History| {
        let mut metrics: Vec<String> = Vec::new();
        for series in &history.series {
            let name = series.metric.to_string();
            if !metrics.contains(&name) {
                metrics.push(name);
            }
        }
        metrics
            .iter()
            .map(|metric| trend(history, metric))
            .collect::<Result<Vec<Drawn>, _>>()
    };
    let charts = histories.iter().map(of_history);
    let mut charts: Vec<Vec<Drawn>> = charts.collect::<Result<_, _>>()?;
    chart::distinct(charts.iter_mut().flatten());
    Ok(charts)
}

fn trend(history: &History, metric: &str) -> Result<Drawn, ReportError> {
    let series: Vec<&Series> = history
        .series
        .iter()
        .filter(|series| series.metric.to_string() == metric)
        .collect();
    let values = series
        .iter()
        .flat_map(|s| s.points.iter().filter_map(|p| p.value));
    let numbers = Numbers::spanning(values);
    let factor = if numbers.unit().is_empty() {
        1.0
    } else {
        100.0
    };
    let curves = series.iter().enumerate().map(|(index, series)| Curve {
        label: Label {
            text: series.model_title.clone(),
            id: series.model.clone(),
        },
        look: Look::new(index),
        points: points(series, factor),
    });
    let marks = series.iter().flat_map(|series| {
        let marks = series.changes.iter();
        marks.filter_map(|change| {
            let point = series.points.get(change.at)?;
            Some((day(point.started), numbers.signed(change.difference)))
        })
    });
    let lines = Lines {
        curves: curves.collect(),
        x: "start of the run (UTC)".to_owned(),
        y: format!("{metric}{}", numbers.unit()),
        x_ticks: ticks(&series),
        marks: marks.collect(),
        width: Width::Page,
    };
    let caption = format!(
        "{}: {metric} over time. The bands are the runs' 95 % intervals, the upright lines are change points, and the gaps \
         are before runs that cannot be compared with the runs before them.",
        history.title
    );
    Drawn::new(&format!("{}-{metric}", history.suite), caption, &lines)
}

fn day(started: jiff::Timestamp) -> f64 {
    started.as_second() as f64 / SECONDS_A_DAY
}

/// The points of the runs with a number, without partial runs. There is a gap before each run that cannot be
/// compared with the run before.
fn points(series: &Series, factor: f64) -> Vec<chart::Point> {
    let mut points = Vec::new();
    for point in &series.points {
        let Some(value) = point
            .value
            .filter(|_| point.segment.is_some() || series.noise.is_none())
        else {
            continue;
        };
        let x = day(point.started);
        if !point.marks.is_empty() {
            points.push(chart::Point {
                x,
                y: f64::NAN,
                band: None,
            });
        }
        let band = point.low.zip(point.high);
        points.push(chart::Point {
            x,
            y: value * factor,
            band: band.map(|(low, high)| (low * factor, high * factor)),
        });
    }
    points
}

/// Dates at equal distances, or times if all runs are within two days.
fn ticks(series: &[&Series]) -> Vec<(f64, String)> {
    let times = series
        .iter()
        .flat_map(|s| s.points.iter().map(|p| p.started.as_second()));
    let (first, last) = times.fold((i64::MAX, i64::MIN), |(a, b), t| (a.min(t), b.max(t)));
    if first > last {
        return Vec::new();
    }
    let form = if last - first < 2 * 86_400 {
        "%F %H:%M"
    } else {
        "%F"
    };
    let mut ticks: Vec<(f64, String)> = (0..TICKS as i64)
        .filter_map(|at| {
            let second = first + (last - first) * at / (TICKS as i64 - 1);
            let time = jiff::Timestamp::from_second(second).ok()?;
            Some((
                second as f64 / SECONDS_A_DAY,
                time.strftime(form).to_string(),
            ))
        })
        .collect();
    ticks.dedup_by(|a, b| a.1 == b.1);
    ticks
}
