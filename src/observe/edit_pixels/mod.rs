//! `edit-pixels`: what an edit changed and what it left unchanged, measured in pixels.
//!
//! The output is compared with the item's first input picture, at the size of the input. An output of another
//! size is resized by Pillow's bicubic filter, regardless of its aspect ratio. The values are 8-bit sRGB and
//! are not converted.
//!
//! The evidence has these parts. `l1`, `l2`, `psnr` (null if nothing differs, since it is infinite then) and
//! `ssim` (null below 11 × 11 pixels) are over the whole picture. `edit_fraction` (changed pixels),
//! `main_fraction` (changed pixels in large connected parts), `components` and `log_weight` describe the
//! change mask. `mask` is the change mask in cells of 8 × 8 pixels, as the lengths of runs row by row, black
//! and white in turn. `inside` and `outside` are the same measures for a region, which `region` names:
//!
//! | `region` | inside |
//! |---|---|
//! | `annotation` | what the item's `expect.mask` marks: a picture (white is to be edited), or PIE-Bench's list of starts and lengths |
//! | `target` | where `expect.target`, the expected picture, differs from the input |
//! | `output` | where the output itself differs from the input; `outside` is then small by construction, and says nothing about what was preserved |
//!
//! `outside` begins one kernel beyond the region, and its SSIM counts only windows that are completely
//! outside. If the region does not come from the output, there are `precision`, `recall`, `iou` and `leak`
//! (the share of the outside that changed). If there is a mask, there is `zeroed`: both pictures are made
//! black inside, and compared over the whole frame, as PIE-Bench's scripts do. If there is a target, there is
//! `target`: the output against the target, at the target's size, over the whole picture and inside of the
//! region.

mod region;

use super::pictures::{
    at_size_of, expected_text, files, input_picture, open_picture, output_pixels,
};
use super::{BuildError, Described, Means, ObserveError, Observer, Subject};
use crate::image::cv::{Element, dilate, erode};
use crate::image::edit::{
    Change, ChangeSettings, Difference, Mask, SSIM_RADIUS, differences, log_weight, pool, ssim,
};
use crate::record::Item;
use crate::record::evidence::{
    ChangeMask, Comparison, Overlap, PixelMeasures, RegionMeasures, TargetMeasures, written,
};
use image::RgbImage;
use rayon::prelude::*;
use region::Region;
pub(super) use region::annotated_mask;
use serde_json::{Value, json};

/// Increases when the numbers change.
const VERSION: u32 = 1;

/// The observer.
pub struct EditPixels(ChangeSettings);

impl EditPixels {
    fn look(&self, subject: &Subject<'_>) -> Result<Value, ObserveError> {
        let output = output_pixels(subject, Self::NAME)?;
        let input = input_picture(subject, Self::NAME)?;
        let target = expected_text(subject.item, "target")
            .map(|path| open_picture(subject, path, "target picture"))
            .transpose()?;
        let resized = at_size_of(output, &input);
        let seen = resized.as_ref().unwrap_or(output);
        let change = Change::between(&input, seen, &self.0);
        let region = Region::find(subject, &input, target.as_ref(), &change, &self.0)?;
        let near = dilate(&region.mask, &self.0.element(&input));
        let far = near.inverted();

        let [left, edited] = differences(&input, seen, &region.mask);
        let whole = Mask::from_fn(near.width(), near.height(), |_, _| true);
        let windows = |mask: &Mask| erode(mask, &Element::square(SSIM_RADIUS));
        let centres = [&whole, &windows(&region.mask), &windows(&far)];
        let similar = ssim(&input, seen, &centres);
        let similarity = |place: usize| similar.get(place).copied().flatten();
        let outside = differences(&input, seen, &near)[0];
        let cells = pool(&change.main, self.0.cell);
        Ok(written(&PixelMeasures {
            width: input.width(),
            height: input.height(),
            resized: resized.is_some(),
            identical: (left + edited).identical(),
            whole: comparison(left + edited, similarity(0)),
            edit_fraction: change.all.share(),
            main_fraction: change.main.share(),
            components: change.components,
            log_weight: log_weight(&cells),
            mask: ChangeMask {
                width: cells.width(),
                height: cells.height(),
                cell: self.0.cell,
                runs: cells.runs(),
            },
            region: region.from,
            inside: region_measures(&region.mask, edited, similarity(1)),
            outside: region_measures(&far, outside, similarity(2)),
            overlap: region
                .is_given()
                .then(|| overlap(&change.all, &region.mask, &near)),
            zeroed: region
                .is_annotated()
                .then(|| compare_zeroed(&input, seen, &region.mask, left)),
            target: target
                .as_ref()
                .map(|target| compare_with_target(output, target, &region.mask)),
        })?)
    }
}

/// L1, L2, PSNR and SSIM.
fn comparison(difference: Difference, similarity: Option<f64>) -> Comparison {
    Comparison {
        l1: difference.l1(),
        l2: difference.l2(),
        psnr: difference.psnr(),
        ssim: similarity,
    }
}

fn region_measures(mask: &Mask, difference: Difference, similarity: Option<f64>) -> RegionMeasures {
    RegionMeasures {
        share: mask.share(),
        comparison: comparison(difference, similarity),
    }
}

/// How well the changed pixels match the region. Pixels within one kernel of the region count as inside for
/// `precision` and `leak`.
fn overlap(changed: &Mask, region: &Mask, near: &Mask) -> Overlap {
    let share = |part: usize, all: usize| (all > 0).then(|| part as f64 / all as f64);
    let (all, wanted) = (changed.count(), region.count());
    let (hit, close) = (changed.overlap(region), changed.overlap(near));
    let outside = near.pixels().len() - near.count();
    Overlap {
        precision: share(close, all),
        recall: share(hit, wanted),
        iou: share(hit, all + wanted - hit),
        leak: share(all - close, outside),
    }
}

/// Compares the pictures over the whole frame after both are made black inside the region.
fn compare_zeroed(
    input: &RgbImage,
    seen: &RgbImage,
    region: &Mask,
    left: Difference,
) -> Comparison {
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
    let all = left.spread_over(region.pixels().len() as u64);
    comparison(all, similar.into_iter().next().flatten())
}

/// Compares the output with the target, at the target's size.
fn compare_with_target(output: &RgbImage, target: &RgbImage, region: &Mask) -> TargetMeasures {
    let resized = at_size_of(output, target);
    let seen = resized.as_ref().unwrap_or(output);
    let region = region.resized(target.width() as usize, target.height() as usize);
    let [left, edited] = differences(target, seen, &region);
    let whole = Mask::from_fn(region.width(), region.height(), |_, _| true);
    let inside = erode(&region, &Element::square(SSIM_RADIUS));
    let similar = ssim(target, seen, &[&whole, &inside]);
    let similarity = |place: usize| similar.get(place).copied().flatten();
    TargetMeasures {
        whole: comparison(left + edited, similarity(0)),
        inside: region_measures(&region, edited, similarity(1)),
    }
}

impl Described for EditPixels {
    type Settings = ChangeSettings;
    const NAME: &'static str = "edit-pixels";
    const ABOUT: &'static str =
        "what an edit changed and what it left unchanged, measured in pixels";

    fn open(settings: ChangeSettings, _: &Means<'_>) -> Result<Self, BuildError> {
        if let Some(mistake) = settings.mistake() {
            let mistake = format!("observe.{}: {mistake}", Self::NAME);
            return Err(BuildError::Value { mistake });
        }
        Ok(Self(settings))
    }
}

impl Observer for EditPixels {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn identity(&self) -> Value {
        json!({"observer": Self::NAME, "version": VERSION, "settings": self.0})
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
