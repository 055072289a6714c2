//! The small networks between the frozen models: linear, SiLU, linear.

use crate::model::nn::{Activation, Linear, linear};
use crate::model::{ModelError, Result, Weights};
use candle_core::{Module, Tensor};

/// Width of the released projectors between their two layers, in multiples of their output width (12288 for
/// 4096). It is not in the configuration, but follows from stored weights.
const RELEASED_EXPANSION: usize = 3;

/// `denoise_projector` or `siglip_projector`: indices 0 and 2 have weights. The activation is SiLU, although
/// the configuration calls the type `mlp2x_gelu`.
#[derive(Debug, Clone)]
pub struct Projector {
    first: Linear,
    second: Linear,
}

impl Projector {
    /// From [.., `input`] to [.., `output`]; the width between the layers comes from the stored weights.
    ///
    /// # Errors
    /// Fails if weights are missing or of another shape.
    pub fn new(weights: &Weights, input: usize, output: usize) -> Result<Self> {
        let hidden = weights
            .dims("0.weight")
            .and_then(|dims| dims.first().copied())
            .unwrap_or(RELEASED_EXPANSION * output);
        Ok(Self {
            first: linear(&weights.at(0), input, hidden, true)?,
            second: linear(&weights.at(2), hidden, output, true)?,
        })
    }

    /// Applies the projector to the last axis.
    ///
    /// # Errors
    /// Fails if the last axis is not the input width.
    pub fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let hidden = Activation::Silu.apply(&self.first.forward(x)?)?;
        Ok(self.second.forward(&hidden)?)
    }
}

/// Width of the released task head between its layers.
const RELEASED_HEAD: usize = 10_240;

/// `task_head_final.pt`: chooses between a text answer (0) and a picture (1) by the final state of the last
/// "assistant" token. Runs in f32; its dropout is off.
#[derive(Debug, Clone)]
pub struct TaskHead {
    first: Linear,
    second: Linear,
}

impl TaskHead {
    /// From states of width `input`.
    ///
    /// # Errors
    /// Fails if weights are missing or of another shape.
    pub fn new(weights: &Weights, input: usize) -> Result<Self> {
        let weights = weights.with_dtype(candle_core::DType::F32);
        let hidden = weights
            .dims("0.weight")
            .and_then(|dims| dims.first().copied())
            .unwrap_or(RELEASED_HEAD);
        Ok(Self {
            first: linear(&weights.at(0), input, hidden, true)?,
            second: linear(&weights.at(3), hidden, 2, true)?,
        })
    }

    /// Logits [1, 2] (words, picture) of the last position of `input_ids` that is `assistant`; states [1, L,
    /// D].
    ///
    /// # Errors
    /// Fails if no position is, or the last axis is not the input width.
    pub fn route(&self, states: &Tensor, input_ids: &[u32], assistant: u32) -> Result<Tensor> {
        let place = input_ids.iter().rposition(|&id| id == assistant);
        let place = place.ok_or_else(|| {
            ModelError::Input("the prompt has no token \"assistant\" for the task head".into())
        })?;
        self.forward(&states.narrow(1, place, 1)?.squeeze(1)?.contiguous()?)
    }

    /// Logits [B, 2] of states [B, D].
    fn forward(&self, states: &Tensor) -> Result<Tensor> {
        let states = states.to_dtype(candle_core::DType::F32)?;
        Ok(self.second.forward(&self.first.forward(&states)?.silu()?)?)
    }
}
