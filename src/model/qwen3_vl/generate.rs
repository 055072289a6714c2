//! Greedy decoding with a cache of keys and values.

use super::{Embedded, Qwen3Vl};
use crate::model::Result;
use crate::model::qwen2::Past;
use crate::model::qwen2_5_vl::{Conversation, Greedy, Penalty};
use candle_core::{D, Module, Tensor};

/// Number of positions by which the cache grows beyond the prompt.
const ROOM: usize = 256;

impl Qwen3Vl {
    /// The most likely continuation of a conversation. It ends before an id of `eos`, or after an id for
    /// which `on_token` returns false.
    ///
    /// # Errors
    /// Fails if the penalty is not positive, and when [`Qwen3Vl::hidden_states`] or [`Qwen3Vl::logits`]
    /// fails.
    pub fn generate_greedy(
        &self,
        conversation: &Conversation,
        greedy: Greedy<'_>,
        on_token: &mut dyn FnMut(u32) -> bool,
    ) -> Result<Vec<u32>> {
        let Conversation {
            ids,
            pixel_values,
            grids,
        } = conversation;
        let positions = self.positions(ids, grids)?;
        let pixels = pixel_values.as_ref();
        let images = pixels.map(|pixels| self.image_features(pixels, grids));
        let mut embedded = self.embed(ids, images.transpose()?.as_ref())?;
        let mut angles = self.angles(&positions.tokens)?;
        let room = ids.len() + ROOM;
        let mut past: Vec<Past> = self.layers.iter().map(|_| Past::with_room(room)).collect();
        let (mut new, mut next) = (Vec::new(), positions.next);
        let mut penalty = Penalty::new(greedy.repetition_penalty, ids)?;
        while new.len() < greedy.max_new_tokens {
            let hidden = self.decode(&embedded, &angles, &mut past)?;
            let id = penalty.apply(self.logits(&hidden)?)?.argmax(D::Minus1)?;
            let id = id.squeeze(0)?.to_scalar::<u32>()?;
            if greedy.eos.contains(&id) {
                break;
            }
            new.push(id);
            if !on_token(id) || new.len() == greedy.max_new_tokens {
                break;
            }
            penalty.see(id);
            // The features of images are those of the prompt alone.
            let id = Tensor::new(&[[id]], embedded.tokens.device())?;
            embedded = Embedded {
                tokens: self.embed_tokens.forward(&id)?,
                deepstack: Vec::new(),
            };
            angles = self.angles(&[[next; 3]])?;
            next += 1;
        }
        Ok(new)
    }
}
