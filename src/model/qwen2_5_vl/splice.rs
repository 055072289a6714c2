//! The vectors of pictures among those of words, in the prompts of Qwen's vision-language models.

use crate::model::count::counted;
use crate::model::{ModelError, Result};
use candle_core::Tensor;

/// The tokens of a prompt, of which one id stands for the pictures.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Prompt<'a> {
    /// The tokens.
    pub ids: &'a [u32],
    /// The id that stands for a vector of a picture.
    pub image_token: u32,
}

impl Prompt<'_> {
    fn is_image(self, id: u32) -> bool {
        id == self.image_token
    }

    /// Checks the prompt beside the size of the vocabulary and the number of vectors of pictures.
    ///
    /// # Errors
    /// Fails if the prompt is empty, an id is outside the vocabulary, or the numbers differ.
    pub(crate) fn check(self, words: usize, given: usize) -> Result<()> {
        if self.ids.is_empty() {
            return Err(ModelError::Input("the prompt is empty".into()));
        }
        if let Some(id) = self.ids.iter().find(|&&id| id as usize >= words) {
            return Err(ModelError::Input(format!(
                "token {id} is outside the vocabulary of {words}"
            )));
        }
        let present = self.ids.iter().filter(|id| self.is_image(**id)).count();
        if present != given {
            return Err(ModelError::Input(format!(
                "the prompt has {}, but the number of image vectors is {given}",
                counted(present, "image token")
            )));
        }
        Ok(())
    }

    /// Vectors [1, L, D]: those of `words` [L, D], and in the places of pictures those of `images` in their
    /// order.
    ///
    /// # Errors
    /// Fails if there are fewer vectors than places.
    pub(crate) fn splice(self, images: &Tensor, words: &Tensor) -> Result<Tensor> {
        let images = images.to_dtype(words.dtype())?;
        let (mut parts, mut place, mut used) = (Vec::new(), 0, 0);
        for span in self
            .ids
            .chunk_by(|a, b| self.is_image(*a) == self.is_image(*b))
        {
            if span.first().is_some_and(|id| self.is_image(*id)) {
                parts.push(images.narrow(0, used, span.len())?);
                used += span.len();
            } else {
                parts.push(words.narrow(0, place, span.len())?);
            }
            place += span.len();
        }
        Ok(Tensor::cat(&parts, 0)?.unsqueeze(0)?)
    }
}
