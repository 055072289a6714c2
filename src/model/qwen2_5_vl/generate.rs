//! Greedy decoding with a cache of keys and values.

use super::{Cache, Qwen2_5Vl};
use crate::model::Result;
use candle_core::{D, DType, Tensor};

impl Qwen2_5Vl {
    /// The most likely continuation of a prompt, at most `max_new_tokens` ids.
    ///
    /// It ends before an id of `eos`, or after an id for which `on_token` returns false. `pixel_values` and `grids`
    /// are as in [`Qwen2_5Vl::image_embeds`].
    ///
    /// # Errors
    /// As [`Qwen2_5Vl::hidden_states`] and [`Qwen2_5Vl::logits`].
    pub fn generate_greedy(
        &self,
        input_ids: &[u32],
        pixel_values: Option<&Tensor>,
        grids: &[[usize; 3]],
        max_new_tokens: usize,
        eos: Option<&[u32]>,
        on_token: &mut dyn FnMut(u32) -> bool,
    ) -> Result<Vec<u32>> {
        let positions = self.positions(input_ids, grids)?;
        let images = pixel_values.map(|pixels| self.image_embeds(pixels, grids));
        let mut embeds = self.embed(input_ids, images.transpose()?.as_ref())?;
        let mut angles = self.angles(&positions.tokens)?;
        let (mut cache, mut new, mut next) = (Cache::default(), Vec::new(), positions.next);
        while new.len() < max_new_tokens {
            let hidden = self.text.forward(&embeds, &angles, Some(&mut cache))?;
            let scores = self.logits(&hidden)?.to_dtype(DType::F32)?;
            let id = scores.argmax(D::Minus1)?.squeeze(0)?.to_scalar::<u32>()?;
            if eos.is_some_and(|eos| eos.contains(&id)) {
                break;
            }
            new.push(id);
            if !on_token(id) || new.len() == max_new_tokens {
                break;
            }
            // A word that happens to be the image token is a word here: no image follows the prompt.
            let id = Tensor::new(&[[id]], embeds.device())?;
            embeds = candle_core::Module::forward(&self.text.embed_tokens, &id)?;
            angles = self.angles(&[[next; 3]])?;
            next += 1;
        }
        Ok(new)
    }
}
