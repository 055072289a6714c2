//! Small pictures for the gallery.

use crate::image::{decode_bytes, read_file, thumbnail};
use std::path::Path;

/// A small JPEG and the size of the picture it was made from.
#[derive(Debug, Clone)]
pub struct Thumb {
    /// The picture as a JPEG file.
    pub jpeg: Vec<u8>,
    /// Pixels of the original, upright as the observers saw it.
    pub width: u32,
    /// The height of the original, in pixels.
    pub height: u32,
}

/// Shrinks a picture so that its longer side has at most `side` pixels; transparency becomes white.
///
/// # Errors
/// Fails with a sentence for the card if the file is missing, broken or too large.
pub fn make(path: &Path, side: u32) -> Result<Thumb, String> {
    let bytes =
        read_file(path).map_err(|error| format!("the picture's file cannot be read: {error}"))?;
    let picture = decode_bytes(&bytes, &path.display().to_string())
        .map_err(|error| format!("the picture cannot be decoded: {error}"))?
        .rgb;
    let jpeg = thumbnail(&picture, side).map_err(|error| error.to_string())?;
    Ok(Thumb {
        jpeg,
        width: picture.width(),
        height: picture.height(),
    })
}
