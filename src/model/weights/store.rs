//! Tensors as they are stored in files, with the names and the number formats of the files.

use super::eight_bits;
use super::legacy::Legacy;
use super::stored::Stored;
use candle_core::pickle::PthTensors;
use candle_core::safetensors::MmapedSafetensors;
use candle_core::{Device, Result, Tensor};
use std::collections::BTreeMap;

/// Opened files. The numbers are not read yet.
pub(super) enum Store {
    Safetensors(MmapedSafetensors),
    Pickle(PthTensors),
    Legacy(Legacy),
    /// Pickles with an index.
    Shards(Vec<Store>),
    /// No files at all.
    Made(BTreeMap<String, Tensor>),
}

impl Store {
    /// Every tensor by its name in the files.
    pub(super) fn tensors(&self) -> BTreeMap<String, Stored> {
        match self {
            Self::Safetensors(mapped) => {
                let views = mapped.tensors().into_iter();
                let stored = views.map(|(name, view)| {
                    let (dims, dtype) = (view.shape().to_vec(), view.dtype());
                    (name, Stored { dims, dtype })
                });
                stored.collect()
            }
            Self::Pickle(pickle) => {
                let infos = pickle.tensor_infos().iter();
                let stored = infos.map(|(name, info)| {
                    let dims = info.layout.shape().dims().to_vec();
                    let dtype = info.dtype.into();
                    (name.clone(), Stored { dims, dtype })
                });
                stored.collect()
            }
            Self::Legacy(legacy) => legacy.tensors(),
            Self::Shards(shards) => shards.iter().flat_map(Self::tensors).collect(),
            Self::Made(tensors) => {
                let stored = tensors.iter().map(|(name, tensor)| {
                    let dims = tensor.dims().to_vec();
                    let dtype = tensor.dtype().into();
                    (name.clone(), Stored { dims, dtype })
                });
                stored.collect()
            }
        }
    }

    /// A tensor as it is stored. `None` if there is none with this name.
    ///
    /// # Errors
    /// Fails if it cannot be read.
    pub(super) fn load(&self, name: &str, device: &Device) -> Result<Option<Tensor>> {
        let on_device = |tensor: Option<Tensor>| -> Result<Option<Tensor>> {
            tensor.map(|tensor| tensor.to_device(device)).transpose()
        };
        match self {
            Self::Safetensors(mapped) => match mapped.get(name) {
                Ok(_) => mapped.load(name, device).map(Some),
                Err(_) => Ok(None),
            },
            Self::Shards(shards) => {
                let found = shards.iter().map(|shard| shard.load(name, device));
                found
                    .into_iter()
                    .find(|found| !matches!(found, Ok(None)))
                    .unwrap_or(Ok(None))
            }
            Self::Made(tensors) => on_device(tensors.get(name).cloned()),
            Self::Legacy(legacy) => on_device(legacy.get(name)?),
            Self::Pickle(pickle) => on_device(pickle.get(name)?),
        }
    }

    /// The numbers of a tensor in f32, in main memory, also from 8-bit floats. `None` if there is none with
    /// this name.
    ///
    /// # Errors
    /// Fails if it cannot be read.
    pub(super) fn numbers(&self, name: &str) -> Result<Option<Vec<f32>>> {
        if let Self::Safetensors(mapped) = self
            && let Ok(view) = mapped.get(name)
            && let Some(values) = eight_bits::values(view.dtype())?
        {
            let bytes = view.data().iter();
            return Ok(Some(bytes.map(|byte| values[usize::from(*byte)]).collect()));
        }
        let Some(tensor) = self.load(name, &Device::Cpu)? else {
            return Ok(None);
        };
        let tensor = tensor.flatten_all()?.to_dtype(candle_core::DType::F32)?;
        tensor.to_vec1().map(Some)
    }
}
