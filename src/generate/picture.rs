//! Encoded pictures that programs and servers send or receive.

use super::generator::Answer;
use crate::image::{self, ImageError, decode_bytes, read_file, sniff};
use base64::Engine as _;
use std::path::Path;

/// The largest encoded picture that is accepted, in bytes.
pub(super) const MAX_BYTES: u64 = 256 << 20;

/// The answer with these bytes.
///
/// # Errors
/// Fails if they are not a picture. The message describes them.
pub(super) fn answer(bytes: Vec<u8>) -> Result<Answer, String> {
    match sniff(&bytes) {
        Some(extension) => Ok(Answer::Encoded { bytes, extension }),
        None if bytes.is_empty() => Err("an empty file (0 bytes)".to_owned()),
        None if image::unread_format(&bytes).is_some() => Err(format!(
            "{}, which is not supported; ask for PNG, JPEG or WebP",
            image::unread_format(&bytes).unwrap_or_default()
        )),
        None => Err(format!(
            "{} bytes that begin with {:?}, not PNG, JPEG, WebP, GIF, BMP or TIFF",
            bytes.len(),
            String::from_utf8_lossy(&bytes[..bytes.len().min(16)])
        )),
    }
}

/// The bytes of an input picture, and the usual extension of their format. The picture is decoded once, so
/// that no damaged picture is sent. A picture that is too large for decoding here is sent without this check.
/// Messages begin with `input image PATH`.
///
/// # Errors
/// Fails if there is no such file, or if it is not a complete picture.
pub(super) fn whole(path: &Path) -> Result<(Vec<u8>, &'static str), String> {
    let name = format!("input image {}", path.display());
    let bytes = read_file(path).map_err(|error| format!("input image {error}"))?;
    let format = match decode_bytes(&bytes, &name) {
        Ok(decoded) => Some(decoded.format),
        Err(ImageError::TooManyPixels { .. }) => sniff(&bytes),
        Err(error) => return Err(error.to_string()),
    };
    Ok((bytes, format.unwrap_or_default()))
}

/// Refuses an input picture that is empty, truncated or damaged. Other kinds that cannot be read here are
/// accepted, since another program may read them.
///
/// # Errors
/// Fails if the picture is refused. The message says why.
pub(super) fn refuse_damage(path: &Path) -> Result<(), String> {
    let read = read_file(path);
    match read.and_then(|bytes| decode_bytes(&bytes, &path.display().to_string())) {
        Err(error @ (ImageError::Damaged { .. } | ImageError::Empty { .. })) => {
            Err(format!("input image {error}"))
        }
        _ => Ok(()),
    }
}

/// Decodes base64, with or without a `data:…;base64,` prefix and line breaks.
///
/// # Errors
/// Fails if the text is not base64.
pub(super) fn from_base64(text: &str) -> Result<Vec<u8>, String> {
    let body = match text.strip_prefix("data:") {
        Some(rest) => rest
            .split_once("base64,")
            .map_or(rest, |(_, encoded)| encoded),
        None => text,
    };
    let compact: String = body.split_ascii_whitespace().collect();
    base64::engine::general_purpose::STANDARD
        .decode(compact)
        .map_err(|error| format!("broken base64 ({error})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extension_follows_the_bytes_not_a_name() {
        // The first bytes according to the specifications of the formats.
        assert_eq!(sniff(b"\x89PNG\r\n\x1a\n...."), Some("png"));
        assert_eq!(sniff(b"\xff\xd8\xff\xe0...."), Some("jpg"));
        assert_eq!(sniff(b"RIFF\x10\0\0\0WEBPVP8 "), Some("webp"));
        assert_eq!(sniff(b"<html>"), None);
    }

    #[test]
    fn data_urls_and_line_breaks_are_taken() {
        for text in ["aGVsbG8=", "data:image/png;base64,aGVsbG8=", "aGVs\nbG8="] {
            assert_eq!(from_base64(text).unwrap(), b"hello");
        }
        assert!(from_base64("a$").is_err());
    }
}
