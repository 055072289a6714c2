//! Encoded pictures as they come from programs and servers.

use super::Answer;
use crate::image::sniff;
use base64::Engine as _;

/// Largest encoded picture that is accepted, in bytes.
pub const MAX_BYTES: u64 = 256 << 20;

/// Takes the bytes as an answer; the message says what they look like when they are no picture.
pub fn answer(bytes: Vec<u8>) -> Result<Answer, String> {
    match sniff(&bytes) {
        Some(extension) => Ok(Answer::Encoded { bytes, extension }),
        None if bytes.is_empty() => Err("an empty file (0 bytes)".to_owned()),
        None => Err(format!(
            "{} bytes that begin with {:?}, not PNG, JPEG, WebP, GIF, BMP or TIFF",
            bytes.len(),
            String::from_utf8_lossy(&bytes[..bytes.len().min(16)])
        )),
    }
}

/// Decodes base64, with or without a `data:…;base64,` prefix and line breaks.
pub fn from_base64(text: &str) -> Result<Vec<u8>, String> {
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
        // First bytes as the format specifications give them.
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
