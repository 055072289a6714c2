//! `bagel_vit`: pictures through the eyes. `bagel_llm`: all parts of a sequence through the decoder.

use super::words::Inputs;
use crate::model::ModelError;
use crate::model::bagel::{Bagel, BagelConfig, Context, Eye, Grid};
use crate::model::weights::{Files, load};
use crate::parity::case::{Case, CaseError, Tensors};
use candle_core::{DType, Device, Tensor};
use std::sync::Arc;

/// The networks of `ema.safetensors`.
pub(super) struct Networks {
    pub(super) bagel: Bagel,
    pub(super) eye: Eye,
}

/// Loads the decoder and the eyes of a case, as the pipeline does.
pub(super) fn networks(case: &Case, device: &Device) -> Result<Networks, CaseError> {
    let folder = case.checkpoint();
    let config = BagelConfig::read(&folder)?;
    let files = Arc::new(Files::open(&folder.join("ema.safetensors"))?);
    Ok(Networks {
        bagel: load(&files, DType::F32, device, |weights| {
            Bagel::new(&config, weights)
        })?,
        eye: load(&files, DType::F32, device, |weights| {
            Eye::new(&config, weights)
        })?,
    })
}

/// Whole numbers as I64, which cases store.
pub(super) fn ids(values: &[u32]) -> Result<Tensor, CaseError> {
    let values: Vec<i64> = values.iter().copied().map(i64::from).collect();
    let length = values.len();
    Ok(Tensor::from_vec(values, length, &Device::Cpu)?)
}

/// A size (h, w) in the inputs.
pub(super) fn grid(case: &Case, name: &str) -> Result<Grid, CaseError> {
    match case.integers(name)?[..] {
        [h, w] if h > 0 && w > 0 => Ok(Grid {
            h: h as usize,
            w: w as usize,
        }),
        _ => Err(ModelError::Input(format!("{name} is not (h, w)")).into()),
    }
}

/// Runs `bagel_vit`.
pub(super) fn run_vit(case: &Case, device: &Device) -> Result<Tensors, CaseError> {
    let Networks { eye, .. } = networks(case, device)?;
    let mut made = Tensors::new();
    for (k, pixels) in case.numbered("pixel_values") {
        let pixels = pixels.to_device(device)?;
        let grid = eye.grid(&pixels)?;
        let features = eye.features(&pixels)?;
        made.insert(format!("position_ids.{k}"), ids(&eye.position_ids(grid)?)?);
        made.insert(format!("embeds.{k}"), eye.embeds(&features, grid)?);
        made.insert(format!("features.{k}"), features);
    }
    Ok(made)
}

/// Runs `bagel_llm`.
pub(super) fn run_llm(case: &Case, device: &Device) -> Result<Tensors, CaseError> {
    let Networks { bagel, eye } = networks(case, device)?;
    let inputs = Inputs::new(case)?;
    let special = inputs.special;
    let input = |name: &str| Ok::<_, CaseError>(case.input(name)?.to_device(device)?);
    let mut context = Context::default();
    let (mut hidden, mut positions) = (Vec::new(), Vec::new());
    let text = |name: &str, context: &mut Context, positions: &mut Vec<u32>| {
        let start = context.mark();
        let states = bagel.read_text(&inputs.ids(name)?, special, context)?;
        let tokens = context.mark().length - start.length;
        positions.extend((start.position..start.position + tokens).map(|p| p as u32));
        Ok::<_, CaseError>(states)
    };
    hidden.push(text("text_a_ids", &mut context, &mut positions)?);
    let latents = input("vae_latents")?;
    let pixels = input("vit_pixels")?;
    let embeds = eye.embeds(&eye.features(&pixels)?, eye.grid(&pixels)?)?;
    for is_latents in [true, false] {
        let start = context.mark();
        let states = if is_latents {
            bagel.read_latents(&latents, special, &mut context)?
        } else {
            bagel.read_picture(&embeds, special, &mut context)?
        };
        positions.extend(vec![start.position as u32; states.dim(1)?]);
        hidden.push(states);
    }
    let last = text("text_b_ids", &mut context, &mut positions)?;
    let logits = bagel.logits(&last)?;
    hidden.push(last);
    let grid = grid(case, "noise_grid")?;
    let branch = bagel.branch(&[&context], grid)?;
    let time: Vec<f32> = case.input("timestep")?.to_vec1()?;
    let time = time.first().copied().unwrap_or(0.0);
    let noise = input("noise")?.unsqueeze(0)?;
    let states = bagel.noise_states(&noise, grid, &[f64::from(time)], special, &branch)?;
    positions.extend(vec![context.mark().position as u32; states.dim(1)?]);
    let velocity = bagel.velocity(&states)?.squeeze(0)?;
    hidden.push(states);
    Ok([
        ("position_ids".to_owned(), ids(&positions)?),
        ("hidden".to_owned(), Tensor::cat(&hidden, 1)?.squeeze(0)?),
        ("logits".to_owned(), logits),
        ("velocity".to_owned(), velocity),
    ]
    .into())
}
