//! Files that name and lay out their tensors otherwise than the network that reads them.

use super::{Asked, Files, Source, Weights, audit};
use crate::model::{ModelError, Result};
use candle_core::{DType, Device, Shape, Tensor};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Where a tensor lies in the files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The name of the stored tensor.
    pub name: String,
    pub piece: Piece,
}

/// What of the stored tensor is the one that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece {
    Whole,
    /// One of `of` equal parts that lie one below the other.
    Rows {
        part: usize,
        of: usize,
    },
    /// Rows and columns are swapped.
    Transposed,
    /// The last axis counts channels first and then the four pixels (0, 0), (0, 1), (1, 0), (1, 1) of a patch; it is
    /// asked for by pixel in the order (0, 0), (1, 0), (0, 1), (1, 1), and then by channel.
    ChannelMajor,
}

impl Held {
    /// The whole tensor of that name.
    pub fn whole(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            piece: Piece::Whole,
        }
    }

    /// Part `part` of `of` of the tensor of that name.
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

    /// Optional tensors are not looked for in such files.
    fn dims(&self, _: &str) -> Option<Vec<usize>> {
        None
    }
}

/// As [`super::load`], where `place` says where each tensor lies; None for one that such files cannot hold.
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
    let (held, stored) = places(&asked, place)?;
    let files = files.below_asked(&stored);
    files.require(&stored)?;
    let source = Renamed { files, held };
    build(&Weights::new(Arc::new(source), dtype, device))
}

/// What must be stored in such files for what is asked for.
///
/// # Errors
/// Fails if a tensor has no place there.
pub fn stored_as(asked: &[Asked], place: impl Fn(&str) -> Option<Held>) -> Result<Vec<Asked>> {
    Ok(places(asked, place)?.1)
}

type Places = (HashMap<String, Held>, Vec<Asked>);

fn places(asked: &[Asked], place: impl Fn(&str) -> Option<Held>) -> Result<Places> {
    let mut held = HashMap::with_capacity(asked.len());
    let mut stored = BTreeMap::new();
    for tensor in asked {
        let place = place(&tensor.name).ok_or_else(|| {
            ModelError::Input(format!(
                "`{}` has no counterpart in files of this layout",
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
