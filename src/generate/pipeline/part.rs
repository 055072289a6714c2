//! The networks of a generator as lists of tensors.

use super::fault::fatal;
use crate::generate::error::GenerateError;
use crate::model::flux::bfl;
use crate::model::weights::Asked;
use candle_core::DType;

/// One network, or a part of a network.
#[derive(Debug, Clone)]
pub struct Part {
    /// The phase that needs the part.
    pub phase: &'static str,
    /// The location of its weights, below the checkpoint's folder.
    pub folder: String,
    /// Its name for people.
    pub name: &'static str,
    /// The number format in which the tensors are loaded.
    pub dtype: DType,
    /// Its tensors, in the order in which the network requests them.
    pub tensors: Vec<Asked>,
    /// Whether the pipeline uses the tensors. A checkpoint may have others.
    pub used: bool,
    /// Whether Black Forest Labs publish the same network in files with their own layout.
    pub has_bfl_layout: bool,
}

impl Part {
    /// The number of values in all tensors.
    pub fn parameters(&self) -> u64 {
        let count = |tensor: &Asked| tensor.shape.iter().product::<usize>() as u64;
        self.tensors.iter().map(count).sum()
    }

    /// The size in memory after loading, in bytes.
    pub fn bytes(&self) -> u64 {
        if self.used {
            self.parameters() * self.dtype.size_in_bytes() as u64
        } else {
            0
        }
    }

    /// The tensors with their names in Black Forest Labs' own files. If there are no such files for the
    /// network, the names do not change.
    ///
    /// # Errors
    /// Fails if a tensor does not exist in such files.
    pub fn in_bfl(&self) -> Result<Vec<Asked>, GenerateError> {
        if self.has_bfl_layout {
            bfl::stored(&self.tensors).map_err(fatal)
        } else {
            Ok(self.tensors.clone())
        }
    }

    /// The same tensors as several parts, each with the prefix of its tensors' names. A tensor belongs to the
    /// first part whose prefix fits.
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

/// The device memory of each phase, in bytes, in the order of the phases.
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
