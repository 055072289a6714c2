//! The noise of a picture: that of its first latents, and that of ancestral steps.

use super::settings::NoiseKind;
use crate::generate::generator::Request;
use crate::model::Result;
use crate::model::cuda_noise::{A100_THREADS, CudaGenerator};
use crate::model::noise::{Generator, randn};
use candle_core::{DType, Device, Tensor};

/// The generator of a picture's noise.
pub(in crate::generate) enum Noise {
    Cpu(Generator),
    Cuda(CudaGenerator),
}

impl Noise {
    /// The generator with this seed.
    pub(in crate::generate) fn new(kind: NoiseKind, seed: u64) -> Self {
        match kind {
            NoiseKind::TorchCpu => Self::Cpu(Generator::new(seed)),
            NoiseKind::TorchCuda => Self::Cuda(CudaGenerator::new(seed, A100_THREADS)),
        }
    }

    /// The generator for a request. With a seed of the prompt, the pictures before this one have drawn
    /// `draws` times `count` values each.
    pub(super) fn of_request(
        kind: NoiseKind,
        prompt_seed: Option<u64>,
        request: &Request<'_>,
        (draws, count, dtype): (usize, usize, DType),
    ) -> Self {
        let Some(seed) = prompt_seed else {
            return Self::new(kind, request.seed);
        };
        let mut noise = Self::new(kind, seed);
        for _ in 0..draws * request.repeat as usize {
            noise.draw(count, dtype);
        }
        noise
    }

    /// The next values of a tensor in f32, rounded to `dtype`.
    ///
    /// # Errors
    /// Fails if the device has no room.
    pub(in crate::generate) fn tensor(
        &mut self,
        shape: &[usize; 4],
        dtype: DType,
        device: &Device,
    ) -> Result<Tensor> {
        let values = self.draw(shape.iter().product(), dtype);
        Ok(Tensor::from_vec(values, shape, device)?)
    }

    /// The next values, rounded to `dtype`.
    fn draw(&mut self, count: usize, dtype: DType) -> Vec<f32> {
        match self {
            Self::Cpu(generator) => randn(generator, count, dtype),
            Self::Cuda(generator) => generator.randn(count, dtype),
        }
    }
}
