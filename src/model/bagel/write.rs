//! Words after a context, one token at a time.

use super::context::Context;
use super::layer::Kind;
use super::network::Bagel;
use super::special::SpecialTokens;
use crate::model::Result;
use crate::model::nn::Mask;
use crate::model::noise::Generator;
use crate::model::sampling::Sampling;
use candle_core::{D, Tensor};

/// How the next token is chosen.
pub enum Decoding {
    /// The most likely one.
    Greedy,
    /// One drawn by its score.
    Sampled {
        /// The limits and the temperature.
        sampling: Sampling,
        /// The source of the draws.
        generator: Generator,
    },
}

impl Decoding {
    fn choose(&mut self, logits: &Tensor) -> Result<u32> {
        match self {
            Self::Greedy => Ok(logits.argmax(D::Minus1)?.squeeze(0)?.to_scalar()?),
            Self::Sampled {
                sampling,
                generator,
            } => {
                let scores: Vec<f32> = logits.flatten_all()?.to_vec1()?;
                Ok(sampling.draw(&scores, generator.uniform())? as u32)
            }
        }
    }
}

/// What the model wrote.
pub struct Written {
    /// The ids, without the token before them and the token that closes words.
    pub ids: Vec<u32>,
    /// Whether the model closed its words itself, before the limit.
    pub ended: bool,
    /// The scores of the first token, [1, V]. `None` if the limit leaves no room for one.
    pub first_logits: Option<Tensor>,
}

impl Bagel {
    /// Writes words after a context, which does not change. The limit counts the token that opens words, so
    /// at most `limit − 1` ids are written. It ends early when `go_on` returns false.
    ///
    /// # Errors
    /// Fails if the scores are not numbers, or the device has no room.
    pub fn write(
        &self,
        context: &Context,
        special: SpecialTokens,
        limit: usize,
        decoding: &mut Decoding,
        go_on: &mut dyn FnMut() -> bool,
    ) -> Result<Written> {
        let mut pasts = context.copied(self.layers.len(), limit)?;
        let mut written = Written {
            ids: Vec::new(),
            ended: false,
            first_logits: None,
        };
        let (mut id, mut position) = (special.im_start, context.mark().position);
        while written.ids.len() + 1 < limit && go_on() {
            let angles = self.angles(position..position + 1)?;
            let embeds = self.embed(&[id])?;
            let states =
                self.states(
                    embeds,
                    Kind::Plain,
                    &angles,
                    Mask::None,
                    |layer, k, v| match pasts.get_mut(layer) {
                        Some(past) => past.append(&k, &v),
                        None => Ok((k, v)),
                    },
                )?;
            let logits = self.logits(&states)?;
            id = decoding.choose(&logits)?;
            written.first_logits.get_or_insert(logits);
            if id == special.im_end {
                written.ended = true;
                break;
            }
            written.ids.push(id);
            position += 1;
        }
        Ok(written)
    }
}
