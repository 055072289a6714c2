//! Greedy decoding with a cache of keys and values.

use super::Qwen2_5Vl;
use super::conversation::Conversation;
use crate::model::qwen2::Cache;
use crate::model::{ModelError, Result};
use candle_core::{D, DType, Tensor};
use std::collections::BTreeSet;

/// How an answer is decoded.
#[derive(Debug, Clone, Copy)]
pub struct Greedy<'a> {
    /// Largest number of tokens of the answer.
    pub max_new_tokens: usize,
    /// The answer ends before one of these.
    pub eos: &'a [u32],
    /// The scores of tokens that are already in the prompt or the answer are divided by this number if
    /// positive, and multiplied by it otherwise (Keskar et al., arXiv 1909.05858; as in transformers). 1
    /// changes nothing.
    pub repetition_penalty: f32,
}

impl Qwen2_5Vl {
    /// The most likely continuation of a conversation. It ends before an id of `eos`, or after an id for
    /// which `on_token` returns false.
    ///
    /// # Errors
    /// Fails if the penalty is not positive, and when [`Qwen2_5Vl::hidden_states`] or [`Qwen2_5Vl::logits`]
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
        let images = pixels.map(|pixels| self.image_embeds(pixels, grids));
        let mut embeds = self.embed(ids, images.transpose()?.as_ref())?;
        let mut angles = self.angles(&positions.tokens)?;
        let (mut cache, mut new, mut next) = (Cache::default(), Vec::new(), positions.next);
        let mut penalty = Penalty::new(greedy.repetition_penalty, ids)?;
        while new.len() < greedy.max_new_tokens {
            let hidden = self.text.forward(&embeds, &angles, Some(&mut cache))?;
            let scores = self.logits(&hidden)?.to_dtype(DType::F32)?;
            let id = penalty.apply(scores)?.argmax(D::Minus1)?;
            let id = id.squeeze(0)?.to_scalar::<u32>()?;
            if greedy.eos.contains(&id) {
                break;
            }
            new.push(id);
            if !on_token(id) || new.len() == greedy.max_new_tokens {
                break;
            }
            penalty.see(id);
            // An id that equals the image token is an ordinary token here, since no image follows the prompt.
            let id = Tensor::new(&[[id]], embeds.device())?;
            embeds = candle_core::Module::forward(&self.text.embed_tokens, &id)?;
            angles = self.angles(&[[next; 3]])?;
            next += 1;
        }
        Ok(new)
    }
}

/// The penalty of tokens that were there before.
pub(crate) struct Penalty {
    factor: f32,
    seen: BTreeSet<u32>,
}

impl Penalty {
    /// The penalty after a prompt.
    ///
    /// # Errors
    /// Fails if the factor is not positive.
    pub(crate) fn new(factor: f32, prompt: &[u32]) -> Result<Self> {
        if !(factor.is_finite() && factor > 0.0) {
            let message = format!("`repetition_penalty` is {factor}; it must be positive");
            return Err(ModelError::Input(message));
        }
        Ok(Self {
            factor,
            seen: prompt.iter().copied().collect(),
        })
    }

    /// A further token of the answer.
    pub(crate) fn see(&mut self, id: u32) {
        self.seen.insert(id);
    }

    /// Scores `[1, V]`.
    ///
    /// # Errors
    /// Fails if the device has no room.
    pub(crate) fn apply(&self, scores: Tensor) -> Result<Tensor> {
        if self.factor == 1.0 {
            return Ok(scores);
        }
        let mut values: Vec<f32> = scores.flatten_all()?.to_vec1()?;
        for &id in &self.seen {
            if let Some(score) = values.get_mut(id as usize) {
                *score *= if *score < 0.0 {
                    self.factor
                } else {
                    1.0 / self.factor
                };
            }
        }
        Ok(Tensor::from_vec(values, scores.shape(), scores.device())?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::qwen2_5_vl::Qwen2_5VlConfig;
    use crate::model::read_config;
    use crate::model::weights::{Files, load};
    use candle_core::Device;
    use std::path::Path;
    use std::sync::Arc;

    // make.py next to expected.json shows how it was made with transformers.
    #[test]
    fn answers_with_a_repetition_penalty_equal_transformers() {
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
        let case = golden.join("parity/qwen2_5_vl");
        let config: Qwen2_5VlConfig = read_config(&case.join("checkpoint/config.json")).unwrap();
        let files = Arc::new(Files::open(&case.join("checkpoint")).unwrap());
        let build = |weights: &_| Qwen2_5Vl::new(&config, weights);
        let model = load(&files, DType::F32, &Device::Cpu, build).unwrap();
        let file = case.join("inputs.safetensors");
        let inputs = candle_core::safetensors::load(file, &Device::Cpu).unwrap();
        let whole = |name: &str| -> Vec<i64> {
            let flat = inputs[name].flatten_all().unwrap();
            flat.to_dtype(DType::I64).unwrap().to_vec1().unwrap()
        };
        let conversation = Conversation {
            ids: whole("input_ids").iter().map(|&id| id as u32).collect(),
            pixel_values: Some(inputs["pixel_values"].clone()),
            grids: whole("image_grid_thw")
                .chunks(3)
                .map(|grid| [grid[0] as usize, grid[1] as usize, grid[2] as usize])
                .collect(),
        };
        let text = std::fs::read_to_string(golden.join("qwen_vl/expected.json")).unwrap();
        let expected: serde_json::Value = serde_json::from_str(&text).unwrap();
        let answer = |penalty: f32, eos: &[u32], most: usize| {
            let greedy = Greedy {
                max_new_tokens: most,
                eos,
                repetition_penalty: penalty,
            };
            model.generate_greedy(&conversation, greedy, &mut |_| true)
        };
        let rows = expected["greedy_ids"].as_object().unwrap();
        assert_eq!(rows.len(), 4);
        for (penalty, ids) in rows {
            let ids: Vec<u32> = serde_json::from_value(ids.clone()).unwrap();
            let got = answer(penalty.parse().unwrap(), &[], 12).unwrap();
            assert_eq!(got, ids, "{penalty}");
        }
        // The end token is not part of the answer.
        assert_eq!(answer(1.0, &[80], 12).unwrap(), [39, 8, 8]);
        assert!(answer(0.0, &[], 1).is_err());
    }
}
