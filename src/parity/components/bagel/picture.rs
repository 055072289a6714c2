//! `bagel_t2i` and `bagel_edit`: from ids, pictures and noise to a picture, in the manner of the authors'
//! inferencer.

use super::network::{Networks, grid, ids, networks};
use super::words::{Inputs, first_logits, look, write};
use crate::model::ModelError;
use crate::model::bagel::{Branches, Context, Renorm, Sampler, unpack};
use crate::model::flux_vae::{Decoder, Encoder, VaeConfig, bfl};
use crate::model::weights::Files;
use crate::parity::case::{Case, CaseError, Tensors};
use candle_core::{DType, Device, Tensor};
use std::sync::Arc;

/// The autoencoder in its authors' layout.
struct Vae {
    config: VaeConfig,
    encoder: Encoder,
    decoder: Decoder,
}

impl Vae {
    fn open(case: &Case, device: &Device) -> Result<Self, CaseError> {
        let path = case.checkpoint().join("ae.safetensors");
        let files = Arc::new(Files::open(&path)?);
        let config = bfl::config(&files)?;
        Ok(Self {
            encoder: bfl::load(&files, DType::F32, device, |weights| {
                Encoder::new(&config, weights)
            })?,
            decoder: bfl::load(&files, DType::F32, device, |weights| {
                Decoder::new(&config, weights)
            })?,
            config,
        })
    }

    /// The scaled latents [z, 2h, 2w] of pixels [3, H, W].
    fn latents(&self, pixels: &Tensor, noise: &Tensor) -> Result<Tensor, ModelError> {
        let moments = self.encoder.moments(&pixels.unsqueeze(0)?)?;
        let latents = self.config.sample(&moments, Some(&noise.unsqueeze(0)?))?;
        Ok(latents.squeeze(0)?)
    }
}

/// Runs all numbered runs of a case.
pub(super) fn run(case: &Case, device: &Device) -> Result<Tensors, CaseError> {
    let networks = networks(case, device)?;
    let vae = Vae::open(case, device)?;
    let mut made = Tensors::new();
    for (k, _) in case.numbered("prompt_ids") {
        run_one(case, k, (&networks, &vae), device, &mut made)?;
    }
    Ok(made)
}

/// The settings of a run, and the limit of its thinking.
fn settings(case: &Case, k: usize) -> Result<(Sampler, usize), CaseError> {
    let numbers: Vec<f32> = case.input(&format!("guidance.{k}"))?.to_vec1()?;
    let counts = case.integers(&format!("sampler.{k}"))?;
    let ([text, image, low, high, least, shift], [points, renorm, limit]) =
        (&numbers[..], &counts[..])
    else {
        return Err(ModelError::Input("guidance or sampler has another length".into()).into());
    };
    let sampler = Sampler {
        num_timesteps: *points as usize,
        timestep_shift: f64::from(*shift),
        cfg_text_scale: f64::from(*text),
        cfg_img_scale: f64::from(*image),
        cfg_interval: [f64::from(*low), f64::from(*high)],
        cfg_renorm_type: match renorm {
            0 => Renorm::Global,
            1 => Renorm::Channel,
            _ => Renorm::TextChannel,
        },
        cfg_renorm_min: f64::from(*least),
    };
    Ok((sampler, *limit as usize))
}

fn run_one(
    case: &Case,
    k: usize,
    (networks, vae): (&Networks, &Vae),
    device: &Device,
    made: &mut Tensors,
) -> Result<(), CaseError> {
    let Networks { bagel, eye } = networks;
    let inputs = Inputs::new(case)?;
    let special = inputs.special;
    let (sampler, limit) = settings(case, k)?;
    let (mut full, mut without_image) = (Context::default(), Context::default());
    let system = inputs.ids_if_any(&format!("system_ids.{k}"))?;
    if let Some(system) = &system {
        bagel.read_text(system, special, &mut full)?;
        without_image = full.clone();
    }
    let pixels = inputs.pictures("vae_pixels", k, device)?;
    let seen = inputs.pictures("vit_pixels", k, device)?;
    let noises = inputs.pictures("vae_noise", k, device)?;
    for (number, ((pixels, seen), noise)) in pixels.iter().zip(&seen).zip(&noises).enumerate() {
        let latents = vae.latents(pixels, noise)?;
        bagel.read_latents(&latents, special, &mut full)?;
        look(bagel, eye, seen, special, &mut full)?;
        let number = if number == 0 { "" } else { "_2" };
        made.insert(format!("vae_latents{number}.{k}"), latents);
    }
    let mark = full.mark();
    let prompt = inputs.ids(&format!("prompt_ids.{k}"))?;
    bagel.read_text(&prompt, special, &mut full)?;
    if pixels.is_empty() {
        without_image = full.clone();
    } else {
        bagel.read_text(&prompt, special, &mut without_image)?;
    }
    if system.is_some() {
        let thoughts = write(bagel, &full, special, limit)?;
        bagel.read_text(&thoughts.ids, special, &mut full)?;
        made.insert(format!("think_logits.{k}"), first_logits(&thoughts)?);
        made.insert(format!("think_ids.{k}"), ids(&thoughts.ids)?);
    }
    let grid = grid(case, &format!("grid.{k}"))?;
    let same = pixels.is_empty() && system.is_none();
    let branches = Branches {
        full: bagel.branch(&[&full], grid)?,
        without_text: bagel.branch(&[&full.up_to(mark)?], grid)?,
        without_image: (!same)
            .then(|| bagel.branch(&[&without_image], grid))
            .transpose()?,
    };
    let noise = case.input(&format!("noise.{k}"))?.to_device(device)?;
    let (mut times, mut used) = (Vec::new(), Vec::new());
    let noise = noise.unsqueeze(0)?;
    let latents = sampler.draw(bagel, (&noise, grid), special, &branches, &mut |step| {
        if times.is_empty() && k == 0 {
            let parts = [
                ("velocity_cond.0", Some(step.full)),
                ("velocity_no_text.0", step.without_text),
                ("velocity_no_image.0", step.without_image),
            ];
            for (name, part) in parts {
                if let Some(Ok(part)) = part.map(|part| part.squeeze(0)) {
                    made.insert(name.to_owned(), part);
                }
            }
        }
        times.push(step.time as f32);
        used.push(step.velocity.clone());
        true
    })?;
    let steps = times.len();
    made.insert(
        format!("timesteps.{k}"),
        Tensor::from_vec(times, steps, &Device::Cpu)?,
    );
    made.insert(format!("velocities.{k}"), Tensor::cat(&used, 0)?);
    let image = vae.decoder.decode(&unpack(&latents, grid)?)?;
    made.insert(format!("latents.{k}"), latents.squeeze(0)?);
    made.insert(format!("image.{k}"), image);
    Ok(())
}
