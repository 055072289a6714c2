//! A block of the transformer: picture and text have weights of their own and attend to each other, at their
//! positions.

use super::Places;
use crate::model::flux::modulate;
use crate::model::nn::{
    JointProjections, JointShape, Linear, PICTURE, TEXT, TanhFeedForward, linear,
};
use crate::model::{Result, Weights};
use candle_core::{D, Module, Tensor};
use unigauge_kernels::gated_sum;

/// What every block of an evaluation sees.
#[derive(Clone, Copy)]
pub(super) struct Seen<'a> {
    /// SiLU of the embedding of sigma, [1, D].
    pub condition: &'a Tensor,
    /// The same for the time 0, by which the tokens of references are modulated.
    pub still: Option<&'a Tensor>,
    pub places: &'a Places,
}

/// Shift, scale and gate of the attention, and those of the feed-forward, for the first tokens and for the
/// rest.
struct Parts {
    first: Vec<Tensor>,
    rest: Option<Vec<Tensor>>,
    count: usize,
}

impl Parts {
    /// The norm of tokens, changed by shift and scale. `at` is 0 for the attention, and 3 for the
    /// feed-forward.
    fn modulated(&self, x: &Tensor, at: usize) -> candle_core::Result<Tensor> {
        self.by_tokens(&[x], |x, parts| modulate(&x[0], &parts[at + 1], &parts[at]))
    }

    /// x + gate · y
    fn gated(&self, x: &Tensor, y: &Tensor, at: usize) -> candle_core::Result<Tensor> {
        self.by_tokens(&[x, y], |x, parts| gated_sum(&x[0], &parts[at + 2], &x[1]))
    }

    fn by_tokens(
        &self,
        inputs: &[&Tensor],
        work: impl Fn(&[Tensor], &[Tensor]) -> candle_core::Result<Tensor>,
    ) -> candle_core::Result<Tensor> {
        let cut = |start: usize, length: usize| -> candle_core::Result<Vec<Tensor>> {
            let each = inputs
                .iter()
                .map(|x| x.narrow(1, start, length)?.contiguous());
            each.collect()
        };
        let length = match inputs.first() {
            Some(x) => x.dim(1)?,
            None => 0,
        };
        match &self.rest {
            Some(rest) if length > self.count => {
                let first = work(&cut(0, self.count)?, &self.first)?;
                let rest = work(&cut(self.count, length - self.count)?, rest)?;
                Tensor::cat(&[first, rest], 1)
            }
            _ => work(&cut(0, length)?, &self.first),
        }
    }
}

/// One of the two streams of a block.
#[derive(Debug)]
struct Stream {
    modulation: Linear,
    projections: JointProjections,
    to_out: Linear,
    mlp: TanhFeedForward,
}

impl Stream {
    fn new(
        shape: JointShape,
        block: &Weights,
        [modulation, out, mlp]: [&str; 3],
        names: [&str; 5],
    ) -> Result<Self> {
        let (width, attn) = (shape.width(), block.at("attn"));
        Ok(Self {
            modulation: linear(&block.at(modulation), width, 6 * width, true)?,
            projections: JointProjections::new(shape, &attn, names)?,
            to_out: linear(&attn.at(out), width, width, true)?,
            mlp: TanhFeedForward::new(&block.at(mlp), width)?,
        })
    }

    fn parts(
        &self,
        condition: &Tensor,
        still: Option<&Tensor>,
        count: usize,
    ) -> candle_core::Result<Parts> {
        let parts = |condition: &Tensor| {
            let all = self.modulation.forward(condition)?;
            all.chunk(6, D::Minus1)
        };
        Ok(Parts {
            first: parts(condition)?,
            rest: still.map(parts).transpose()?,
            count,
        })
    }

    /// Adds the attention [1, L, D], and then the feed-forward.
    fn after(&self, x: &Tensor, seen: &Tensor, parts: &Parts) -> candle_core::Result<Tensor> {
        let x = parts.gated(x, &self.to_out.forward(seen)?, 0)?;
        let inner = self.mlp.forward(&parts.modulated(&x, 3)?)?;
        parts.gated(&x, &inner, 3)
    }
}

/// `transformer_blocks.*`
#[derive(Debug)]
pub(super) struct Block {
    picture: Stream,
    text: Stream,
}

impl Block {
    pub(super) fn new(shape: JointShape, weights: &Weights) -> Result<Self> {
        let picture = ["img_mod.1", "to_out.0", "img_mlp"];
        let text = ["txt_mod.1", "to_add_out", "txt_mlp"];
        Ok(Self {
            picture: Stream::new(shape, weights, picture, PICTURE)?,
            text: Stream::new(shape, weights, text, TEXT)?,
        })
    }

    /// Picture tokens [1, N, D] and text tokens [1, L, D] → the same.
    pub(super) fn forward(
        &self,
        picture: &Tensor,
        text: &Tensor,
        seen: Seen<'_>,
    ) -> candle_core::Result<(Tensor, Tensor)> {
        let Places {
            picture: picture_rope,
            text: text_rope,
            output,
        } = seen.places;
        let of_picture = self.picture.parts(seen.condition, seen.still, *output)?;
        let of_text = self.text.parts(seen.condition, None, 0)?;
        let normed = of_text.modulated(text, 0)?;
        let from_text = self
            .text
            .projections
            .forward(&normed, |x| text_rope.apply(&x))?;
        let normed = of_picture.modulated(picture, 0)?;
        let from_picture = self
            .picture
            .projections
            .forward(&normed, |x| picture_rope.apply(&x))?;
        let joined = from_text.join(&from_picture)?.attend()?;
        let words = text.dim(1)?;
        let by_text = joined.narrow(1, 0, words)?.contiguous()?;
        let by_picture = joined.narrow(1, words, picture.dim(1)?)?.contiguous()?;
        Ok((
            self.picture.after(picture, &by_picture, &of_picture)?,
            self.text.after(text, &by_text, &of_text)?,
        ))
    }
}
