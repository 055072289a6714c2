//! The conversation so far, for models that can read one: the `history` of an item, and then its prompt and
//! images.
//!
//! `history` is a list of `{"role": "user" | "assistant" | "system", "text": …, "images": […]}`, with the
//! oldest turn first.

use super::error::GenerateError;
use super::generator::Request;
use crate::image::{Change, decode_file, read_file};
use crate::model::conversation::{Message, Piece};
use crate::model::tokenizer::chat::Role;
use crate::record::{Object, add_note};
use image::RgbImage;
use serde::Deserialize;

/// One turn, with decoded pictures.
pub(super) struct Spoken {
    role: Role,
    text: String,
    /// The pictures of the turn.
    pub pictures: Vec<RgbImage>,
    /// The changes that decoding made to the pictures.
    changes: Vec<Change>,
}

/// What comes first in a turn.
#[derive(Debug, Clone, Copy)]
pub(super) enum Order {
    TextFirst,
    PicturesFirst,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Past {
    role: Role,
    #[serde(default)]
    text: String,
    #[serde(default)]
    images: Vec<String>,
}

impl Spoken {
    /// All turns of a request. The last turn is the item's own.
    ///
    /// # Errors
    /// Fails if the history has a mistake or a picture cannot be read. The message names the key or the file.
    pub(super) fn turns(request: &Request<'_>) -> Result<Vec<Self>, GenerateError> {
        let mut turns = past(request)?;
        turns.push(Past {
            role: Role::User,
            text: request.item.prompt.clone(),
            images: request.item.images.clone(),
        });
        turns
            .into_iter()
            .map(|turn| {
                let mut spoken = Self {
                    role: turn.role,
                    text: turn.text,
                    pictures: Vec::new(),
                    changes: Vec::new(),
                };
                for image in &turn.images {
                    let decoded = decode_file(&request.base.join(image))?;
                    spoken.pictures.push(decoded.rgb);
                    spoken.changes.extend(decoded.changes);
                }
                Ok(spoken)
            })
            .collect()
    }

    /// Adds notes on the changes of decoding to the record of an output.
    pub(super) fn note_changes(spoken: &[Self], record: &mut Object) {
        for change in spoken.iter().flat_map(|turn| &turn.changes) {
            add_note(record, &change.note("an input picture of the item"));
        }
    }

    /// The history as it is written, and the bytes of all pictures. Apart from the prompt, nothing else
    /// determines an answer.
    ///
    /// # Errors
    /// Fails if a picture cannot be read.
    pub(super) fn file_bytes(request: &Request<'_>) -> Result<Vec<Vec<u8>>, GenerateError> {
        let mut parts = Vec::new();
        if let Some(history) = request.item.extra.get("history") {
            parts.push(history.to_string().into_bytes());
        }
        for image in request.item.all_images() {
            parts.push(read_file(&request.base.join(image))?);
        }
        Ok(parts)
    }

    /// The side that says it.
    pub(super) fn role(&self) -> Role {
        self.role
    }

    /// The words of the turn.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The turn as a message.
    pub(super) fn message(&self, order: Order) -> Message<'_> {
        let pictures = self.pictures.iter().map(Piece::Picture);
        let text = (!self.text.is_empty()).then_some(Piece::Text(&self.text));
        let pieces = match order {
            Order::TextFirst => text.into_iter().chain(pictures).collect(),
            Order::PicturesFirst => pictures.chain(text).collect(),
        };
        Message {
            role: self.role,
            pieces,
        }
    }
}

fn past(request: &Request<'_>) -> Result<Vec<Past>, GenerateError> {
    match request.item.extra.get("history") {
        None => Ok(Vec::new()),
        Some(history) => Vec::<Past>::deserialize(history)
            .map_err(|error| GenerateError::item("prompt", format!("`history`: {error}"))),
    }
}
