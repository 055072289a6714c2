//! Greedy decoding that never repeats a long phrase.

use super::GotOcr2;
use crate::model::Result;
use crate::model::qwen2::Cache;
use candle_core::{DType, Module, Tensor};

/// How a reading is decoded.
#[derive(Debug, Clone, Copy)]
pub struct Reading<'a> {
    /// Largest number of tokens of the reading.
    pub max_new_tokens: usize,
    /// The reading ends before one of these.
    pub eos: &'a [u32],
    /// No sequence of this many tokens appears twice, including the prompt. 0 forbids nothing.
    pub no_repeat_ngram_size: usize,
}

impl GotOcr2 {
    /// The most likely continuation of a prompt, whose image tokens are replaced by `image_features`.
    ///
    /// # Errors
    /// Fails when [`GotOcr2::logits`] fails.
    pub fn read(
        &self,
        input_ids: &[u32],
        image_features: &Tensor,
        reading: Reading<'_>,
    ) -> Result<Vec<u32>> {
        let mut embeds = self.embed(input_ids, image_features)?;
        let device = embeds.device().clone();
        let mut angles = self.angles(0, input_ids.len(), &device)?;
        let (mut cache, mut ids) = (Cache::default(), input_ids.to_vec());
        let last = input_ids.len() + reading.max_new_tokens;
        while ids.len() < last {
            let hidden = self
                .language_model
                .forward(&embeds, &angles, Some(&mut cache))?;
            let scores = self.next(&hidden)?.to_dtype(DType::F32)?;
            let scores: Vec<f32> = scores.flatten_all()?.to_vec1()?;
            let id = likeliest(&scores, &repeated(&ids, reading.no_repeat_ngram_size));
            if reading.eos.contains(&id) {
                break;
            }
            angles = self.angles(ids.len(), 1, &device)?;
            ids.push(id);
            let id = Tensor::new(&[[id]], &device)?;
            embeds = self.language_model.embed_tokens.forward(&id)?;
        }
        Ok(ids.split_off(input_ids.len()))
    }
}

/// The first token with the highest score that is not forbidden.
fn likeliest(scores: &[f32], forbidden: &[u32]) -> u32 {
    let mut best = (0, f32::NEG_INFINITY);
    for (id, score) in (0u32..).zip(scores) {
        if *score > best.1 && !forbidden.contains(&id) {
            best = (id, *score);
        }
    }
    best.0
}

/// The tokens that would complete a sequence of `size` tokens that is already in `ids`, as in transformers'
/// `NoRepeatNGramLogitsProcessor`.
fn repeated(ids: &[u32], size: usize) -> Vec<u32> {
    if size == 0 || ids.len() + 1 < size {
        return Vec::new();
    }
    let end = &ids[ids.len() + 1 - size..];
    let known = ids.windows(size).filter(|known| known[..size - 1] == *end);
    known.map(|known| known[size - 1]).collect()
}

#[cfg(test)]
mod tests {
    use super::{likeliest, repeated};

    // By hand, from the rule: of 1 2 3 1 2 the bigram 1 2 was followed by 3.
    #[test]
    fn what_would_complete_a_known_sequence_is_forbidden() {
        assert_eq!(repeated(&[1, 2, 3, 1, 2], 3), [3]);
        assert_eq!(repeated(&[1, 2, 3, 1, 2, 4, 1, 2], 3), [3, 4]);
        assert_eq!(repeated(&[1, 2, 3], 1), [1, 2, 3]);
        assert!(repeated(&[1, 2, 3], 0).is_empty());
        assert!(repeated(&[1, 2], 4).is_empty());
        assert_eq!(likeliest(&[0.5, 2.0, 2.0, 1.0], &[]), 1);
        assert_eq!(likeliest(&[0.5, 2.0, 2.0, 1.0], &[1, 2]), 3);
    }
}
