//! The phase `denoise`: Euler steps of flow matching, from noise to latents.

use super::StableDiffusion3Settings;
use crate::cancel::Cancel;
use crate::generate::error::GenerateError;
use crate::generate::generator::Request;
use crate::generate::latents::{denoised, encoded, latents_step};
use crate::generate::pipeline::{
    CheckpointFolder, Key, Named, Network, NetworkInfo, Phase, Stage, Step, fatal, running,
};
use crate::generate::stable_diffusion::denoise::{cells, scheduler_of};
use crate::generate::stable_diffusion::names::{NEGATIVE_POOLED, NEGATIVE_PROMPT, POOLED, PROMPT};
use crate::generate::stable_diffusion::noise::Noise;
use crate::generate::stable_diffusion::variant::weights_of;
use crate::model::Result;
use crate::model::schedulers::{Levels, Plan, Sampler};
use crate::model::sd3::{Sd3Config, Sd3Prompt, Sd3Transformer, guided};
use crate::record::Object;
use candle_core::{DType, Device, Tensor};
use serde_json::json;

struct Denoise {
    network: Network<Sd3Transformer>,
    plan: Plan,
    /// The scheduler's file, for the content hash.
    scheduler: serde_json::Value,
    settings: StableDiffusion3Settings,
    /// Shape of the latents, [1, c, h, w].
    shape: [usize; 4],
    device: Device,
    dtype: DType,
}

/// The phase for a folder that has `transformer/` and `scheduler/`. `cell` is the number of pixels along the
/// side of a latent cell.
pub(super) fn denoise_phase(
    folder: &CheckpointFolder,
    settings: &StableDiffusion3Settings,
    config: Sd3Config,
    cell: u32,
) -> Phase {
    let location = weights_of(folder, "transformer", settings.variant.as_deref());
    let info = NetworkInfo::new("SD3 transformer", location, folder.dtype());
    let (channels, patch) = (config.in_channels, config.patch_size);
    let network = Network::new(info, move |weights| Sd3Transformer::new(&config, weights));
    let (folder, settings) = (folder.clone(), settings.clone());
    Phase::new("denoise", vec![network.any()], move |device| {
        let (h, w) = cells(settings.size, cell * patch as u32)?;
        let (scheduler, written) = scheduler_of(&folder)?;
        let plan = scheduler
            .plan(settings.num_inference_steps, Some(h * w), Levels::Own)
            .map_err(fatal)?;
        Ok(Denoise {
            network,
            plan,
            scheduler: written,
            shape: [1, channels, patch * h, patch * w],
            device: device.clone(),
            dtype: folder.dtype(),
            settings,
        })
    })
}

impl Stage for Denoise {
    fn key(&self, request: &Request<'_>, before: &Key) -> Result<Key, GenerateError> {
        let shape = json!([
            "stable-diffusion-3",
            self.scheduler,
            self.settings.num_inference_steps,
            self.settings.guidance_scale,
            self.shape,
            self.settings.noise,
            request.seed
        ]);
        Ok(Key::after(before, &shape, &[]))
    }

    fn run(
        &mut self,
        request: &Request<'_>,
        before: &Named,
        cancel: &Cancel,
    ) -> Result<Step, GenerateError> {
        let wrong = running("denoise");
        let prompt = prompt_of(before, PROMPT, POOLED).map_err(&wrong)?;
        let negative = if self.settings.guidance_scale > 1.0 {
            Some(prompt_of(before, NEGATIVE_PROMPT, NEGATIVE_POOLED).map_err(&wrong)?)
        } else {
            None
        };
        let network = self.network.get()?;
        let x = self.start(request).map_err(&wrong)?;
        let mut sampler = Sampler::new(&self.plan);
        let scale = self.settings.guidance_scale;
        let x = denoised(x, &self.plan.timesteps, cancel, |x, &time| {
            let velocity = guided(&network, x, time, &prompt, negative.as_ref(), scale)?;
            Ok(sampler.step(x, &velocity, None)?.to_dtype(self.dtype)?)
        })?;
        Ok(latents_step(x, Object::new()))
    }
}

impl Denoise {
    fn start(&self, request: &Request<'_>) -> Result<Tensor> {
        let mut noise = Noise::new(self.settings.noise, request.seed);
        let x = noise.tensor(&self.shape, self.dtype, &self.device)?;
        Ok(x.to_dtype(self.dtype)?)
    }
}

/// The prompt with these names, from the phase before.
fn prompt_of(before: &Named, states: &str, pooled: &str) -> Result<Sd3Prompt> {
    Ok(Sd3Prompt {
        context: encoded(before, states)?.clone(),
        pooled: encoded(before, pooled)?.clone(),
    })
}
