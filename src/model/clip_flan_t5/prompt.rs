//! The prompt of CLIP-FlanT5 in the form of its training: a conversation in Vicuna's form, split at the
//! picture.

use crate::model::Result;
use crate::model::tokenizer::Tokenizer;

/// The beginning of every conversation.
const SYSTEM: &str = "A chat between a curious user and an artificial intelligence assistant. The assistant gives helpful, \
detailed, and polite answers to the user's questions.";

/// The largest number of tokens of a conversation, where the picture counts as one.
const CONTEXT: usize = 2048;

/// The ids around the picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// The ids before the picture.
    pub before: Vec<u32>,
    /// The ids after the picture.
    pub after: Vec<u32>,
}

impl Prompt {
    /// A question after a picture. Tokens beyond the context are cut off.
    ///
    /// # Errors
    /// Fails if the vocabulary lacks the end token.
    pub fn new(tokenizer: &Tokenizer, question: &str) -> Result<Self> {
        let before = piece(tokenizer, &format!("{SYSTEM} USER: "))?;
        let mut after = piece(tokenizer, &format!("\n{question} ASSISTANT: "))?;
        after.truncate(CONTEXT.saturating_sub(before.len() + 1));
        Ok(Self { before, after })
    }
}

/// The ids of an answer, with the end token.
///
/// # Errors
/// Fails if the vocabulary lacks the end token.
pub fn answer(tokenizer: &Tokenizer, text: &str) -> Result<Vec<u32>> {
    piece(tokenizer, text)
}

/// A piece of text on its own, which ends with the end token. As in sentencepiece, whitespace at the ends is
/// not a token, and whitespace inside is one blank. Some published `tokenizer.json` files leave that out.
fn piece(tokenizer: &Tokenizer, text: &str) -> Result<Vec<u32>> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut ids = tokenizer.encode(&words.join(" "))?;
    ids.push(tokenizer.token("</s>")?);
    Ok(ids)
}
