//! Draws pictures token by token, and answers in words.

use super::XOmniAr;
use super::ar::Cache;
use crate::model::noise::Generator;
use crate::model::sampling::{Sampling, guided};
use crate::model::{ModelError, Result};
use candle_core::{D, DType, Tensor};

/// One picture to draw.
#[derive(Debug, Clone, Copy)]
pub struct Drawing<'a> {
    /// The ids of the prompt, up to the token before the image tokens.
    pub prompt: &'a [u32],
    /// The same without the user's words, for guidance.
    pub negative: &'a [u32],
    /// The seed of the random draws.
    pub seed: u64,
}

impl XOmniAr {
    /// The codes (0-based) of `count` image tokens for each drawing, drawn together. With `cfg_scale` 1, the
    /// prompt's scores are not changed. Otherwise, a second sequence without the user's words is drawn with
    /// each. `on_step` receives the number of drawn tokens, and returns whether to continue.
    ///
    /// A drawing does not depend on the others, except for the rounding of products of other shapes.
    ///
    /// # Errors
    /// Fails if a sequence becomes longer than the model was trained on, and when [`Sampling::draw`] or
    /// [`Self::step`] fails.
    pub fn draw(
        &self,
        drawings: &[Drawing<'_>],
        count: usize,
        sampling: &Sampling,
        cfg_scale: f32,
        on_step: &mut dyn FnMut(usize) -> bool,
    ) -> Result<Vec<Vec<u32>>> {
        sampling.check()?;
        let mut prompts: Vec<&[u32]> = drawings.iter().map(|drawing| drawing.prompt).collect();
        if cfg_scale != 1.0 {
            prompts.extend(drawings.iter().map(|drawing| drawing.negative));
        }
        let (mut cache, mut states) = self.begin(&prompts, count)?;
        let mut generators: Vec<Generator> = drawings
            .iter()
            .map(|drawing| Generator::new(drawing.seed))
            .collect();
        let mut codes: Vec<Vec<u32>> = vec![Vec::with_capacity(count); drawings.len()];
        for number in 0..count {
            let scores = self.image_logits(&states)?.to_dtype(DType::F32)?;
            let scores: Vec<Vec<f32>> = scores.to_vec2()?;
            let (with, without) = scores.split_at(drawings.len());
            for (row, (generator, codes)) in generators.iter_mut().zip(&mut codes).enumerate() {
                let mixed = without
                    .get(row)
                    .map(|without| guided(&with[row], without, cfg_scale));
                let scores = mixed.as_deref().unwrap_or(&with[row]);
                codes.push(sampling.draw(scores, generator.uniform())? as u32);
            }
            if !on_step(number + 1) || number + 1 == count {
                break;
            }
            let first = self.config().vocab_size as u32;
            let last = codes.iter().filter_map(|codes| codes.last());
            let next: Vec<u32> = last.map(|code| first + code).collect();
            // Both sequences of a drawing continue with the same token.
            let next: Vec<u32> = next.iter().cycle().take(prompts.len()).copied().collect();
            states = self.step(&next, &mut cache)?;
        }
        Ok(codes)
    }

    /// Reads prompts one by one and joins them; equal prompts that follow each other are read once. Returns
    /// the states of their last positions [B, D].
    fn begin(&self, prompts: &[&[u32]], count: usize) -> Result<(Cache, Tensor)> {
        let (mut caches, mut states) = (Vec::new(), Vec::new());
        for equal in prompts.chunk_by(|a, b| a == b) {
            let (prompt, times) = (equal[0], equal.len());
            self.room_for(prompt.len() + count)?;
            let room = if times == prompts.len() { count } else { 0 };
            let (mut cache, mut state) = self.start(prompt, room)?;
            if times > 1 {
                cache = cache.repeat(times, room)?;
                state = state.repeat((times, 1))?;
            }
            caches.push(cache);
            states.push(state);
        }
        let states = Tensor::cat(&states, 0)?;
        if caches.len() == 1 {
            return Ok((caches.remove(0), states));
        }
        Ok((self.join(&caches, count)?, states))
    }

    /// The most likely answer to a conversation, up to a token of `eos`. `on_token` returns whether to
    /// continue.
    ///
    /// # Errors
    /// Fails if the sequence is longer than the model was trained on, and when [`Self::start`] fails.
    pub fn answer(
        &self,
        ids: &[u32],
        max_new_tokens: usize,
        eos: &[u32],
        on_token: &mut dyn FnMut(u32) -> bool,
    ) -> Result<Vec<u32>> {
        self.room_for(ids.len())?;
        let (mut cache, mut state) = self.start(ids, max_new_tokens)?;
        let mut new = Vec::new();
        while new.len() < max_new_tokens {
            let scores = self.text_logits(&state)?.to_dtype(DType::F32)?;
            let id = scores.argmax(D::Minus1)?.squeeze(0)?.to_scalar::<u32>()?;
            if eos.contains(&id) {
                break;
            }
            new.push(id);
            if !on_token(id) || new.len() == max_new_tokens {
                break;
            }
            state = self.say(id, &mut cache)?;
        }
        Ok(new)
    }

    fn room_for(&self, length: usize) -> Result<()> {
        let longest = self.config().max_position_embeddings;
        if length > longest {
            Err(ModelError::Input(format!(
                "the sequence has {length} tokens, but the model was trained on at most {longest}: use a smaller picture or a \
                 shorter prompt"
            )))
        } else {
            Ok(())
        }
    }
}
