//! The networks of a generator as lists of tensors.

use super::fault::fatal;
use crate::generate::error::GenerateError;
use crate::model::flux::bfl;
use crate::model::weights::Asked;
use candle_core::DType;

/// One network, or a part of one that a checkpoint keeps among others.
#[derive(Debug, Clone)]
pub struct Part {
    /// The phase that needs it.
    pub phase: &'static str,
    /// Where its weights lie, below the checkpoint's folder.
    pub folder: String,
    /// What people call it.
    pub name: &'static str,
    /// What the tensors are loaded to.
    pub dtype: DType,
    /// Its tensors, in the order in which the network asks for them.
    pub tensors: Vec<Asked>,
    /// False for tensors that a checkpoint has and the pipeline does not use.
    pub used: bool,
    /// Whether Black Forest Labs publish the same network in files of their own layout.
    pub has_bfl_layout: bool,
}

impl Part {
    /// Numbers in all tensors.
    pub fn parameters(&self) -> u64 {
        let count = |tensor: &Asked| tensor.shape.iter().product::<usize>() as u64;
        self.tensors.iter().map(count).sum()
    }

    /// Memory in bytes once loaded.
    pub fn bytes(&self) -> u64 {
        if self.used {
            self.parameters() * self.dtype.size_in_bytes() as u64
        } else {
            0
        }
    }

    /// The tensors under their names in Black Forest Labs' own files; as they are for a network that has
    /// none.
    ///
    /// # Errors
    /// Fails if a tensor has no counterpart there.
    pub fn in_bfl(&self) -> Result<Vec<Asked>, GenerateError> {
        if self.has_bfl_layout {
            bfl::stored(&self.tensors).map_err(fatal)
        } else {
            Ok(self.tensors.clone())
        }
    }

    /// The same tensors as several parts, each with the beginning of its tensors' names: a tensor goes to the
    /// first that fits.
    pub(super) fn split(self, beginnings: &[(&str, &'static str)]) -> Vec<Self> {
        let mut split: Vec<Self> = beginnings
            .iter()
            .map(|&(_, name)| Self {
                name,
                tensors: Vec::new(),
                ..self.clone()
            })
            .collect();
        for tensor in self.tensors {
            let place = beginnings
                .iter()
                .position(|(beginning, _)| tensor.name.starts_with(beginning));
            if let Some(part) = place.and_then(|place| split.get_mut(place)) {
                part.tensors.push(tensor);
            }
        }
        split
    }
}

/// Device memory in bytes by phase, in the order of the phases.
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
