//! The tensors that a network requires, found by building it from tensors that use no memory.

use super::asked::Asked;
use super::{Files, Result, Source, Weights};
use candle_core::{DType, Device, Shape, Tensor};
use std::sync::{Arc, Mutex};

/// Records the requested tensors. It returns a single zero, broadcast to the requested shape.
struct Recorder {
    asked: Mutex<Vec<Asked>>,
    stored: Option<Arc<Files>>,
}

impl Source for Recorder {
    fn get(&self, name: &str, shape: &Shape, dtype: DType, _: &Device) -> Result<Tensor> {
        if let Ok(mut asked) = self.asked.lock() {
            let new = Asked {
                name: name.into(),
                shape: shape.dims().into(),
            };
            // candle-transformers asks for some tensors twice, one time right after the other.
            if asked.last() != Some(&new) {
                asked.push(new);
            }
        }
        Ok(Tensor::zeros((), dtype, &Device::Cpu)?.broadcast_as(shape)?)
    }

    fn dims(&self, name: &str) -> Option<Vec<usize>> {
        self.stored.as_ref().and_then(|files| files.dims(name))
    }
}

/// All tensors that `build` requires, in its order. `stored` decides about optional tensors.
///
/// # Errors
/// Fails when `build` fails. `build` must not compute with the weights.
pub fn audit<T>(
    stored: Option<Arc<Files>>,
    build: impl Fn(&Weights) -> Result<T>,
) -> Result<Vec<Asked>> {
    let recorder = Arc::new(Recorder {
        asked: Mutex::default(),
        stored,
    });
    build(&Weights::new(recorder.clone(), DType::F32, &Device::Cpu))?;
    let asked = recorder.asked.lock().map(|asked| asked.clone());
    Ok(asked.unwrap_or_default())
}
