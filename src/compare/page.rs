//! The comparison as a page: the numbers, and the items that changed most with both outputs.

use super::changes::Change;
use super::numbers::{Numbers, names, or_dash};
use super::printed::Figures;
use super::{Comparison, Difference};
use crate::config::Metric;
use crate::record::Output;
use crate::report::folder::PageFolder;
use crate::report::thumbs::{Place, Thumbs};
use crate::report::{ReportError, RunView};
use askama::Template;
use rayon::prelude::*;
use std::path::{Path, PathBuf};

const STYLE: &str = concat!(
    include_str!("../../templates/report.css"),
    include_str!("../../templates/paired.css")
);

/// Largest number of cards of a comparison.
const CARDS: usize = 60;
/// The longer side of a picture on a card, in pixels.
const THUMB_SIDE: u32 = 360;
/// Half of the width of the drawing of an interval.
const HALF: f64 = 100.0;

/// A comparison with the outputs of its two runs. A run in a baseline file has no outputs.
pub struct Sheet<'a> {
    /// The numbers.
    pub comparison: &'a Comparison,
    /// The earlier run.
    pub before: Option<&'a RunView>,
    /// The later run.
    pub after: Option<&'a RunView>,
}

/// The head of a page.
pub struct Heading<'a> {
    /// The title of the page.
    pub title: &'a str,
    /// The line above the title.
    pub kicker: &'a str,
    /// The verdict of a gate.
    pub banner: Option<&'a Banner>,
}

/// A verdict above the comparisons.
#[derive(Debug, Default)]
pub struct Banner {
    /// `pass`, `breach` or `inconclusive`.
    pub class: &'static str,
    /// The status as printed.
    pub status: String,
    /// The lines beside the status.
    pub lines: Vec<String>,
    /// The heads of the columns of the rules.
    pub heads: Vec<Head>,
    /// The rules, from top to bottom.
    pub rules: Vec<RuleLine>,
    /// The lines below the rules.
    pub notes: Vec<String>,
}

/// The head of a column.
#[derive(Debug)]
pub struct Head {
    /// The text.
    pub title: String,
    /// Whether the column holds numbers.
    pub is_number: bool,
}

/// One rule of the verdict.
#[derive(Debug)]
pub struct RuleLine {
    /// The number that the rule judges.
    pub metric: String,
    /// The suite, the model and the run.
    pub run: String,
    /// How much the rule counts.
    pub tier: String,
    /// `pass`, `breach` or `inconclusive`.
    pub class: &'static str,
    /// The same as printed.
    pub status: String,
    /// Why.
    pub reason: String,
    /// The number of items, baseline, now, drop, allowed drop, p, and the smallest detectable drop.
    pub numbers: [String; 7],
}

#[derive(Template)]
#[template(path = "paired.html")]
struct Page<'a> {
    title: &'a str,
    kicker: &'a str,
    banner: Option<&'a Banner>,
    sections: Vec<Section>,
    style: &'static str,
    version: &'static str,
}

struct Section {
    title: String,
    before: String,
    before_id: String,
    after: String,
    after_id: String,
    marks: Vec<String>,
    caption: String,
    low: String,
    high: String,
    rows: Vec<Line>,
    notes: Vec<String>,
    more: Option<String>,
    cards: Vec<Card>,
}

struct Line {
    lead: bool,
    metric: String,
    figures: Figures,
    class: &'static str,
    bar: Option<Bar>,
    dot: String,
    detectable: String,
}

struct Bar {
    low: String,
    high: String,
}

struct Card {
    item: String,
    prompt: String,
    tags: Vec<String>,
    change: String,
    class: &'static str,
    flipped: bool,
    sides: Vec<Side>,
}

#[derive(Default)]
struct Side {
    name: String,
    score: String,
    reason: String,
    thumb: Option<String>,
    link: Option<String>,
    text: Option<String>,
    missing: String,
}

/// Writes `index.html` and `thumbs/` into `dir`, and gives the path of the page back. `wished` is the power
/// that sizes are given for.
///
/// # Errors
/// Fails if the folder cannot be written to. A broken picture is no error: its card says what is wrong.
pub fn write(
    dir: &Path,
    heading: &Heading<'_>,
    sheets: &[Sheet<'_>],
    wished: f64,
) -> Result<PathBuf, ReportError> {
    let folder = PageFolder::open(dir)?;
    let thumbs = Thumbs::new(&folder, THUMB_SIDE, Place::Beside);
    let sections = sheets.iter().map(|sheet| section(sheet, &thumbs, wished));
    let page = Page {
        title: heading.title,
        kicker: heading.kicker,
        banner: heading.banner,
        sections: sections.collect::<Result<_, _>>()?,
        style: STYLE,
        version: env!("CARGO_PKG_VERSION"),
    };
    let html = page
        .render()
        .map_err(|error| ReportError::Page(error.to_string()))?;
    let used = thumbs.into_used();
    folder.finish(&html, &used)
}

fn section(sheet: &Sheet<'_>, thumbs: &Thumbs<'_>, wished: f64) -> Result<Section, ReportError> {
    let comparison = sheet.comparison;
    let rows = comparison.rows();
    let numbers = Numbers::from_differences(rows.iter().copied());
    let [before, after] = names(&comparison.before, &comparison.after);
    let reach = reach(&rows);
    let (marks, notes): (Vec<String>, Vec<String>) = comparison
        .notes(numbers, wished)
        .into_iter()
        .partition(|note| note.starts_with('!'));
    let marks = marks
        .iter()
        .map(|mark| mark.trim_start_matches(['!', ' ']).to_owned());
    let id = |run: &crate::record::RunFacts| format!("{} · {}", run.model, run.run);
    let all = comparison.changes.len();
    let chosen = &comparison.changes[..all.min(CARDS)];
    let cards = chosen
        .par_iter()
        .map(|change| card(sheet, change, numbers, thumbs));
    Ok(Section {
        title: format!("{}: {after} against {before}", comparison.after.suite_title),
        before,
        before_id: id(&comparison.before),
        after,
        after_id: id(&comparison.after),
        marks: marks.collect(),
        caption: format!(
            "{} (version {}){}, items paired",
            comparison.after.suite_title,
            comparison.after.suite_version,
            numbers.unit()
        ),
        low: numbers.signed(-reach),
        high: numbers.signed(reach),
        rows: rows.iter().map(|row| line(row, numbers, reach)).collect(),
        notes,
        more: (all > CARDS).then(|| format!("{CARDS} of {all} items whose score changed.")),
        cards: cards.collect::<Result<_, _>>()?,
    })
}

/// The largest bound or difference, which is the end of the drawings. The share of right outputs is left out:
/// it changes much more than scores do, so that these would be too small to see. It is drawn up to the end.
fn reach(rows: &[&Difference]) -> f64 {
    rows.iter()
        .filter(|row| row.metric != Metric::Correct)
        .flat_map(|row| [Some(row.difference), row.low, row.high])
        .flatten()
        .map(f64::abs)
        .fold(1e-3, f64::max)
}

/// The class of a difference: better or worse if the whole interval is on that side of 0.
fn class(difference: &Difference) -> &'static str {
    match (difference.low, difference.high) {
        (Some(low), _) if low > 0.0 => "better",
        (_, Some(high)) if high < 0.0 => "worse",
        _ => "same",
    }
}

fn line(row: &Difference, numbers: Numbers, reach: f64) -> Line {
    let place = |value: f64| {
        format!(
            "{:.1}",
            HALF + (HALF - 6.0) * (value / reach).clamp(-1.0, 1.0)
        )
    };
    Line {
        lead: row.metric == Metric::Overall,
        metric: row.metric.to_string(),
        figures: Figures::new(row, numbers),
        class: class(row),
        bar: row.low.zip(row.high).map(|(low, high)| Bar {
            low: place(low),
            high: place(high),
        }),
        dot: place(row.difference),
        detectable: or_dash(row.detectable, |least| numbers.points(least)),
    }
}

fn card(
    sheet: &Sheet<'_>,
    change: &Change,
    numbers: Numbers,
    thumbs: &Thumbs<'_>,
) -> Result<Card, ReportError> {
    let item = [sheet.after, sheet.before]
        .into_iter()
        .flatten()
        .find_map(|view| view.items.iter().find(|item| item.item == change.item));
    let tags = item.into_iter().flat_map(|item| item.tags.iter());
    let names = names(&sheet.comparison.before, &sheet.comparison.after);
    let scores = [change.before, change.after];
    let views = [sheet.before, sheet.after];
    let sides = names.into_iter().zip(scores).zip(views);
    let sides = sides.map(|((name, score), view)| {
        let side = Side {
            name,
            score: numbers.score(score),
            ..Side::default()
        };
        filled(side, view, change, thumbs)
    });
    Ok(Card {
        item: change.item.clone(),
        prompt: item.map(|item| item.prompt.clone()).unwrap_or_default(),
        tags: tags.map(|(tag, key)| format!("{tag} {key}")).collect(),
        change: numbers.signed(change.difference()),
        class: if change.difference() > 0.0 {
            "better"
        } else {
            "worse"
        },
        flipped: change.flipped,
        sides: sides.collect::<Result<_, _>>()?,
    })
}

/// Adds the output of a run to its side of the card.
fn filled(
    mut side: Side,
    view: Option<&RunView>,
    change: &Change,
    thumbs: &Thumbs<'_>,
) -> Result<Side, ReportError> {
    let Some(view) = view else {
        side.missing = "a baseline keeps scores, but no outputs".to_owned();
        return Ok(side);
    };
    let repeat = u32::try_from(change.repeat).unwrap_or(0);
    let grade = view
        .grades
        .iter()
        .find(|g| g.item == change.item && g.repeat == repeat);
    if let Some(grade) = grade {
        side.reason = grade
            .unscored
            .clone()
            .unwrap_or_else(|| grade.reason.clone());
    }
    let output = view
        .outputs
        .iter()
        .rfind(|o| o.item == change.item && o.repeat == repeat);
    match output {
        Some(Output {
            file: Some(file), ..
        }) => {
            let shown = thumbs.pictured(&view.dir.join(file))?;
            side.link = shown.link;
            match shown.thumb {
                Ok(thumb) => side.thumb = Some(thumb.src),
                Err(problem) => side.missing = problem,
            }
        }
        Some(Output {
            text: Some(text), ..
        }) => side.text = Some(text.clone()),
        _ => side.missing = "no output".to_owned(),
    }
    Ok(side)
}
