//! What a sequence has read so far, as keys and values, and the branches of a drawing.

use super::table::Grid;
use crate::model::Result;
use crate::model::qwen2::{Angles, Past};
use candle_core::{DType, Device, Tensor};

/// The keys and values of the tokens so far. A clone shares them, and reading more changes only the context
/// that reads, so a context can be forked at no cost.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// Keys and values [1, kv_heads, length, d] of each layer. Empty if nothing was read.
    layers: Vec<(Tensor, Tensor)>,
    mark: Mark,
}

/// A place in a sequence, up to which another context is the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Mark {
    /// Number of tokens before it.
    pub length: usize,
    /// The rotary position of the next token. A whole picture has one position.
    pub position: usize,
}

impl Context {
    /// The end of the context.
    pub fn mark(&self) -> Mark {
        self.mark
    }

    /// The context as it was when it ended at `mark`, as a view of the same memory.
    ///
    /// # Errors
    /// Fails if the context is shorter.
    pub fn up_to(&self, mark: Mark) -> Result<Self> {
        if mark.length == 0 {
            return Ok(Self {
                layers: Vec::new(),
                mark,
            });
        }
        let first = |x: &Tensor| x.narrow(2, 0, mark.length);
        let layers = self.layers.iter().map(|(k, v)| Ok((first(k)?, first(v)?)));
        Ok(Self {
            layers: layers.collect::<candle_core::Result<_>>()?,
            mark,
        })
    }

    /// The keys and values of a layer with those of a new part at the end.
    pub(super) fn joined(
        &self,
        layer: usize,
        k: &Tensor,
        v: &Tensor,
    ) -> candle_core::Result<(Tensor, Tensor)> {
        match self.layers.get(layer) {
            Some((before_k, before_v)) => Ok((
                Tensor::cat(&[before_k, k], 2)?,
                Tensor::cat(&[before_v, v], 2)?,
            )),
            None => Ok((k.contiguous()?, v.contiguous()?)),
        }
    }

    /// Replaces the keys and values by those of a longer sequence.
    pub(super) fn extend(
        &mut self,
        layers: Vec<(Tensor, Tensor)>,
        tokens: usize,
        positions: usize,
    ) {
        self.layers = layers;
        self.mark.length += tokens;
        self.mark.position += positions;
    }

    /// A copy of the keys and values of each of `layers` layers, with room for further tokens.
    pub(super) fn copied(&self, layers: usize, room: usize) -> Result<Vec<Past>> {
        let copy = |layer: usize| -> Result<Past> {
            let mut past = Past::with_room(self.mark.length + room);
            if let Some((k, v)) = self.layers.get(layer) {
                past.append(k, v)?;
            }
            Ok(past)
        };
        (0..layers).map(copy).collect()
    }
}

/// The contexts of pictures that are drawn together. Shorter ones are padded with zeros at the start, which
/// no token sees.
pub struct Branch {
    /// Keys and values [B, kv_heads, longest, d] of each layer. Empty if nothing was read.
    layers: Vec<(Tensor, Tensor)>,
    /// Minus infinity at the padding, [B, 1, 1, longest + tokens]. `None` if all have the same length.
    pub(super) mask: Option<Tensor>,
    /// The angles of the tokens of the pictures.
    pub(super) angles: Angles,
}

impl Branch {
    /// The branch for pictures of the size `grid` after these contexts.
    pub(super) fn new(
        contexts: &[&Context],
        grid: Grid,
        (theta, half): (f64, usize),
        device: &Device,
    ) -> Result<Self> {
        let (batch, tokens) = (contexts.len(), grid.count() + 2);
        let lengths: Vec<usize> = contexts.iter().map(|context| context.mark.length).collect();
        let longest = lengths.iter().copied().max().unwrap_or(0);
        let positions: Vec<usize> = contexts
            .iter()
            .flat_map(|context| std::iter::repeat_n(context.mark.position, tokens))
            .collect();
        let mut angles = Angles::plain(positions.into_iter(), theta, half, device)?;
        if batch > 1 {
            let shape = (batch, tokens, half);
            angles.cos = angles.cos.reshape(shape)?;
            angles.sin = angles.sin.reshape(shape)?;
        }
        let padded = lengths.iter().any(|&length| length != longest);
        Ok(Self {
            layers: stacked(contexts, longest)?,
            mask: padded
                .then(|| hidden_padding(&lengths, longest, longest + tokens, device))
                .transpose()?,
            angles,
        })
    }

    /// The keys and values of a layer with those of the pictures at the end.
    pub(super) fn joined(
        &self,
        layer: usize,
        k: Tensor,
        v: Tensor,
    ) -> candle_core::Result<(Tensor, Tensor)> {
        match self.layers.get(layer) {
            Some((before_k, before_v)) => Ok((
                Tensor::cat(&[before_k, &k], 2)?,
                Tensor::cat(&[before_v, &v], 2)?,
            )),
            None => Ok((k, v)),
        }
    }
}

/// The keys and values of several contexts as a batch.
fn stacked(contexts: &[&Context], longest: usize) -> Result<Vec<(Tensor, Tensor)>> {
    if let [only] = contexts {
        return Ok(only.layers.clone());
    }
    let layers = contexts.iter().map(|context| context.layers.len()).max();
    let rows = |layer: usize, of: fn(&(Tensor, Tensor)) -> &Tensor| -> Result<Tensor> {
        let like = contexts
            .iter()
            .find_map(|context| context.layers.get(layer));
        let rows = contexts.iter().map(|context| -> Result<Tensor> {
            match (context.layers.get(layer), like) {
                (Some(own), _) => {
                    let own = of(own);
                    Ok(own.pad_with_zeros(2, longest - own.dim(2)?, 0)?)
                }
                (None, Some(other)) => Ok(of(other)
                    .zeros_like()?
                    .narrow(2, 0, 1)?
                    .repeat((1, 1, longest, 1))?),
                (None, None) => Err(candle_core::Error::Msg("there is no context".into()).into()),
            }
        });
        let rows = rows.collect::<Result<Vec<_>>>()?;
        Ok(Tensor::cat(&rows, 0)?)
    };
    (0..layers.unwrap_or(0))
        .map(|layer| Ok((rows(layer, |pair| &pair.0)?, rows(layer, |pair| &pair.1)?)))
        .collect()
}

/// Minus infinity at the padding of contexts that are shorter than `longest`, [B, 1, 1, all].
fn hidden_padding(
    lengths: &[usize],
    longest: usize,
    all: usize,
    device: &Device,
) -> Result<Tensor> {
    let rows = lengths.iter().flat_map(|length| {
        let padding = longest - length;
        (0..all).map(move |key| {
            if key < padding {
                f32::NEG_INFINITY
            } else {
                0.0
            }
        })
    });
    let mask = Tensor::from_iter(rows, device)?.to_dtype(DType::F32)?;
    Ok(mask.reshape((lengths.len(), 1, 1, all))?)
}
