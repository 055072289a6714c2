//! Pictures as requests carry them: base64, within bounds.

use super::limits::Limits;
use crate::files::sha256_hex;
use crate::grade::reward::{Fault, FaultKind};
use crate::guard::guarded;
use crate::image::{decode_bytes, dimensions};
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use image::RgbImage;

/// What messages call a picture of a request.
const NAME: &str = "the picture";

/// What a name of a picture that was seen before begins with.
const SEEN_BEFORE: &str = "sha256:";

/// Padding may be left out, as some clients do.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A picture of a request.
#[derive(Debug, Clone)]
pub(super) enum Picture {
    /// A whole file.
    File(Encoded),
    /// The hash of one that was seen before.
    Before(String),
}

/// A picture file in memory; its header is read, its pixels are not.
#[derive(Debug, Clone)]
pub(super) struct Encoded {
    pub bytes: Vec<u8>,
    pub sha256: String,
    pub width: u32,
    pub height: u32,
}

impl Picture {
    /// Reads a picture's base64 and its header, or the name of a picture that was seen before.
    ///
    /// # Errors
    /// Says why the picture cannot be used.
    pub(super) fn read(text: &str, limits: &Limits) -> Result<Self, String> {
        match text.strip_prefix(SEEN_BEFORE) {
            None => Encoded::read(text, limits).map(Self::File),
            Some(hash) if hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
                Ok(Self::Before(hash.to_ascii_lowercase()))
            }
            Some(_) => {
                Err("after `sha256:` come the 64 hexadecimal digits of a file's hash".into())
            }
        }
    }

    /// The hash of its file.
    pub(super) fn sha256(&self) -> &str {
        match self {
            Self::File(encoded) => &encoded.sha256,
            Self::Before(hash) => hash,
        }
    }
}

impl Encoded {
    /// Reads a picture's base64 and its header. A data address (`data:image/png;base64,…`) is read too.
    ///
    /// # Errors
    /// Says why the picture cannot be used.
    pub(super) fn read(text: &str, limits: &Limits) -> Result<Self, String> {
        let plain = match text.strip_prefix("data:") {
            Some(address) => address.split_once("base64,").map_or("", |(_, text)| text),
            None => text,
        };
        if plain.len() / 4 * 3 > limits.picture_bytes + 3 {
            let most = limits.picture_bytes;
            return Err(format!("the picture's file may have {most} bytes at most"));
        }
        let bytes = BASE64.decode(plain.trim_ascii());
        let bytes = bytes.map_err(|error| format!("the picture is not base64: {error}"))?;
        let header = || dimensions(&bytes, NAME).map_err(|error| error.to_string());
        let (width, height) = guarded(header)?;
        let pixels = u64::from(width) * u64::from(height);
        if pixels > limits.picture_pixels || width.max(height) > limits.picture_side {
            return Err(format!(
                "the picture is {width}x{height} pixels; at most {} pixels, and {} on a side, are decoded",
                limits.picture_pixels, limits.picture_side
            ));
        }
        Ok(Self {
            sha256: sha256_hex(&bytes),
            bytes,
            width,
            height,
        })
    }

    /// Its pixels, upright.
    ///
    /// # Errors
    /// Says what is wrong with the file behind its header.
    pub(super) fn pixels(&self) -> Result<RgbImage, Fault> {
        let decoded =
            guarded(|| decode_bytes(&self.bytes, NAME).map_err(|error| error.to_string()));
        let decoded = decoded.map_err(|why| Fault::new(FaultKind::Picture, why))?;
        Ok(decoded.rgb)
    }

    /// Bytes of its pixels.
    pub(super) fn decoded(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height) * 3
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::encode_png;
    use base64::engine::general_purpose::STANDARD as PADDED;

    #[test]
    fn a_picture_is_read_up_to_its_header() {
        let file = encode_png(&RgbImage::new(5, 3)).unwrap();
        let text = PADDED.encode(&file);
        let address = format!("data:image/png;base64,{text}");
        for text in [text.as_str(), text.trim_end_matches('='), &address] {
            let read = Encoded::read(text, &Limits::default()).unwrap();
            assert_eq!((read.width, read.height, read.decoded()), (5, 3, 45));
            assert_eq!(read.sha256, sha256_hex(&file));
        }
    }

    #[test]
    fn a_picture_above_a_bound_is_refused_by_its_header() {
        let text = PADDED.encode(encode_png(&RgbImage::new(50, 3)).unwrap());
        let narrow = Limits {
            picture_side: 49,
            ..Limits::default()
        };
        let few = Limits {
            picture_pixels: 149,
            ..Limits::default()
        };
        let short = Limits {
            picture_bytes: 10,
            ..Limits::default()
        };
        for limits in [narrow, few, short] {
            assert!(
                Encoded::read(&text, &limits)
                    .unwrap_err()
                    .contains("at most")
            );
        }
        assert!(
            Encoded::read("%%", &Limits::default())
                .unwrap_err()
                .contains("base64")
        );
        assert!(Encoded::read("", &Limits::default()).is_err());
    }

    #[test]
    fn a_picture_seen_before_is_named_by_its_hash() {
        let limits = Limits::default();
        let hash = sha256_hex("x");
        let read = Picture::read(&format!("sha256:{}", hash.to_uppercase()), &limits).unwrap();
        assert_eq!(read.sha256(), hash);
        assert!(Picture::read("sha256:12", &limits).is_err());
    }
}
