//! What the trainings of encoders of reference pictures share: the pictures, their numbers, and the published
//! folder.

use super::parts::write_json;
use crate::model::processor::FixedProcessor;
use crate::train::samples::{self, CHECKS, Content, TRAINING};
use crate::train::{TrainError, state};
use crate::world::random::Random;
use candle_core::{Device, Tensor};
use image::RgbImage;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// The files of a published encoder.
pub(super) const FILES: [&str; 3] = [
    "config.json",
    "preprocessor_config.json",
    "model.safetensors",
];

/// Pictures with what they show.
pub(super) struct Batch {
    /// What the pictures show.
    pub contents: Vec<Content>,
    /// The pictures.
    pub pictures: Vec<RgbImage>,
}

impl Batch {
    /// The pictures of a step. They are the same for every encoder with this seed.
    pub(super) fn of_step(seed: u64, step: u64, count: usize) -> Self {
        Self::drawn(
            &mut Random::new(seed, samples::stream(TRAINING, step)),
            count,
        )
    }

    /// Pictures of a check. No step of the training draws the same ones.
    pub(super) fn unseen(seed: u64, count: usize) -> Self {
        Self::drawn(&mut Random::new(seed, samples::stream(CHECKS, 0)), count)
    }

    fn drawn(random: &mut Random, count: usize) -> Self {
        let drawn = (0..count).map(|_| {
            let content = Content::sampled(random);
            let picture = content.draw(random);
            (content, picture)
        });
        let (contents, pictures) = drawn.unzip();
        Self { contents, pictures }
    }
}

/// Pixels [B, 3, S, S] as the published processor prepares them.
///
/// # Errors
/// Fails if the device has no room.
pub(super) fn pixels(
    pictures: &[RgbImage],
    processor: &FixedProcessor,
    device: &Device,
) -> Result<Tensor, TrainError> {
    let each = pictures.iter().map(|picture| processor.prepare(picture));
    let each: Vec<Tensor> = each.collect::<Result<_, _>>()?;
    Ok(Tensor::stack(&each, 0)?.to_device(device)?)
}

/// Writes an encoder as transformers stores it.
///
/// # Errors
/// Fails if the folder cannot be written.
pub(super) fn publish(
    folder: &Path,
    config: &Value,
    (name, processor): (&str, &FixedProcessor),
    weights: &BTreeMap<String, Tensor>,
) -> Result<(), TrainError> {
    write_json(&folder.join(FILES[0]), config)?;
    let size = processor.size;
    let preprocessor = json!({
        "image_processor_type": name,
        "do_convert_rgb": true,
        "do_resize": true,
        "size": {"height": size, "width": size},
        "resample": processor.filter.number(),
        "do_rescale": true,
        "rescale_factor": 1.0 / 255.0,
        "do_normalize": true,
        "image_mean": processor.mean,
        "image_std": processor.std,
    });
    write_json(&folder.join(FILES[1]), &preprocessor)?;
    state::write_weights(&folder.join(FILES[2]), weights)
}

/// The tensors whose names begin with a prefix.
pub(super) fn beginning(
    prefixes: &[&str],
    mut tensors: BTreeMap<String, Tensor>,
) -> BTreeMap<String, Tensor> {
    let own = |name: &str| prefixes.iter().any(|prefix| name.starts_with(prefix));
    tensors.retain(|name, _| own(name));
    tensors
}
