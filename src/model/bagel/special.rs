//! The tokens that open and close words and pictures.

use crate::model::Result;
use crate::model::tokenizer::Tokenizer;

/// Their ids. There is no other template: no roles and no line breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpecialTokens {
    /// Opens words, also those that the model writes.
    pub im_start: u32,
    /// Closes words.
    pub im_end: u32,
    /// Opens a picture.
    pub vision_start: u32,
    /// Closes a picture.
    pub vision_end: u32,
}

/// How they stand in a decoded text.
const IM_START: &str = "<|im_start|>";
const IM_END: &str = "<|im_end|>";

impl SpecialTokens {
    /// The ids in a tokenizer.
    ///
    /// # Errors
    /// Fails if the vocabulary lacks one. The message names it.
    pub fn of(tokenizer: &Tokenizer) -> Result<Self> {
        Ok(Self {
            im_start: tokenizer.token(IM_START)?,
            im_end: tokenizer.token(IM_END)?,
            vision_start: tokenizer.token("<|vision_start|>")?,
            vision_end: tokenizer.token("<|vision_end|>")?,
        })
    }

    /// The text of ids that the model wrote, up to a token that opens or closes words. Other special tokens
    /// stay in it.
    ///
    /// # Errors
    /// Fails if the tokenizer cannot decode the ids.
    pub fn said(self, tokenizer: &Tokenizer, ids: &[u32]) -> Result<String> {
        let text = tokenizer.decode_whole(ids)?;
        let ends = [IM_START, IM_END].iter().filter_map(|mark| text.find(mark));
        let end = ends.min().unwrap_or(text.len());
        Ok(text[..end].to_owned())
    }
}
