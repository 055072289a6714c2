//! A history for a terminal and in Markdown.

use super::{Change, History, Point, Series, Step};
use crate::compare::{Numbers, or_dash, p};
use crate::run::Changed;
use crate::table::formats::markdown::{self, escape};
use crate::table::formats::terminal::{self, plain};
use crate::table::{Column, Grid, Row, Window};
use crate::text::count::counted;
use serde_json::Value;

/// Number of the latest runs that a terminal shows.
const SHOWN: usize = 24;
/// Number of changes of the manifest that are listed at a change point.
const LISTED: usize = 12;
/// Number of characters of a value of the manifest that are shown.
const VALUE: usize = 48;

/// The history in plain text, as wide as the window.
pub fn terminal(history: &History, window: Window) -> String {
    let mut text = String::new();
    for series in &history.series {
        text += &terminal::table(&screen(history, series), window.unstyled());
        text.push('\n');
    }
    for line in history.left_out() {
        text += &format!("! {}\n", plain(&line));
    }
    text
}

/// The latest runs of a series with all notes.
fn screen(history: &History, series: &Series) -> Grid {
    let numbers = series.numbers();
    let hidden = series.points.len().saturating_sub(SHOWN);
    let mut notes = Vec::new();
    if hidden > 0 {
        notes.push(format!(
            "{} not shown; csv and json show all.",
            if hidden == 1 {
                "1 earlier run is".to_owned()
            } else {
                format!("{hidden} earlier runs are")
            }
        ));
    }
    for change in &series.changes {
        notes.push(change.sentence(series, numbers));
        let listed = listed(&change.changed).into_iter();
        notes.extend(listed.map(|line| format!("    {line}")));
    }
    notes.extend(series.remarks(numbers, history.level));
    Grid {
        caption: history.heading(series),
        notes,
        ..grid(series, hidden)
    }
}

/// The history in Markdown, with all runs.
pub fn markdown(history: &History) -> String {
    let mut text = format!("# {}\n", escape(&history.title));
    for series in &history.series {
        let numbers = series.numbers();
        text += &format!("\n## {}\n\n", escape(&history.heading(series)));
        text += &markdown::body(&grid(series, 0));
        text.push('\n');
        for change in &series.changes {
            text += &format!("- {}\n", escape(&change.sentence(series, numbers)));
            for line in listed(&change.changed) {
                text += &format!("  - {}\n", escape(&line));
            }
        }
        for note in series.remarks(numbers, history.level) {
            text += &format!("- {}\n", escape(&note));
        }
    }
    for line in history.left_out() {
        text += &format!("\n{}\n", escape(&line));
    }
    text
}

/// The runs of a series without the first `hidden` ones, without caption and notes.
fn grid(series: &Series, hidden: usize) -> Grid {
    let numbers = series.numbers();
    let words = ["run", "started"].map(Column::words);
    let figures = ["n", "value", "95 % interval", "step"].map(Column::numbers);
    let points = series.points.iter().enumerate().skip(hidden);
    Grid {
        columns: words
            .into_iter()
            .chain(figures)
            .chain([Column::words("")])
            .collect(),
        rows: points
            .map(|(at, point)| line(series, at, point, numbers))
            .collect(),
        ..Grid::default()
    }
}

fn line(series: &Series, at: usize, point: &Point, numbers: Numbers) -> Row {
    let [n, value, interval, step] = point.figures(numbers);
    let remark = series.remark(at, point).trim_end().to_owned();
    Row::plain([
        point.run.clone(),
        point.day(),
        n,
        value,
        interval,
        step,
        remark,
    ])
}

/// Lines on the differences between two manifests.
pub(super) fn listed(changed: &[Changed]) -> Vec<String> {
    let mut lines: Vec<String> = changed.iter().take(LISTED).map(describe_change).collect();
    if changed.len() > LISTED {
        lines.push(format!("… and {} more", changed.len() - LISTED));
    }
    if changed.is_empty() {
        lines.push("nothing in the manifests had changed".to_owned());
    }
    lines
}

fn describe_change(changed: &Changed) -> String {
    let value = |value: &Value| {
        let text = match value {
            Value::Null => "none".to_owned(),
            Value::String(text) if is_hash(text) => text.chars().take(12).collect(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        if text.chars().count() > VALUE {
            text.chars().take(VALUE).chain(['…']).collect()
        } else {
            text
        }
    };
    format!(
        "{}: {} → {}",
        changed.path,
        value(&changed.old),
        value(&changed.new)
    )
}

/// Whether a text is a commit or a checksum. Its first digits are enough to tell it from others.
fn is_hash(text: &str) -> bool {
    text.len() >= 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

impl History {
    /// The heading of a series: the suite, the number, the model, and the time that the runs span.
    pub(super) fn heading(&self, series: &Series) -> String {
        let days = (series.points.first(), series.points.last());
        let span = match days {
            (Some(first), Some(last)) if first.day() != last.day() => {
                format!(", {} to {}", first.day(), last.day())
            }
            (Some(first), _) => format!(", {}", first.day()),
            _ => String::new(),
        };
        format!(
            "{}{}: {} of {}, {}{span}",
            self.title,
            series.numbers().unit(),
            series.metric,
            series.model_title,
            counted(series.points.len(), "run")
        )
    }

    /// Lines on the folders that were not read.
    pub fn left_out(&self) -> Vec<String> {
        let count = self.skipped.len();
        if count == 0 {
            return Vec::new();
        }
        let folders = if count == 1 {
            "1 folder was"
        } else {
            &format!("{count} folders were")
        };
        let each = self.skipped.iter();
        let each = each.map(|skipped| format!("{}: {}", skipped.path.display(), skipped.reason));
        std::iter::once(format!("{folders} skipped:"))
            .chain(each)
            .collect()
    }
}

impl Series {
    pub(super) fn numbers(&self) -> Numbers {
        Numbers::spanning(self.points.iter().filter_map(|point| point.value))
    }

    /// What a reader must know of a run.
    pub(super) fn remark(&self, at: usize, point: &Point) -> String {
        let change = self.changes.iter().find(|change| change.at == at);
        let change = change.map(|change| {
            if change.difference < 0.0 {
                "◆ fell".to_owned()
            } else {
                "◆ rose".to_owned()
            }
        });
        change
            .into_iter()
            .chain(point.marks.iter().cloned())
            .collect::<Vec<_>>()
            .join("; ")
    }

    /// The notes below the runs.
    pub(super) fn remarks(&self, numbers: Numbers, level: f64) -> Vec<String> {
        let mut notes = Vec::new();
        let detected = self
            .points
            .iter()
            .filter(|point| point.segment.is_some())
            .count();
        if let (Some(noise), true) = (self.noise, detected > 1) {
            let found = match self.changes.len() {
                0 => "No change point".to_owned(),
                count => counted(count, "change point"),
            };
            notes.push(format!(
                "{found} among {detected} runs: optimal partitioning with a penalty that finds one in at most {} % of series that \
                 do not change, each confirmed by a paired permutation test over items. The number of one run has a standard \
                 error of {} beside another's, from the items' differences. Steps are paired by item, with 95 % intervals.",
                level * 100.0,
                numbers.points(noise)
            ));
        }
        notes.extend(self.notes.iter().cloned());
        notes
    }
}

impl Change {
    pub(super) fn sentence(&self, series: &Series, numbers: Numbers) -> String {
        let day = series
            .points
            .get(self.at)
            .map(Point::day)
            .unwrap_or_default();
        let interval = match (self.low, self.high) {
            (Some(low), Some(high)) => {
                format!(" [{}, {}]", numbers.signed(low), numbers.signed(high))
            }
            _ => String::new(),
        };
        let runs = |count: usize| counted(count, "run");
        format!(
            "◆ {day}, {}: {} → {}, {}{interval}, p {}; {} before, {} after. Changed since {}:",
            self.run,
            numbers.score(self.before),
            numbers.score(self.after),
            numbers.signed(self.difference),
            p(self.p),
            runs(self.runs_before),
            runs(self.runs_after),
            self.from
        )
    }
}

impl Step {
    pub(super) fn describe(&self, numbers: Numbers) -> String {
        let interval = match (self.low, self.high) {
            (Some(low), Some(high)) => {
                format!(" [{}, {}]", numbers.signed(low), numbers.signed(high))
            }
            _ => String::new(),
        };
        format!("{}{interval}", numbers.signed(self.difference))
    }
}

impl Point {
    /// The day on which the run started, in UTC.
    pub(super) fn day(&self) -> String {
        self.started.strftime("%F").to_string()
    }

    /// Number of items, value, interval and step, as they are printed here and on the page.
    pub(super) fn figures(&self, numbers: Numbers) -> [String; 4] {
        let none = || "–".to_owned();
        let interval = self.low.zip(self.high);
        let interval = interval
            .map(|(low, high)| format!("[{}, {}]", numbers.score(low), numbers.score(high)));
        let step = self.step.as_ref();
        [
            self.n.to_string(),
            or_dash(self.value, |value| numbers.score(value)),
            interval.unwrap_or_else(none),
            step.map_or_else(none, |step| step.describe(numbers)),
        ]
    }
}
