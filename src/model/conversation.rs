//! A conversation of words and pictures in the form that Qwen2.5-VL and Qwen3-VL read: ids, patches and their
//! grids.

pub use super::qwen2_5_vl::Conversation;

use super::Result;
use super::generation_config::GenerationConfig;
use super::processor::{PixelLimits, QwenProcessor};
use super::qwen_vl::Answering;
use super::qwen2_5_vl::Greedy;
use super::tokenizer::Tokenizer;
use super::tokenizer::chat::{self, ChatTokens, Form, Item, Role, Turn};
use candle_core::{Device, Tensor};
use image::RgbImage;
use std::path::Path;

/// One piece of a message.
#[derive(Debug, Clone, Copy)]
pub enum Piece<'a> {
    /// A text.
    Text(&'a str),
    /// A picture.
    Picture(&'a RgbImage),
}

/// A message of one side, with its pieces in the order in which the model reads them.
#[derive(Debug, Clone)]
pub struct Message<'a> {
    /// The side that says it.
    pub role: Role,
    /// The pieces of the message.
    pub pieces: Vec<Piece<'a>>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The text of the answer.
    pub text: String,
    /// Number of tokens of the prompt, including its pictures.
    pub input_tokens: usize,
    /// Number of tokens of the answer.
    pub output_tokens: usize,
    /// Whether the answer reached the token limit.
    pub truncated: bool,
}

/// Tokenizer and picture processor of a checkpoint's folder.
#[derive(Debug, Clone)]
pub struct Reader {
    /// The tokenizer.
    pub tokenizer: Tokenizer,
    processor: QwenProcessor,
    /// The tokens that end an answer.
    eos: Vec<u32>,
}

impl Reader {
    /// From `tokenizer.json` (or `vocab.json` and `merges.txt`), `preprocessor_config.json` and
    /// `generation_config.json`; the last two may be absent.
    ///
    /// # Errors
    /// Fails if a file is damaged, or the vocabulary lacks a token that conversations need.
    pub fn open(folder: &Path) -> Result<Self> {
        let tokenizer = Tokenizer::open(folder)?;
        // Without the tokens of a conversation in the vocabulary, every prompt would fail.
        let end = ChatTokens::from_tokenizer(&tokenizer)?.im_end;
        let mut eos = vec![end];
        eos.extend(GenerationConfig::read(folder)?.eos());
        Ok(Self {
            tokenizer,
            processor: QwenProcessor::open(folder)?,
            eos,
        })
    }

    /// From the contents of such files. An answer ends with the turn.
    ///
    /// # Errors
    /// Fails if the vocabulary lacks a token that conversations need.
    pub fn from_parts(tokenizer: Tokenizer, processor: QwenProcessor) -> Result<Self> {
        Ok(Self {
            eos: vec![ChatTokens::from_tokenizer(&tokenizer)?.im_end],
            tokenizer,
            processor,
        })
    }

    /// The most likely answer to a conversation, of at most `max_new_tokens` tokens. It ends early after a
    /// token for which `on_token` returns false.
    ///
    /// # Errors
    /// Fails when [`Answering::continue_greedily`] fails.
    pub fn reply(
        &self,
        model: &dyn Answering,
        conversation: &Conversation,
        max_new_tokens: usize,
        repetition_penalty: f32,
        on_token: &mut dyn FnMut(u32) -> bool,
    ) -> Result<Reply> {
        let greedy = Greedy {
            max_new_tokens,
            eos: &self.eos,
            repetition_penalty,
        };
        let ids = model.continue_greedily(conversation, greedy, on_token)?;
        Ok(Reply {
            text: self.tokenizer.decode(&ids)?,
            input_tokens: conversation.ids.len(),
            output_tokens: ids.len(),
            truncated: ids.len() == max_new_tokens,
        })
    }

    /// Renders messages in the form's template.
    ///
    /// # Errors
    /// Fails if a picture is too narrow, or a text contains a token that represents pictures.
    pub fn encode(
        &self,
        messages: &[Message<'_>],
        form: Form,
        limits: PixelLimits,
        device: &Device,
    ) -> Result<Conversation> {
        let (mut values, mut grids, mut turns) = (Vec::new(), Vec::new(), Vec::new());
        for message in messages {
            let mut items = Vec::with_capacity(message.pieces.len());
            for piece in &message.pieces {
                items.push(match piece {
                    Piece::Text(text) => Item::Text((*text).to_owned()),
                    Piece::Picture(picture) => {
                        let patches = self.processor.prepare(picture, limits)?;
                        grids.push(patches.grid);
                        values.push(patches.values);
                        Item::Image(patches.tokens)
                    }
                });
            }
            turns.push(Turn {
                role: message.role,
                items,
            });
        }
        Ok(Conversation {
            ids: chat::encode(&self.tokenizer, &turns, form)?,
            pixel_values: if values.is_empty() {
                None
            } else {
                Some(Tensor::cat(&values, 0)?.to_device(device)?)
            },
            grids,
        })
    }
}
