//! The phase `denoise`: Euler steps along a velocity field, from noise to latents.

use super::field::Field;
use super::settings::PictureSettings;
use super::size::{Canvas, Sizing};
use crate::cancel::Cancel;
use crate::generate::error::GenerateError;
use crate::generate::generator::Request;
use crate::generate::latents::{denoised, latents_step};
use crate::generate::pipeline::{
    AnyNetwork, CheckpointFolder, Key, Named, Phase, Stage, Step, running,
};
use crate::model::Result;
use crate::model::flow_match::{FlowMatchConfig, euler_step};
use crate::model::flux::latents;
use crate::model::noise;
use crate::record::Object;
use candle_core::{DType, Device, Tensor};
use serde_json::json;

/// A velocity field with its networks.
pub(crate) struct Denoiser {
    /// The velocity of the latents.
    pub field: Box<dyn Field>,
    /// The networks that the field runs.
    pub networks: Vec<Box<dyn AnyNetwork>>,
    /// Width of a packed token, which is four times the number of latent channels.
    pub token_width: usize,
}

/// The phase that moves latents along a velocity field.
struct Denoise {
    field: Box<dyn Field>,
    num_inference_steps: usize,
    guidance_scale: f32,
    scheduler: FlowMatchConfig,
    token_width: usize,
    sizing: Sizing,
    device: Device,
    dtype: DType,
}

/// The phase for a folder that has `scheduler/`.
pub(super) fn denoise_phase(
    flux: &CheckpointFolder,
    denoiser: Denoiser,
    settings: Result<(PictureSettings, Sizing), GenerateError>,
) -> Phase {
    let Denoiser {
        field,
        networks,
        token_width,
    } = denoiser;
    let flux = flux.clone();
    Phase::new("denoise", networks, move |device| {
        let (settings, sizing) = settings?;
        if settings.num_inference_steps == 0 {
            return Err(GenerateError::fatal(
                "`num_inference_steps` is 0; it must be 1 or more",
                "the published evaluations use 28 to 50",
            ));
        }
        Ok(Denoise {
            field,
            num_inference_steps: settings.num_inference_steps,
            guidance_scale: settings.guidance_scale,
            scheduler: flux.config("scheduler/scheduler_config.json")?,
            token_width,
            sizing,
            device: device.clone(),
            dtype: flux.dtype(),
        })
    })
}

impl Stage for Denoise {
    fn key(&self, request: &Request<'_>, before: &Key) -> Result<Key, GenerateError> {
        let Canvas { h, w } = self.sizing.canvas(request)?;
        let shape = json!([
            "denoise",
            self.field.name(),
            self.num_inference_steps,
            self.guidance_scale,
            [h, w],
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
        let canvas = self.sizing.canvas(request)?;
        let x = self
            .start(canvas, request.seed)
            .map_err(running("denoise"))?;
        let x = self.steps(x, canvas, before, cancel)?;
        Ok(latents_step(x, Object::new()))
    }
}

impl Denoise {
    /// `torch.randn` of the shape (1, c, 2h, 2w) on a CPU generator in f32, packed and cast.
    fn start(&self, Canvas { h, w }: Canvas, seed: u64) -> Result<Tensor> {
        let channels = self.token_width / 4;
        let count = channels * 4 * h * w;
        let values = noise::randn(&mut noise::Generator::new(seed), count, DType::F32);
        let latents_shape = (1, channels, 2 * h, 2 * w);
        let cells = Tensor::from_vec(values, latents_shape, &Device::Cpu)?;
        let tokens = latents::pack(&cells)?;
        Ok(tokens.to_device(&self.device)?.to_dtype(self.dtype)?)
    }

    fn steps(
        &self,
        x: Tensor,
        canvas: Canvas,
        before: &Named,
        cancel: &Cancel,
    ) -> Result<Tensor, GenerateError> {
        let (steps, tokens) = (self.num_inference_steps, canvas.h * canvas.w);
        let sigmas = self.scheduler.sigmas(steps, tokens);
        let sigmas = sigmas.map_err(running("denoise"))?;
        let field = &self.field;
        let velocity = field.velocity(before, canvas, self.guidance_scale, &self.device)?;
        denoised(x, sigmas.windows(2), cancel, |x, pair| {
            let seen = Tensor::new(&[as_seen(pair[0], self.dtype)], &self.device)?;
            euler_step(x, &velocity(x, &seen)?, pair[0], pair[1])
        })
    }
}

/// Sigma as a network in bf16 gets it in the authors' pipelines: the time in thousandths is rounded to bf16
/// three times.
fn as_seen(sigma: f32, dtype: DType) -> f32 {
    if dtype != DType::BF16 {
        return sigma;
    }
    let round = |x: f32| half::bf16::from_f32(x).to_f32();
    round(round(round(sigma * 1000.0) / 1000.0) * 1000.0) / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    // 992, 980 and 968 are computed by hand: bf16 has 8 significant bits, so its steps are 4 from 512 to
    // 1024.
    #[test]
    fn a_time_is_rounded_as_by_the_authors_in_bf16_alone() {
        for (sigma, seen) in [(0.990_34, 992.0), (0.980_14, 980.0), (0.969_36, 968.0)] {
            assert_eq!(as_seen(sigma, DType::BF16) * 1000.0, seen);
            assert_eq!(as_seen(sigma, DType::F32), sigma);
        }
    }
}
