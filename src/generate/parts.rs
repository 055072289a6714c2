//! The networks of a generator as lists of tensors, by configuration alone: nothing is loaded or allocated.

use super::diffusion::fatal;
use super::{BuildError, GenerateError};
use crate::config::Settings;
use crate::model::flux::bfl;
use crate::model::weights::{Asked, Files, audit};
use crate::model::{Result, Weights};
use candle_core::DType;
use std::path::Path;
use std::sync::Arc;

/// One network, or a part of one that a checkpoint keeps among others.
#[derive(Debug, Clone)]
pub struct Part {
    /// The phase that needs it.
    pub phase: &'static str,
    /// Where its weights lie, below the checkpoint's folder.
    pub folder: &'static str,
    /// Name of the network.
    pub name: &'static str,
    /// What the tensors are loaded to.
    pub dtype: DType,
    /// The tensors that the network requires.
    pub tensors: Vec<Asked>,
    /// False for tensors that a checkpoint has and the pipeline leaves alone.
    pub used: bool,
}

impl Part {
    /// Numbers in all tensors.
    pub fn parameters(&self) -> u64 {
        let count = |tensor: &Asked| tensor.shape.iter().product::<usize>() as u64;
        self.tensors.iter().map(count).sum()
    }

    /// Memory once loaded.
    pub fn bytes(&self) -> u64 {
        if self.used {
            self.parameters() * self.dtype.size_in_bytes() as u64
        } else {
            0
        }
    }

    /// The tensors under their names in Black Forest Labs' own files; as they are for a network that has none.
    ///
    /// # Errors
    /// When a tensor has no counterpart there.
    pub fn in_bfl(&self) -> std::result::Result<Vec<Asked>, BuildError> {
        match self.folder {
            "transformer" => Ok(bfl::stored(&self.tensors).map_err(fatal)?),
            _ => Ok(self.tensors.clone()),
        }
    }

    /// The same tensors as several parts: each goes to the first prefix that its name begins with.
    pub(super) fn split(self, prefixes: &[(&str, &'static str)]) -> Vec<Self> {
        let mut split: Vec<Self> = prefixes
            .iter()
            .map(|&(_, name)| Self {
                name,
                tensors: Vec::new(),
                ..self
            })
            .collect();
        for tensor in self.tensors {
            let place = prefixes
                .iter()
                .position(|(prefix, _)| tensor.name.starts_with(prefix));
            if let Some(part) = place.and_then(|place| split.get_mut(place)) {
                part.tensors.push(tensor);
            }
        }
        split
    }

    /// The part that `build` asks for.
    pub(super) fn of<T>(
        phase: &'static str,
        folder: &'static str,
        name: &'static str,
        dtype: DType,
        build: impl Fn(&Weights) -> Result<T>,
    ) -> std::result::Result<Self, GenerateError> {
        Self::over(None, phase, folder, name, dtype, build)
    }

    /// As [`Self::of`] for a network that looks at what is stored before it asks.
    pub(super) fn over<T>(
        stored: Option<Arc<Files>>,
        phase: &'static str,
        folder: &'static str,
        name: &'static str,
        dtype: DType,
        build: impl Fn(&Weights) -> Result<T>,
    ) -> std::result::Result<Self, GenerateError> {
        Ok(Self {
            phase,
            folder,
            name,
            dtype,
            tensors: audit(stored, build).map_err(fatal)?,
            used: true,
        })
    }
}

/// Device memory by phase, in the order of the phases.
pub fn phases(parts: &[Part]) -> Vec<(&'static str, u64)> {
    let mut phases: Vec<(&'static str, u64)> = Vec::new();
    for part in parts {
        match phases.iter_mut().find(|(name, _)| *name == part.phase) {
            Some((_, bytes)) => *bytes += part.bytes(),
            None => phases.push((part.phase, part.bytes())),
        }
    }
    phases
}

/// What a generator asks of a checkpoint whose configurations lie in `folder`. None for a generator without networks.
///
/// # Errors
/// When the settings have mistakes or a configuration is absent or wrong.
pub fn parts(
    generator: &str,
    settings: &Settings,
    folder: &Path,
    gpu: bool,
) -> std::result::Result<Option<Vec<Part>>, BuildError> {
    Ok(match generator {
        "uniworld" => Some(super::uniworld::parts(&settings.read()?, folder, gpu)?),
        "xomni" => Some(super::xomni::parts(&settings.read()?, folder, gpu)?),
        "flux" => Some(super::flux::parts(&settings.read()?, folder, gpu)?),
        "qwen-vl" => Some(super::qwen_vl::parts(&settings.read()?, folder, gpu)?),
        _ => None,
    })
}
