//! `restoration`: how near an output is to the clean picture of an item with noise, and how near the noisy
//! input was.
//!
//! An output of another size is resized to the clean picture's by Pillow's bicubic filter.

use super::pictures::{at_size_of, expected_text, input_picture, open_picture, output_pixels};
use super::{BuildError, Described, Means, ObserveError, Observer, Subject};
use crate::image::edit::{Mask, differences, ssim};
use crate::image::noise::{Ladder, rescaled};
use crate::record::Item;
use crate::record::evidence::{Field, Restored, written};
use image::RgbImage;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Increases when the numbers change.
const VERSION: u32 = 1;

/// Settings of the observer `restoration`. There are none.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RestorationSettings {}

/// The observer.
pub struct Restoration;

fn look(subject: &Subject<'_>) -> Result<Value, ObserveError> {
    let output = output_pixels(subject, Restoration::NAME)?;
    let clean = expected_text(subject.item, "clean").ok_or_else(|| {
        ObserveError::new(
            "input",
            "restoration compares an output with the clean picture, but this item has no `expect.clean`",
        )
    })?;
    let clean = open_picture(subject, clean, "clean picture")?;
    let noisy = input_picture(subject, Restoration::NAME)?;
    let resized = at_size_of(output, &clean);
    let shown = at_size_of(&noisy, &clean).unwrap_or(noisy);
    let (ladder, level) = step(subject.item);
    let (psnr_clean, ssim_clean) = nearness(&clean, resized.as_ref().unwrap_or(output));
    let (psnr_input, ssim_input) = nearness(&clean, &shown);
    let (psnr_rescaled, _) = nearness(&clean, &rescaled(&shown, ladder, level));
    Ok(written(&Restored {
        psnr_clean,
        ssim_clean,
        psnr_input,
        ssim_input,
        psnr_rescaled,
        resized: resized.is_some(),
    })?)
}

/// The ladder and the level of an item. Without them, the input has no noise.
fn step(item: &Item) -> (Ladder, f64) {
    let ladder = item.expect.get("noise").map(Ladder::deserialize);
    let level = item.expect.get("level").and_then(Value::as_f64);
    let ladder = ladder.and_then(Result::ok).unwrap_or_default();
    (ladder, level.unwrap_or_default())
}

/// PSNR and SSIM of two pictures of one size.
fn nearness(clean: &RgbImage, other: &RgbImage) -> (Field<f64>, Field<f64>) {
    let (width, height) = (clean.width() as usize, clean.height() as usize);
    let whole = Mask::from_fn(width, height, |_, _| true);
    let [_, all] = differences(clean, other, &whole);
    let similar = ssim(clean, other, &[&whole]).into_iter().next().flatten();
    (Field::or_null(all.psnr()), Field::or_null(similar))
}

impl Described for Restoration {
    type Settings = RestorationSettings;
    const NAME: &'static str = "restoration";
    const ABOUT: &'static str = "how near an output is to the clean picture of an item with noise";

    fn open(_: RestorationSettings, _: &Means<'_>) -> Result<Self, BuildError> {
        Ok(Self)
    }
}

impl Observer for Restoration {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn identity(&self) -> Value {
        json!({"observer": Self::NAME, "version": VERSION})
    }

    fn asked(&self, item: &Item) -> Value {
        json!([item.expect.get("noise"), item.expect.get("level")])
    }

    fn files(&self, item: &Item) -> Vec<String> {
        let clean = expected_text(item, "clean");
        let inputs = item.compared_with().into_iter().take(1);
        inputs.chain(clean).map(str::to_owned).collect()
    }

    fn batch(&self) -> usize {
        4
    }

    fn observe(&self, subjects: &[Subject<'_>]) -> Vec<Result<Value, ObserveError>> {
        subjects.par_iter().map(look).collect()
    }
}
