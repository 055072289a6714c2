//! The phase `denoise`: Euler steps of flow matching, from noise to latents.

use super::ZImageSettings;
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
use crate::model::schedulers::{Levels, Plan, Sampler};
use crate::model::z_image::{Caption, ZImageConfig, ZImageTransformer};
use crate::record::Object;
use candle_core::{DType, Device, Tensor};
use serde_json::json;

/// Number of latent cells along the side of a token.
const PATCH: u32 = 2;

struct Denoise {
    network: Network<ZImageTransformer>,
    plan: Plan,
    /// The scheduler's file, for the content hash.
    scheduler: serde_json::Value,
    settings: ZImageSettings,
    /// Shape of the latents, [1, c, h, w].
    shape: [usize; 4],
    device: Device,
}

/// The phase for a folder that has `transformer/` and `scheduler/`. `cell` is the number of pixels along the
/// side of a latent cell.
pub(super) fn denoise_phase(
    folder: &CheckpointFolder,
    settings: &ZImageSettings,
    config: ZImageConfig,
    cell: u32,
) -> Phase {
    let location = folder.location_of("transformer");
    let info = NetworkInfo::new("Z-Image transformer", location, folder.dtype());
    let channels = config.in_channels;
    let network = Network::new(info, move |weights| {
        ZImageTransformer::new(&config, weights)
    });
    let (folder, settings) = (folder.clone(), settings.clone());
    Phase::new("denoise", vec![network.any()], move |device| {
        let (h, w) = cells(settings.size, PATCH * cell)?;
        let side = PATCH as usize;
        let (scheduler, written) = scheduler_of(&folder)?;
        let plan = scheduler
            .plan(settings.num_inference_steps, Some(h * w), Levels::Even)
            .map_err(fatal)?;
        Ok(Denoise {
            network,
            plan,
            scheduler: written,
            shape: [1, channels, side * h, side * w],
            device: device.clone(),
            settings,
        })
    })
}

impl Stage for Denoise {
    fn key(&self, request: &Request<'_>, before: &Key) -> Result<Key, GenerateError> {
        let shape = json!([
            "z-image",
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
        let network = self.network.get()?;
        let caption = captioned(&network, before, PROMPT).map_err(&wrong)?;
        let negative = if self.settings.guidance_scale > 0.0 {
            let negative = captioned(&network, before, NEGATIVE_PROMPT);
            Some(negative.map_err(&wrong)?)
        } else {
            None
        };
        let x = self.start(request).map_err(&wrong)?;
        let mut sampler = Sampler::new(&self.plan);
        let count = self.plan.timesteps.len();
        let sigmas = self.plan.sigmas.iter().take(count);
        let x = denoised(x, sigmas, cancel, |x, &sigma| {
            let output = self.output(&network, x, sigma, &caption, negative.as_ref())?;
            sampler.step(x, &output.neg()?, None)
        })?;
        Ok(latents_step(x, Object::new()))
    }
}

impl Denoise {
    /// The noise, in f32 whatever the network's number format is.
    fn start(&self, request: &Request<'_>) -> Result<Tensor> {
        let mut noise = Noise::new(self.settings.noise, request.seed);
        noise.tensor(&self.shape, DType::F32, &self.device)
    }

    /// The guided output of the network, of which the velocity is the negative.
    fn output(
        &self,
        network: &ZImageTransformer,
        x: &Tensor,
        sigma: f32,
        caption: &Caption,
        negative: Option<&Caption>,
    ) -> Result<Tensor> {
        let time = Tensor::new(&[1.0 - sigma], &self.device)?;
        let with = network.forward(x, &time, caption)?;
        let Some(negative) = negative else {
            return Ok(with);
        };
        let without = network.forward(x, &time, negative)?;
        Ok((&with + ((&with - without)? * self.settings.guidance_scale)?)?)
    }
}

/// The prompt with this name, from the phase before.
fn captioned(network: &ZImageTransformer, before: &Named, name: &str) -> Result<Caption> {
    network.caption(encoded(before, name)?)
}
