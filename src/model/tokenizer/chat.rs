//! Qwen2.5-VL's chat form, as ids.

use super::Tokenizer;
use crate::model::{ModelError, Result};

/// One piece of a turn. Nothing separates the pieces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A text.
    Text(String),
    /// A picture with this number of tokens.
    Image(usize),
}

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The system, which sets the rules.
    System,
    /// The user.
    User,
    /// The model.
    Assistant,
}

impl Role {
    fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

/// One turn of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// The side that says it.
    pub role: Role,
    /// The pieces of the turn.
    pub items: Vec<Item>,
}

/// The special tokens of a conversation with pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChatTokens {
    /// `<|im_start|>`, which begins a turn.
    pub im_start: u32,
    /// `<|im_end|>`, which ends a turn.
    pub im_end: u32,
    /// `<|vision_start|>`, before the tokens of a picture.
    pub vision_start: u32,
    /// `<|vision_end|>`, after the tokens of a picture.
    pub vision_end: u32,
    /// `<|image_pad|>`, which a vector of a picture replaces.
    pub image_pad: u32,
}

impl ChatTokens {
    /// Looks them up.
    ///
    /// # Errors
    /// Fails if the vocabulary lacks one. The message names it.
    pub fn from_tokenizer(tokenizer: &Tokenizer) -> Result<Self> {
        Ok(Self {
            im_start: tokenizer.token("<|im_start|>")?,
            im_end: tokenizer.token("<|im_end|>")?,
            vision_start: tokenizer.token("<|vision_start|>")?,
            vision_end: tokenizer.token("<|vision_end|>")?,
            image_pad: tokenizer.token("<|image_pad|>")?,
        })
    }
}

/// How a conversation without a system turn begins. All forms end where the assistant begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The form of UniWorld and Qwen3-VL: without a system turn.
    UniWorld,
    /// The form of Qwen2.5-VL: with the system turn of its template.
    Qwen,
}

/// The ids of a conversation.
///
/// # Errors
/// Fails if a special token is missing, or a text contains one that represents pictures.
pub fn encode(tokenizer: &Tokenizer, turns: &[Turn], form: Form) -> Result<Vec<u32>> {
    let mut text = String::new();
    let own = turns.first().is_some_and(|turn| turn.role == Role::System);
    if form == Form::Qwen && !own {
        text.push_str("<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n");
    }
    text.push_str(&render(turns));
    checked(tokenizer, turns, &text)
}

fn render(turns: &[Turn]) -> String {
    let mut text = String::new();
    for turn in turns {
        text.push_str("<|im_start|>");
        text.push_str(turn.role.name());
        text.push('\n');
        for item in &turn.items {
            match item {
                Item::Text(piece) => text.push_str(piece),
                Item::Image(tokens) => {
                    text.push_str("<|vision_start|>");
                    text.push_str(&"<|image_pad|>".repeat(*tokens));
                    text.push_str("<|vision_end|>");
                }
            }
        }
        text.push_str("<|im_end|>\n");
    }
    text.push_str("<|im_start|>assistant\n");
    text
}

fn checked(tokenizer: &Tokenizer, turns: &[Turn], text: &str) -> Result<Vec<u32>> {
    let tokens = ChatTokens::from_tokenizer(tokenizer)?;
    let ids = tokenizer.encode(text)?;
    let images = turns.iter().flat_map(|turn| &turn.items);
    let (mut pads, mut count) = (0, 0);
    for item in images {
        if let Item::Image(tokens) = item {
            (pads, count) = (pads + tokens, count + 1);
        }
    }
    let found = |id: u32| ids.iter().filter(|found| **found == id).count();
    // These ids mark the places of pictures, so a text that contains them would shift every picture.
    if found(tokens.image_pad) != pads || found(tokens.vision_end) != count {
        let message = "a text contains <|image_pad|> or <|vision_end|>, which represent pictures";
        return Err(ModelError::Input(message.into()));
    }
    Ok(ids)
}
