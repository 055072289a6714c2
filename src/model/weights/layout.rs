//! Files whose names and layout of tensors differ from those of the network.

use super::{Asked, Files, Source, Weights, audit};
use crate::model::{ModelError, Result};
use candle_core::{DType, Device, Shape, Tensor};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// The place of a tensor in the files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The name of the stored tensor.
    pub name: String,
    /// The part of the stored tensor.
    pub piece: Piece,
}

/// The part of the stored tensor that is requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece {
    /// The whole tensor.
    Whole,
    /// One of `of` equal parts, which are stored one below the other.
    Rows {
        /// The index of the part, from 0.
        part: usize,
        /// Number of parts.
        of: usize,
    },
    /// Rows and columns are swapped.
    Transposed,
    /// The stored last axis has the channels first and then the four pixels (0, 0), (0, 1), (1, 0), (1, 1) of
    /// a patch. The requested axis has the pixels in the order (0, 0), (1, 0), (0, 1), (1, 1), and then the
    /// channels.
    ChannelMajor,
}

impl Held {
    /// The whole tensor with this name.
    pub fn whole(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            piece: Piece::Whole,
        }
    }

    /// Part `part` of `of` parts of the tensor with this name.
    pub fn rows(name: impl Into<String>, part: usize, of: usize) -> Self {
        Self {
            name: name.into(),
            piece: Piece::Rows { part, of },
        }
    }

    /// The shape that must be stored for a tensor of `shape`.
    fn stored(&self, shape: &[usize]) -> Vec<usize> {
        let mut stored = shape.to_vec();
        match self.piece {
            Piece::Whole | Piece::ChannelMajor => {}
            Piece::Rows { of, .. } => {
                if let Some(rows) = stored.first_mut() {
                    *rows *= of;
                }
            }
            Piece::Transposed => stored.reverse(),
        }
        stored
    }

    fn cut(&self, stored: &Tensor, shape: &Shape) -> Result<Tensor> {
        Ok(match self.piece {
            Piece::Whole => stored.clone(),
            Piece::Rows { part, .. } => {
                let rows = shape.dims().first().copied().unwrap_or(0);
                stored.narrow(0, part * rows, rows)?.contiguous()?
            }
            Piece::Transposed => stored.t()?.contiguous()?,
            Piece::ChannelMajor => {
                let width = shape.dims().last().copied().unwrap_or(0);
                let split = stored.reshape(((), width / 4, 2, 2))?;
                split.permute((0, 3, 2, 1))?.reshape(shape)?
            }
        })
    }
}

struct Renamed {
    files: Arc<Files>,
    held: HashMap<String, Held>,
}

impl Source for Renamed {
    fn get(&self, name: &str, shape: &Shape, dtype: DType, device: &Device) -> Result<Tensor> {
        let held = self.held.get(name).ok_or_else(|| ModelError::Weights {
            path: self.files.path().into(),
            problems: vec![format!("missing: {name}")],
        })?;
        let stored = Shape::from(held.stored(shape.dims()));
        held.cut(&self.files.get(&held.name, &stored, dtype, device)?, shape)
    }

    /// Optional tensors are not sought in such files.
    fn dims(&self, _: &str) -> Option<Vec<usize>> {
        None
    }
}

/// Loads a network as [`super::load`] does. `place` gives the place of each tensor, or `None` if such files
/// cannot contain it.
///
/// # Errors
/// Fails with [`ModelError::Weights`], which lists every missing and mis-shaped tensor, and when `build`
/// fails.
pub fn load_as<T>(
    files: &Arc<Files>,
    dtype: DType,
    device: &Device,
    place: impl Fn(&str) -> Option<Held>,
    build: impl Fn(&Weights) -> Result<T>,
) -> Result<T> {
    let asked = audit(None, &build)?;
    let (held, stored) = stored_places(&asked, place)?;
    let files = files.below_asked(&stored);
    files.require(&stored)?;
    let source = Renamed { files, held };
    build(&Weights::new(Arc::new(source), dtype, device))
}

/// The tensors that such files must contain for the requested tensors.
///
/// # Errors
/// Fails if a tensor has no place in them.
pub fn stored_as(asked: &[Asked], place: impl Fn(&str) -> Option<Held>) -> Result<Vec<Asked>> {
    Ok(stored_places(asked, place)?.1)
}

type Places = (HashMap<String, Held>, Vec<Asked>);

fn stored_places(asked: &[Asked], place: impl Fn(&str) -> Option<Held>) -> Result<Places> {
    let mut held = HashMap::with_capacity(asked.len());
    let mut stored = BTreeMap::new();
    for tensor in asked {
        let place = place(&tensor.name).ok_or_else(|| {
            ModelError::Input(format!(
                "`{}` does not exist in files with this layout",
                tensor.name
            ))
        })?;
        stored.insert(place.name.clone(), place.stored(&tensor.shape));
        held.insert(tensor.name.clone(), place);
    }
    let stored = stored.into_iter();
    Ok((
        held,
        stored.map(|(name, shape)| Asked { name, shape }).collect(),
    ))
}
