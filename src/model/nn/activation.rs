//! Activations by the names that configurations give them.

use candle_core::{Result, Tensor};
use serde::Deserialize;
use unigauge_kernels::{Gate, gated, suits};

/// An activation function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Activation {
    /// Exact, through the error function.
    #[serde(rename = "gelu")]
    Gelu,
    /// The tanh approximation.
    #[serde(
        rename = "gelu_pytorch_tanh",
        alias = "gelu_new",
        alias = "gelu-approximate"
    )]
    GeluTanh,
    /// x · sigmoid(1.702 x).
    #[serde(rename = "quick_gelu")]
    QuickGelu,
    /// x · sigmoid(x).
    #[serde(rename = "silu", alias = "swish")]
    Silu,
    /// max(x, 0).
    #[serde(rename = "relu")]
    Relu,
}

impl Activation {
    /// Applies the function to every element.
    ///
    /// # Errors
    /// Fails if the dtype has no such function.
    pub fn apply(self, x: &Tensor) -> Result<Tensor> {
        let gate = match self {
            Self::GeluTanh => Some(Gate::Tanh),
            Self::QuickGelu => Some(Gate::Quick),
            Self::Silu => Some(Gate::Plain),
            Self::Gelu | Self::Relu => None,
        };
        if let Some(gate) = gate
            && suits(x)
        {
            return gated(x, gate);
        }
        match self {
            Self::Gelu => x.gelu_erf(),
            Self::GeluTanh => x.gelu(),
            // x · sigmoid(1.702 x) is silu(1.702 x) / 1.702.
            Self::QuickGelu => (x * 1.702)?.silu()? / 1.702,
            Self::Silu => x.silu(),
            Self::Relu => x.relu(),
        }
    }
}
