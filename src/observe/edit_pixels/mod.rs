//! `edit-pixels`: what an edit changed and what it left alone, by pixels alone.
//!
//! The output is compared with the item's first input picture, at that picture's size: one of another size is resized by
//! Pillow's bicubic filter whatever its aspect ratio. Values are 8-bit sRGB as they are.
//!
//! The evidence has `l1`, `l2`, `psnr` (null when nothing differs, since it is infinite then), `ssim` (null below 11 × 11
//! pixels) over everything; `edit_fraction` (changed pixels), `main_fraction` (those in large connected parts),
//! `components` and `log_weight` of the change mask; `mask`, the mask in cells of 8 × 8 pixels, as lengths of runs row by
//! row, black and white in turn; and the same measures `inside` and `outside` of a region, named by `region`:
//!
//! | `region` | inside |
//! |---|---|
//! | `annotation` | what the item's `expect.mask` marks: a picture (white is to be edited), or PIE-Bench's list of starts and lengths |
//! | `target` | where `expect.target`, the picture that was wanted, differs from the input |
//! | `output` | where the output itself differs: `outside` is then small by construction, and says nothing about preservation |
//!
//! `outside` begins one kernel beyond the region, and SSIM there counts windows that lie wholly outside. With a region that
//! does not come from the output there are `precision`, `recall`, `iou` and `leak` (the share of the outside that
//! changed). With a mask there is `zeroed`: both pictures black inside, compared over the whole frame, as PIE-Bench's
//! scripts do. With a target there is `target`: output against target, at the target's size, and inside of the region.

mod region;

use super::pictures::{at_size_of, files, input, open, output, path};
use super::{ObserveError, Observer, Subject};
use crate::image::cv::{Element, dilate, erode};
use crate::image::edit::{
    Change, ChangeSettings, Difference, Mask, SSIM_RADIUS, differences, log_weight, pool, ssim,
};
use crate::record::Item;
use image::RgbImage;
use rayon::prelude::*;
use region::Region;
pub(super) use region::annotation;
use serde_json::{Map, Value, json};

const NAME: &str = "edit-pixels";
/// Raised when the numbers change.
const VERSION: u32 = 1;

/// The observer.
pub struct EditPixels(ChangeSettings);

impl EditPixels {
    /// # Errors
    /// What is wrong with a setting.
    pub fn new(settings: ChangeSettings) -> Result<Self, String> {
        match settings.mistake() {
            Some(mistake) => Err(format!("observe.{NAME}: {mistake}")),
            None => Ok(Self(settings)),
        }
    }

    fn look(&self, subject: &Subject<'_>) -> Result<Value, ObserveError> {
        let output = output(subject, NAME)?;
        let input = input(subject, NAME)?;
        let target = path(subject.item, "target")
            .map(|path| open(subject, path, "target picture"))
            .transpose()?;
        let resized = at_size_of(output, &input);
        let seen = resized.as_ref().unwrap_or(output);
        let change = Change::between(&input, seen, &self.0);
        let region = Region::of(subject, &input, target.as_ref(), &change, &self.0)?;
        let near = dilate(&region.mask, &self.0.element(&input));
        let far = near.inverted();

        let mut evidence = Map::new();
        evidence.insert("width".into(), input.width().into());
        evidence.insert("height".into(), input.height().into());
        evidence.insert("resized".into(), resized.is_some().into());
        let [left, edited] = differences(&input, seen, &region.mask);
        let whole = Mask::from_fn(near.width(), near.height(), |_, _| true);
        let windows = |mask: &Mask| erode(mask, &Element::square(SSIM_RADIUS));
        let centres = [&whole, &windows(&region.mask), &windows(&far)];
        let similar = ssim(&input, seen, &centres);
        let of = |place: usize| similar.get(place).copied().flatten();
        evidence.insert("identical".into(), (left + edited).identical().into());
        measures(&mut evidence, left + edited, of(0));
        masks(&mut evidence, &change, self.0.cell);

        evidence.insert("region".into(), region.from.into());
        let outside = differences(&input, seen, &near)[0];
        evidence.insert("inside".into(), part(&region.mask, edited, of(1)));
        evidence.insert("outside".into(), part(&far, outside, of(2)));
        if region.given() {
            overlaps(&mut evidence, &change.all, &region.mask, &near);
        }
        if region.annotated() {
            evidence.insert("zeroed".into(), zeroed(&input, seen, &region.mask, left));
        }
        if let Some(target) = &target {
            evidence.insert("target".into(), beside(output, target, &region.mask));
        }
        Ok(evidence.into())
    }
}

/// L1, L2, PSNR and SSIM.
fn measures(into: &mut Map<String, Value>, difference: Difference, similarity: Option<f64>) {
    into.insert("l1".into(), json!(difference.l1()));
    into.insert("l2".into(), json!(difference.l2()));
    into.insert("psnr".into(), json!(difference.psnr()));
    into.insert("ssim".into(), json!(similarity));
}

fn part(mask: &Mask, difference: Difference, similarity: Option<f64>) -> Value {
    let mut part = Map::new();
    part.insert("share".into(), json!(mask.share()));
    measures(&mut part, difference, similarity);
    part.into()
}

fn masks(into: &mut Map<String, Value>, change: &Change, cell: usize) {
    let cells = pool(&change.main, cell);
    into.insert("edit_fraction".into(), json!(change.all.share()));
    into.insert("main_fraction".into(), json!(change.main.share()));
    into.insert("components".into(), change.components.into());
    into.insert("log_weight".into(), json!(log_weight(&cells)));
    into.insert(
        "mask".into(),
        json!({"width": cells.width(), "height": cells.height(), "cell": cell, "runs": cells.runs()}),
    );
}

/// How well the changed pixels meet the region; half-met edges within one kernel are no false alarms.
fn overlaps(into: &mut Map<String, Value>, changed: &Mask, region: &Mask, near: &Mask) {
    let share = |part: usize, all: usize| (all > 0).then(|| part as f64 / all as f64);
    let (all, wanted) = (changed.count(), region.count());
    let (hit, close) = (changed.overlap(region), changed.overlap(near));
    let outside = near.pixels().len() - near.count();
    into.insert("precision".into(), json!(share(close, all)));
    into.insert("recall".into(), json!(share(hit, wanted)));
    into.insert("iou".into(), json!(share(hit, all + wanted - hit)));
    into.insert("leak".into(), json!(share(all - close, outside)));
}

/// Both pictures black inside the region, compared over the whole frame.
fn zeroed(input: &RgbImage, seen: &RgbImage, region: &Mask, left: Difference) -> Value {
    let black = |image: &RgbImage| {
        let mut image = image.clone();
        let pixels = image.pixels_mut().zip(region.pixels());
        for (pixel, _) in pixels.filter(|(_, inside)| **inside) {
            pixel.0 = [0; 3];
        }
        image
    };
    let whole = Mask::from_fn(region.width(), region.height(), |_, _| true);
    let similar = ssim(&black(input), &black(seen), &[&whole]);
    let mut zeroed = Map::new();
    let all = left.spread_over(region.pixels().len() as u64);
    measures(&mut zeroed, all, similar.into_iter().next().flatten());
    zeroed.into()
}

/// Output against target, at the target's size.
fn beside(output: &RgbImage, target: &RgbImage, region: &Mask) -> Value {
    let resized = at_size_of(output, target);
    let seen = resized.as_ref().unwrap_or(output);
    let region = region.resized(target.width() as usize, target.height() as usize);
    let [left, edited] = differences(target, seen, &region);
    let whole = Mask::from_fn(region.width(), region.height(), |_, _| true);
    let inside = erode(&region, &Element::square(SSIM_RADIUS));
    let similar = ssim(target, seen, &[&whole, &inside]);
    let of = |place: usize| similar.get(place).copied().flatten();
    let mut beside = Map::new();
    measures(&mut beside, left + edited, of(0));
    beside.insert("inside".into(), part(&region, edited, of(1)));
    beside.into()
}

impl Observer for EditPixels {
    fn name(&self) -> &str {
        NAME
    }

    fn identity(&self) -> Value {
        json!({"observer": NAME, "version": VERSION, "settings": self.0})
    }

    fn asked(&self, item: &Item) -> Value {
        json!([files(item), item.expect.get("mask")])
    }

    fn files(&self, item: &Item) -> Vec<String> {
        files(item)
    }

    fn batch(&self) -> usize {
        4
    }

    fn observe(&self, subjects: &[Subject<'_>]) -> Vec<Result<Value, ObserveError>> {
        subjects
            .par_iter()
            .map(|subject| self.look(subject))
            .collect()
    }
}
