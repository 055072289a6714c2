//! Random weights of any size, for measurements of time.

use super::{Source, Weights};
use crate::model::Result;
use candle_core::{DType, Device, Shape, Tensor};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Uniform values that keep activations finite at any depth. Gains are about 1, other vectors about 0, and
/// matrices within one over the root of the number of their inputs.
struct Random {
    parameters: Arc<AtomicU64>,
}

impl Source for Random {
    fn get(&self, name: &str, shape: &Shape, dtype: DType, device: &Device) -> Result<Tensor> {
        let count = shape.elem_count() as u64;
        self.parameters.fetch_add(count, Ordering::Relaxed);
        let (low, high) = match shape.dims() {
            [_] if name.ends_with("weight") => (0.9, 1.1),
            [_] => (-0.01, 0.01),
            [_, inputs @ ..] => {
                let bound = 1.0 / (inputs.iter().product::<usize>().max(1) as f32).sqrt();
                (-bound, bound)
            }
            [] => (-1.0, 1.0),
        };
        Ok(Tensor::rand(low, high, shape, device)?.to_dtype(dtype)?)
    }

    fn dims(&self, _: &str) -> Option<Vec<usize>> {
        None
    }
}

/// Builds a network with random weights. Returns the count of their numbers too.
///
/// # Errors
/// Fails when `build` fails, and if the device has no room.
pub fn random<T>(
    dtype: DType,
    device: &Device,
    build: impl FnOnce(&Weights) -> Result<T>,
) -> Result<(T, u64)> {
    let parameters = Arc::new(AtomicU64::new(0));
    let source = Random {
        parameters: parameters.clone(),
    };
    let network = build(&Weights::new(Arc::new(source), dtype, device))?;
    Ok((network, parameters.load(Ordering::Relaxed)))
}
