//! The phase `denoise`: Euler steps of flow matching, from noise to latents.

use super::QwenImageSettings;
use super::pictures::Pictures;
use super::reference::References;
use crate::cancel::Cancel;
use crate::generate::error::GenerateError;
use crate::generate::generator::Request;
use crate::generate::latents::{denoised, encoded, latents_step};
use crate::generate::pipeline::{
    CheckpointFolder, Key, Named, Network, NetworkInfo, Phase, Stage, Step, fatal, running,
};
use crate::generate::stable_diffusion::denoise::{cells, scheduler_of};
use crate::generate::stable_diffusion::names::{NEGATIVE_PROMPT, PROMPT};
use crate::generate::stable_diffusion::noise::Noise;
use crate::model::Result;
use crate::model::flux::latents;
use crate::model::qwen_image::{Places, QwenImageConfig, QwenImageTransformer, renormed};
use crate::model::schedulers::{Levels, Plan, Sampler, SchedulerConfig};
use crate::record::Object;
use candle_core::{DType, Device, Tensor};
use serde_json::json;

/// Number of latent cells along the side of a token.
const PATCH: usize = 2;
/// The only scheduler whose levels the transformer understands.
const FLOW: &str = "FlowMatchEulerDiscreteScheduler";

struct Denoise {
    network: Network<QwenImageTransformer>,
    scheduler: SchedulerConfig,
    /// The scheduler's file, for the content hash.
    written: serde_json::Value,
    settings: QwenImageSettings,
    pictures: Pictures,
    /// Number of channels of the latents.
    channels: usize,
    /// Side of a latent cell, in pixels.
    cell: u32,
    device: Device,
    dtype: DType,
}

/// The phase for a folder that has `transformer/` and `scheduler/`. `cell` is the number of pixels along the
/// side of a latent cell.
pub(super) fn denoise_phase(
    folder: &CheckpointFolder,
    settings: &QwenImageSettings,
    pictures: Pictures,
    config: QwenImageConfig,
    cell: u32,
) -> Phase {
    let location = folder.location_of("transformer");
    let info = NetworkInfo::new("Qwen-Image transformer", location, folder.dtype());
    let channels = config.out_channels;
    let network = Network::new(info, move |weights| {
        QwenImageTransformer::new(&config, weights)
    });
    let (folder, settings) = (folder.clone(), settings.clone());
    Phase::new("denoise", vec![network.any()], move |device| {
        let (scheduler, written) = scheduler_of(&folder)?;
        let denoise = Denoise {
            network,
            scheduler,
            written,
            settings,
            pictures,
            channels,
            cell,
            device: device.clone(),
            dtype: folder.dtype(),
        };
        denoise.check()?;
        Ok(denoise)
    })
}

impl Stage for Denoise {
    fn key(&self, request: &Request<'_>, before: &Key) -> Result<Key, GenerateError> {
        let shape = json!([
            "qwen-image",
            self.written,
            self.settings.num_inference_steps,
            self.settings.true_cfg_scale,
            self.pictures.output(request)?,
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
        let grid = cells(self.pictures.output(request)?, self.token())?;
        let x = self.start(request, grid).map_err(&wrong)?;
        let x = self.steps(x, grid, before, cancel)?;
        let (h, w) = grid;
        let x = latents::unpack(&x, h, w).map_err(&wrong)?;
        Ok(latents_step(x, Object::new()))
    }
}

impl Denoise {
    /// Side of a token, in pixels.
    fn token(&self) -> u32 {
        PATCH as u32 * self.cell
    }

    /// Finds mistakes in the settings and in the scheduler's file before the first request.
    fn check(&self) -> Result<(), GenerateError> {
        if let Some(size) = self.pictures.size {
            cells(size, self.token())?;
        }
        let named = &self.scheduler.class_name;
        if named != FLOW {
            return Err(GenerateError::fatal(
                format!("scheduler/scheduler_config.json: `_class_name` is `{named}`"),
                format!("Qwen-Image needs {FLOW}"),
            ));
        }
        self.plan(1).map(drop)
    }

    /// The plan for a picture with this number of tokens.
    fn plan(&self, tokens: usize) -> Result<Plan, GenerateError> {
        let steps = self.settings.num_inference_steps;
        self.scheduler
            .plan(steps, Some(tokens), Levels::Even)
            .map_err(fatal)
    }

    /// The packed noise [1, h · w, 4z] in the number format of the network.
    fn start(&self, request: &Request<'_>, (h, w): (usize, usize)) -> Result<Tensor> {
        let shape = [1, self.channels, PATCH * h, PATCH * w];
        let mut noise = Noise::new(self.settings.noise, request.seed);
        let cells = noise.tensor(&shape, self.dtype, &self.device)?;
        Ok(latents::pack(&cells)?.to_dtype(self.dtype)?)
    }

    /// From packed noise to packed latents, [1, h · w, 4z].
    fn steps(
        &self,
        x: Tensor,
        grid: (usize, usize),
        before: &Named,
        cancel: &Cancel,
    ) -> Result<Tensor, GenerateError> {
        let plan = self.plan(grid.0 * grid.1)?;
        let network = self.network.get()?;
        let seen = self.seen(&network, grid, before);
        let seen = seen.map_err(running("denoise"))?;
        let mut sampler = Sampler::new(&plan);
        denoised(x, &plan.timesteps, cancel, |x, &time| {
            let sigma = Tensor::new(&[as_seen(time, self.dtype)], &self.device)?;
            let velocity = seen.velocity(&network, x, &sigma)?;
            Ok(sampler.step(x, &velocity, None)?.to_dtype(self.dtype)?)
        })
    }

    /// What the network sees in every step, from the results of earlier phases.
    fn seen(
        &self,
        network: &QwenImageTransformer,
        grid: (usize, usize),
        before: &Named,
    ) -> Result<Seen> {
        let mut grids = vec![grid];
        let references = References::stored(before)?;
        if let Some(references) = &references {
            grids.extend(&references.grids);
        }
        let prompt = |name: &str| -> Result<Prompt> {
            let states = encoded(before, name)?.clone();
            let places = network.places(&grids, states.dim(1)?, &self.device)?;
            Ok(Prompt { states, places })
        };
        let guided = self.settings.is_guided();
        Ok(Seen {
            prompt: prompt(PROMPT)?,
            negative: guided.then(|| prompt(NEGATIVE_PROMPT)).transpose()?,
            scale: self.settings.true_cfg_scale,
            references: references.map(|references| references.tokens),
        })
    }
}

/// The states of a prompt [1, L, J], with the positions of pictures and words.
struct Prompt {
    states: Tensor,
    places: Places,
}

/// What the network sees in every step.
struct Seen {
    prompt: Prompt,
    negative: Option<Prompt>,
    scale: f64,
    /// The packed latents of the references, [1, n, 4z].
    references: Option<Tensor>,
}

impl Seen {
    /// The guided velocity of the output's tokens [1, N, 4z].
    fn velocity(
        &self,
        network: &QwenImageTransformer,
        x: &Tensor,
        sigma: &Tensor,
    ) -> Result<Tensor> {
        let tokens = match &self.references {
            Some(references) => Tensor::cat(&[x, &references.to_dtype(x.dtype())?], 1)?,
            None => x.clone(),
        };
        let of = |prompt: &Prompt| -> Result<Tensor> {
            let velocity = network.forward(&tokens, &prompt.states, sigma, &prompt.places)?;
            Ok(velocity.to_dtype(DType::F32)?)
        };
        let with = of(&self.prompt)?;
        match &self.negative {
            Some(negative) => renormed(&with, &of(negative)?, self.scale),
            None => Ok(with),
        }
    }
}

/// Sigma as a network gets it in the authors' pipeline: the time in thousandths is rounded to the network's
/// number format, divided by 1000, and rounded again.
fn as_seen(time: f32, dtype: DType) -> f32 {
    let round = |x: f32| match dtype {
        DType::BF16 => half::bf16::from_f32(x).to_f32(),
        DType::F16 => half::f16::from_f32(x).to_f32(),
        _ => x,
    };
    round(round(time) / 1000.0)
}

#[cfg(test)]
mod tests;
