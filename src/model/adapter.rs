//! Networks of candle-transformers over our weights, so that the audit of names, fingerprints, variants of
//! files and the check for finite values hold for them too.

use crate::model::Weights;
use candle_core::{DType, Device, Error, Result, Shape, Tensor};
use candle_nn::var_builder::SimpleBackend;
use candle_nn::{Init, VarBuilder};

/// The name of the first layer of an attention today, and until 2022. candle-transformers chooses by it.
const NEW_NAME: &str = "to_q.weight";
const OLD_NAME: &str = "query.weight";

struct Adapter(Weights);

/// The tensors of `weights`, for a network of candle-transformers.
pub(super) fn var_builder(weights: &Weights) -> VarBuilder<'static> {
    let (dtype, device) = (weights.dtype(), weights.device().clone());
    VarBuilder::from_backend(Box::new(Adapter(weights.clone())), dtype, device)
}

impl SimpleBackend for Adapter {
    /// Every tensor must be stored, so there are no initial values.
    fn get(&self, shape: Shape, name: &str, _: Init, dtype: DType, _: &Device) -> Result<Tensor> {
        let weights = self.0.with_dtype(dtype);
        weights.get(name, shape).map_err(Error::wrap)
    }

    fn get_unchecked(&self, name: &str, dtype: DType, device: &Device) -> Result<Tensor> {
        let dims = self.0.dims(name).ok_or_else(|| {
            let path = self.0.name(name);
            Error::CannotFindTensor { path }.bt()
        })?;
        self.get(Shape::from(dims), name, Init::Const(0.0), dtype, device)
    }

    /// An audit of names stores no tensor. Then the names of today are those of the network.
    fn contains_tensor(&self, name: &str) -> bool {
        match name.strip_suffix(NEW_NAME) {
            Some(place) => !self.0.has(&format!("{place}{OLD_NAME}")),
            None => self.0.has(name),
        }
    }
}
