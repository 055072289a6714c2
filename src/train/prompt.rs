//! What a language model is shown: words, and a picture of the world after them.

use super::TrainError;
use crate::model::conversation::{Conversation, Message, Piece, Reader};
use crate::model::processor::PixelLimits;
use crate::model::tokenizer::chat::{Form, Role};
use crate::world::SIDE;
use candle_core::Device;
use image::RgbImage;

/// One turn in UniWorld's form, the picture at its own size.
///
/// # Errors
/// Fails if the words name a token that stands for pictures.
pub(super) fn read(
    reader: &Reader,
    words: &str,
    picture: Option<&RgbImage>,
    device: &Device,
) -> Result<Conversation, TrainError> {
    let mut pieces = vec![Piece::Text(words)];
    pieces.extend(picture.map(Piece::Picture));
    let message = Message {
        role: Role::User,
        pieces,
    };
    let pixels = u64::from(SIDE * SIDE);
    let limits = PixelLimits {
        min: pixels,
        max: pixels,
    };
    Ok(reader.encode(&[message], Form::UniWorld, limits, device)?)
}
