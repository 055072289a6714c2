//! What CLIP-FlanT5 is asked, as it was trained: a conversation of Vicuna's form, cut where the picture stands.

use crate::model::Result;
use crate::model::tokenizer::Tokenizer;

/// What every conversation begins with.
const SYSTEM: &str = "A chat between a curious user and an artificial intelligence assistant. The assistant gives helpful, \
detailed, and polite answers to the user's questions.";

/// Tokens of a conversation at most, where the picture counts as one.
const CONTEXT: usize = 2048;

/// The ids around the picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    pub before: Vec<u32>,
    pub after: Vec<u32>,
}

impl Prompt {
    /// A question after a picture. What is beyond the context is cut off.
    ///
    /// # Errors
    /// When the vocabulary lacks the end token.
    pub fn new(tokenizer: &Tokenizer, question: &str) -> Result<Self> {
        let before = piece(tokenizer, &format!("{SYSTEM} USER: "))?;
        let mut after = piece(tokenizer, &format!("\n{question} ASSISTANT: "))?;
        after.truncate(CONTEXT.saturating_sub(before.len() + 1));
        Ok(Self { before, after })
    }
}

/// The ids of an answer, its end among them.
///
/// # Errors
/// When the vocabulary lacks the end token.
pub fn answer(tokenizer: &Tokenizer, text: &str) -> Result<Vec<u32>> {
    piece(tokenizer, text)
}

/// A piece of text on its own, which ends with the end token. As in sentencepiece, white space at the ends is no token and
/// white space within is one blank; some published `tokenizer.json` leave that out.
fn piece(tokenizer: &Tokenizer, text: &str) -> Result<Vec<u32>> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut ids = tokenizer.encode(&words.join(" "))?;
    ids.push(tokenizer.token("</s>")?);
    Ok(ids)
}
