//! What the picture pipelines do alike with latents: the loop that denoises them, and the phase that decodes
//! them.

mod decode;
mod denoise;

pub(super) use decode::{Decode, decode_phase, to_pixels};
pub(super) use denoise::{denoised, encoded, finite};

use super::pipeline::{Made, Step};
use crate::record::Object;
use candle_core::Tensor;

/// The name of the latents between denoising and decoding.
const LATENTS: &str = "latents";

/// The result of a stage that makes latents, with its additions to the output's record.
pub(super) fn latents_step(latents: Tensor, extra: Object) -> Step {
    Step {
        made: Made::Tensors([(LATENTS.to_owned(), latents)].into()),
        extra,
    }
}
