//! The phase `denoise`: the steps of the checkpoint's scheduler, from noise to latents.

use super::names::{NEGATIVE_POOLED, NEGATIVE_PROMPT, POOLED, PROMPT};
use super::noise::Noise;
use super::settings::StableDiffusionSettings;
use super::variant::weights_of;
use crate::cancel::Cancel;
use crate::generate::error::GenerateError;
use crate::generate::generator::Request;
use crate::generate::latents::{denoised, encoded, latents_step};
use crate::generate::pipeline::{
    CheckpointFolder, Key, Named, Network, NetworkInfo, Phase, Stage, Step, fatal, running,
};
use crate::model::Result;
use crate::model::schedulers::{Levels, Plan, Sampler, SchedulerConfig};
use crate::model::stable_diffusion::{
    Added, Guidance, Prompt, UNet, UNetConfig, guided, size_numbers,
};
use crate::record::Object;
use candle_core::{DType, Device, Tensor};
use serde_json::json;

struct Denoise {
    unet: Network<UNet>,
    plan: Plan,
    /// The scheduler's file, for the content hash.
    scheduler: serde_json::Value,
    settings: StableDiffusionSettings,
    guidance: Guidance,
    is_xl: bool,
    /// Shape of the latents, [1, c, h, w].
    shape: [usize; 4],
    device: Device,
    dtype: DType,
}

/// The phase for a folder that has `unet/` and `scheduler/`. `cell` is the number of pixels along the side of
/// a latent cell.
pub(super) fn denoise_phase(
    folder: &CheckpointFolder,
    settings: &StableDiffusionSettings,
    config: UNetConfig,
    cell: u32,
) -> Phase {
    let location = weights_of(folder, "unet", settings.variant.as_deref());
    let info = NetworkInfo::new("UNet", location, folder.dtype());
    let (channels, is_xl) = (config.in_channels, config.is_xl());
    let unet = Network::new(info, move |weights| UNet::new(&config, weights));
    let (folder, settings) = (folder.clone(), settings.clone());
    Phase::new("denoise", vec![unet.any()], move |device| {
        let (h, w) = cells(settings.size, cell)?;
        if !(0.0..=1.0).contains(&settings.guidance_rescale) {
            return Err(GenerateError::fatal(
                format!(
                    "`guidance_rescale` = {} must be from 0 to 1",
                    settings.guidance_rescale
                ),
                "0 is the default of diffusers, and its authors suggest 0.7",
            ));
        }
        let (scheduler, written) = scheduler_of(&folder)?;
        let scheduler = if is_xl {
            scheduler
        } else {
            scheduler.as_in_stable_diffusion()
        };
        let plan = scheduler
            .plan(settings.num_inference_steps, None, Levels::Own)
            .map_err(fatal)?;
        Ok(Denoise {
            unet,
            plan,
            scheduler: written,
            guidance: Guidance {
                scale: settings.guidance_scale,
                rescale: settings.guidance_rescale,
            },
            is_xl,
            shape: [1, channels, h, w],
            device: device.clone(),
            dtype: folder.dtype(),
            settings,
        })
    })
}

/// The scheduler of a checkpoint's folder, and its file as it is written, for the content hash.
///
/// # Errors
/// Fails if the file is absent or has a mistake.
pub(in crate::generate) fn scheduler_of(
    folder: &CheckpointFolder,
) -> Result<(SchedulerConfig, serde_json::Value), GenerateError> {
    let file = "scheduler/scheduler_config.json";
    Ok((folder.config(file)?, folder.config(file)?))
}

/// The height and width of the latents.
///
/// # Errors
/// Fails if a side is no multiple of a cell.
pub(in crate::generate) fn cells(
    [width, height]: [u32; 2],
    cell: u32,
) -> Result<(usize, usize), GenerateError> {
    let odd = |side: &u32| *side == 0 || !side.is_multiple_of(cell);
    if [width, height].iter().any(odd) {
        return Err(GenerateError::fatal(
            format!("`size` = [{width}, {height}]: both sides must be multiples of {cell}"),
            "a cell of the latents covers that many pixels",
        ));
    }
    Ok(((height / cell) as usize, (width / cell) as usize))
}

impl Stage for Denoise {
    fn key(&self, request: &Request<'_>, before: &Key) -> Result<Key, GenerateError> {
        let settings = &self.settings;
        let seed = match settings.prompt_seed {
            Some(seed) => json!([seed, request.repeat]),
            None => json!(request.seed),
        };
        let shape = json!([
            "stable-diffusion",
            self.scheduler,
            settings.num_inference_steps,
            settings.guidance_scale,
            settings.guidance_rescale,
            self.shape,
            settings.noise,
            seed
        ]);
        Ok(Key::after(before, &shape, &[]))
    }

    fn run(
        &mut self,
        request: &Request<'_>,
        before: &Named,
        cancel: &Cancel,
    ) -> Result<Step, GenerateError> {
        let prompt = self
            .prompt(before, PROMPT, POOLED)
            .map_err(running("denoise"))?;
        let negative = if self.guidance.is_on() {
            let negative = self.prompt(before, NEGATIVE_PROMPT, NEGATIVE_POOLED);
            Some(negative.map_err(running("denoise"))?)
        } else {
            None
        };
        let x = self.steps(request, &prompt, negative.as_ref(), cancel)?;
        Ok(latents_step(x, Object::new()))
    }
}

impl Denoise {
    /// The prompt with these names, from the phase before.
    fn prompt(&self, before: &Named, states: &str, pooled: &str) -> Result<Prompt> {
        let [width, height] = self.settings.size;
        Ok(Prompt {
            context: encoded(before, states)?.clone(),
            added: if self.is_xl {
                Some(Added {
                    text_embeds: encoded(before, pooled)?.clone(),
                    time_ids: size_numbers(height, width, &self.device)?,
                })
            } else {
                None
            },
        })
    }

    fn steps(
        &self,
        request: &Request<'_>,
        prompt: &Prompt,
        negative: Option<&Prompt>,
        cancel: &Cancel,
    ) -> Result<Tensor, GenerateError> {
        let plan = &self.plan;
        let count: usize = self.shape.iter().product();
        let steps = if plan.adds_noise() {
            plan.timesteps.len()
        } else {
            0
        };
        let draws = (1 + steps, count, self.dtype);
        let settings = &self.settings;
        let mut noise = Noise::of_request(settings.noise, settings.prompt_seed, request, draws);
        let unet = self.unet.get()?;
        let x = self
            .drawn(&mut noise)
            .and_then(|x| Ok((x * plan.init_noise_sigma())?.to_dtype(self.dtype)?))
            .map_err(running("denoise"))?;
        let mut sampler = Sampler::new(plan);
        let times = plan.timesteps.iter().enumerate();
        denoised(x, times, cancel, |x, (number, &time)| {
            let seen = (x.to_dtype(DType::F32)? * plan.input_scale(number))?;
            let seen = seen.to_dtype(self.dtype)?;
            let guess = guided(&unet, &seen, time, prompt, negative, self.guidance)?;
            let added = plan.adds_noise().then(|| self.drawn(&mut noise));
            let next = sampler.step(x, &guess, added.transpose()?.as_ref())?;
            Ok(next.to_dtype(self.dtype)?)
        })
    }

    /// The next noise with the shape of the latents, in f32.
    fn drawn(&self, noise: &mut Noise) -> Result<Tensor> {
        noise.tensor(&self.shape, self.dtype, &self.device)
    }
}
