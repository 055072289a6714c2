//! Operations of neural networks for candle, on a CPU in f32, each with its gradient. They replace operations
//! of candle that are slow there or have no gradient. On other devices and for other types, the functions
//! use candle's own operations. With the feature `cuda`, some have kernels of their own on a CUDA
//! device, without a gradient.
//!
//! This is a crate of its own, so that it is built with all optimisations even if the program itself is built
//! quickly.

mod affine;
mod attention;
mod attention_cpu;
#[cfg(feature = "cuda")]
mod attention_cuda;
mod convolution;
#[cfg(feature = "cuda")]
mod cuda;
#[cfg(all(test, feature = "cuda"))]
mod cuda_tests;
mod double;
#[cfg(test)]
mod gradients;
mod group_norm;
mod linear;
mod mask;
mod memory;
mod norm;
mod product;
mod residual;
mod rotary;
#[cfg(feature = "cuda")]
mod rows_cuda;
mod sigmoid;
mod sums;
mod winograd;

pub use attention::attention;
pub use convolution::{Convolution, convolution};
pub use double::double;
pub use group_norm::group_norm;
pub use linear::Linear;
pub use mask::Mask;
pub use norm::{LayerNorm, RmsNorm, layer_norm};
pub use residual::gated_sum;
pub use rotary::{Pairs, rotary};
pub use sigmoid::{Gate, gated, suits};
