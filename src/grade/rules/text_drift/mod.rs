//! `text-drift`: what becomes of the text of a picture when something else in it is edited.

mod boxes;
mod done;
mod matching;
mod measure;
mod motion;

use crate::grade::description::{Reads, RuleDescription};
use crate::grade::lack::Lack;
use crate::grade::lookup;
use crate::grade::rule::{Board, Case, Rule, Verdict};
use crate::record::Item;
use crate::record::evidence::{DriftReading, EditSeen, ReadLine, read};
use boxes::Rect;
use done::Done;
use matching::{Line, comparable};
use measure::{Fate, Page, follow};
use motion::quantile;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};

/// The description of `text-drift`.
pub(super) const RULE: RuleDescription = RuleDescription::new::<TextDriftOptions>(
    "text-drift",
    "The share of untouched lines of text that keep their place, size and spelling through an edit.",
    &[Reads::Evidence(DriftReading::KEY)],
    |options| Ok(Box::new(TextDrift(options.read()?))),
);

/// Options of `text-drift`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct TextDriftOptions {
    /// The observer to use if there are several.
    pub observer: Option<String>,
    /// The fewest lines that must be read rightly in the input. Items with fewer are left out. Default: 3.
    pub fewest: usize,
    /// The residual, in pixels, that a null leaves in 97.5 % of the lines far from the edit, such as
    /// `far_p975` of a run of the control `jpeg`. With it, the part `beyond_null` is the share of far lines
    /// that moved more.
    pub null_far: Option<f64>,
}

impl Default for TextDriftOptions {
    fn default() -> Self {
        Self {
            observer: None,
            fewest: 3,
            null_far: None,
        }
    }
}

/// The note on an output of another size.
const RESIZED: &str = "the output had another size and was resized to that of the input";
/// The share of both boxes that their intersection must have.
const COVERED: f64 = 0.5;
/// An edit is done from this overlap on, and up to this distance of the mean colours.
const DONE_IOU: f64 = 0.8;
const DONE_COLOR: f64 = 40.0;

/// The score is the share of usable lines that are kept: the same text, at most a quarter of the line's height
/// away (or 2 pixels), and at most 10 % larger or smaller.
pub(super) struct TextDrift(TextDriftOptions);

/// A line of `expect.lines`.
#[derive(Debug, Deserialize)]
struct TrueLine {
    text: String,
    #[serde(rename = "box")]
    bbox: Rect,
    /// Whether the edit asks for other words in this line.
    #[serde(default)]
    target: bool,
}

impl TextDrift {
    fn verdict(&self, case: &Case<'_>) -> Result<Verdict, Lack> {
        let evidence = lookup::find(case, DriftReading::KEY, self.0.observer.as_deref())?;
        let seen: DriftReading = read(evidence);
        let page = self.page(case.item, &seen)?;
        let kept = page.share(Fate::Kept);
        let mut parts = page.parts();
        if let Some(edit) = seen.edit {
            parts.insert("done".to_owned(), f64::from(u8::from(is_done(edit))));
        }
        let far = page.far_residuals();
        if let Some(null) = self.0.null_far
            && !far.is_empty()
        {
            let beyond = far.iter().filter(|residual| **residual > null).count();
            parts.insert("beyond_null".to_owned(), beyond as f64 / far.len() as f64);
        }
        let offsets = case.output.and_then(|output| output.extra.get("offsets"));
        if let Some(error) = offsets.and_then(|offsets| page.offset_error(offsets)) {
            parts.insert("offset_error".to_owned(), error);
        }
        Ok(Verdict {
            score: Some(kept),
            parts,
            notes: seen
                .resized
                .then(|| RESIZED.to_owned())
                .into_iter()
                .collect(),
            ..Verdict::default()
        })
    }

    /// The lines of an item, followed into its output.
    ///
    /// # Errors
    /// Fails if the item has too few lines that can be followed.
    fn page(&self, item: &Item, seen: &DriftReading) -> Result<Page, Lack> {
        let source = usable(item, &seen.source)?;
        if source.len() < self.0.fewest {
            let words = format!(
                "left out: {} of the input's lines can be followed, fewer than {}",
                source.len(),
                self.0.fewest
            );
            return Err(Lack::of_record(words));
        }
        let after = seen.after.iter().map(line).collect();
        let size = [f64::from(seen.width), f64::from(seen.height)];
        Ok(follow(source, after, size, seen.edited))
    }

    /// The residuals of all lines that are far from their edits, in pixels. The last record of an observer
    /// about an output counts.
    fn all_far(&self, board: &Board<'_>) -> Vec<f64> {
        let items: HashMap<&str, &Item> = board
            .items
            .iter()
            .map(|item| (item.item.as_str(), item))
            .collect();
        let mut last: BTreeMap<(&str, u32), Vec<f64>> = BTreeMap::new();
        for record in board.evidence {
            let (Some(item), Some(value)) = (items.get(record.item.as_str()), &record.evidence)
            else {
                continue;
            };
            if value.get(DriftReading::KEY).is_none() {
                continue;
            }
            if let Ok(page) = self.page(item, &read(value)) {
                last.insert((record.item.as_str(), record.repeat), page.far_residuals());
            }
        }
        last.into_values().flatten().collect()
    }
}

fn is_done(edit: EditSeen) -> bool {
    edit.iou >= DONE_IOU && edit.color <= DONE_COLOR
}

fn line(read: &ReadLine) -> Line {
    Line::new(&read.text, read.bbox)
}

/// The lines of the input that can be followed: those that are read as they are written and where they are.
/// Without `expect.lines`, all lines that do not meet the region that is edited.
fn usable(item: &Item, seen: &[ReadLine]) -> Result<Vec<Line>, Lack> {
    let Some(truth) = item.expect.get("lines") else {
        let free = seen.iter().filter(|line| !line.in_edit);
        return Ok(free.map(line).collect());
    };
    let truth = Vec::<TrueLine>::deserialize(truth)
        .map_err(|error| Lack::of_record(format!("the item's `expect.lines`: {error}")))?;
    let mut left: Vec<&ReadLine> = seen.iter().collect();
    let mut usable = Vec::new();
    for truth in truth.iter().filter(|truth| !truth.target) {
        let text = comparable(&truth.text);
        let same = |read: &&ReadLine| {
            let both = COVERED * boxes::area(truth.bbox).max(boxes::area(read.bbox));
            comparable(&read.text) == text && boxes::intersection(read.bbox, truth.bbox) >= both
        };
        if let Some(place) = left.iter().position(same) {
            usable.push(line(left.remove(place)));
        }
    }
    Ok(usable)
}

impl Rule for TextDrift {
    fn grade(&self, case: &Case<'_>) -> Verdict {
        self.verdict(case).unwrap_or_else(Verdict::unscored)
    }

    /// The means of the parts; `kept_done`, the mean score of the edits that were done, with the ends `_low`
    /// and `_high` of its interval; `far_p975`, the 97.5 % quantile of the residuals of far lines; and
    /// `calibration_rmse`, the error of the reader's places in pixels, for the control `jitter`.
    fn metrics(&self, board: &Board<'_>) -> BTreeMap<String, f64> {
        let mut metrics = board.mean_parts();
        Done::of(board).add_metrics(&mut metrics);
        if let Some(far) = quantile(&mut self.all_far(board), 0.975) {
            metrics.insert("far_p975".to_owned(), far);
        }
        if let Some(error) = metrics.remove("offset_error") {
            metrics.insert("calibration_rmse".to_owned(), error.sqrt());
        }
        metrics
    }

    fn notes(&self, board: &Board<'_>) -> Vec<String> {
        let trap = "A model that returns its input keeps all text: read `kept_done`, the mean over the edits that were done, and `done`.";
        let kept = Done::of(board).in_words();
        std::iter::once(trap.to_owned()).chain(kept).collect()
    }
}

#[cfg(test)]
mod tests;
