//! The phase `denoise`: Euler steps along a field, from noise to latents.

use super::field::Field;
use super::networks::running;
use super::scratch::{Key, Named};
use super::size::{Canvas, Sizing};
use super::stage::{Made, Stage, Step};
use crate::cancel::Cancel;
use crate::generate::error::GenerateError;
use crate::generate::generator::Request;
use crate::model::Result;
use crate::model::flow_match::{FlowMatchConfig, euler_step};
use crate::model::flux::latents;
use crate::model::noise;
use crate::model::weights::Checked;
use crate::record::Object;
use candle_core::{DType, Device, Tensor};

/// The packed latents that a chain's denoising leaves to its decoding.
pub const LATENTS: &str = "latents";

/// What the pipelines decide.
pub struct Sampling {
    pub num_inference_steps: usize,
    pub scheduler: FlowMatchConfig,
}

/// The denoiser.
pub struct Denoise {
    pub field: Box<dyn Field>,
    pub sampling: Sampling,
    /// Width of a packed token: four times the latent channels.
    pub token_width: usize,
    pub sizing: Sizing,
    pub device: Device,
    pub dtype: DType,
}

impl Stage for Denoise {
    fn name(&self) -> &'static str {
        "denoise"
    }

    fn bytes(&self) -> u64 {
        self.field.bytes()
    }

    fn loaded(&self) -> bool {
        self.field.loaded()
    }

    fn load(&mut self, check: Option<Checked>) -> Result<(), GenerateError> {
        self.field.load(check)
    }

    fn unload(&mut self) {
        self.field.unload();
    }

    fn key(&self, request: &Request<'_>, before: &Key) -> Result<Key, GenerateError> {
        let Canvas { h, w } = self.sizing.canvas(request)?;
        let how = format!(
            "denoise {} {} {h} {w} {}",
            self.sampling.num_inference_steps,
            self.field.identity(),
            request.seed
        );
        Ok(Key::of(&[how.as_bytes(), before.as_bytes()]))
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
        Ok(Step {
            made: Made::Tensors([(LATENTS.to_owned(), x)].into()),
            extra: Object::new(),
        })
    }
}

impl Denoise {
    /// `torch.randn` of (1, c, 2h, 2w) on a CPU generator in f32, packed and cast.
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
        &mut self,
        mut x: Tensor,
        canvas: Canvas,
        before: &Named,
        cancel: &Cancel,
    ) -> Result<Tensor, GenerateError> {
        let wrong = running("denoise");
        let sampling = &self.sampling;
        let sigmas = sampling
            .scheduler
            .sigmas(sampling.num_inference_steps, canvas.h * canvas.w)
            .map_err(&wrong)?;
        let velocity = self.field.velocity(before, canvas, &self.device)?;
        for (number, pair) in sigmas.windows(2).enumerate() {
            if cancel.is_raised() {
                return Err(GenerateError::Cancelled);
            }
            let step = || -> Result<Tensor> {
                let seen = Tensor::new(&[as_seen(pair[0], self.dtype)], &self.device)?;
                euler_step(&x, &velocity(&x, &seen)?, pair[0], pair[1])
            };
            x = step().map_err(&wrong)?;
            if number == 0 {
                finite(&x)?;
            }
        }
        finite(&x)?;
        Ok(x)
    }
}

/// Sigma as the authors' pipelines hand it to a network in bf16: the time in thousandths, through bf16 three times.
fn as_seen(sigma: f32, dtype: DType) -> f32 {
    if dtype != DType::BF16 {
        return sigma;
    }
    let round = |x: f32| half::bf16::from_f32(x).to_f32();
    round(round(round(sigma * 1000.0) / 1000.0) * 1000.0) / 1000.0
}

/// A latent that is not finite makes every later number so: better told at once.
fn finite(x: &Tensor) -> Result<(), GenerateError> {
    let sum = x
        .to_dtype(DType::F32)
        .and_then(|x| x.abs()?.sum_all()?.to_scalar::<f32>());
    match sum {
        Ok(sum) if sum.is_finite() => Ok(()),
        Ok(_) => Err(GenerateError::item(
            "not-finite",
            "the latents are not finite: the weights overflow in this precision, or are damaged; try `precision = \
             \"f32\"`",
        )),
        Err(error) => Err(GenerateError::item("network", error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // 992, 980 and 968 by hand: bf16 has 8 significant bits, so steps of 4 from 512 to 1024.
    #[test]
    fn a_time_is_rounded_as_by_the_authors_in_bf16_alone() {
        for (sigma, seen) in [(0.990_34, 992.0), (0.980_14, 980.0), (0.969_36, 968.0)] {
            assert_eq!(as_seen(sigma, DType::BF16) * 1000.0, seen);
            assert_eq!(as_seen(sigma, DType::F32), sigma);
        }
    }
}
