//! Pictures that come inside a table: each is written once, under the hash of its bytes.

use crate::config::{Flaw, Prepare};
use crate::files::{sha256_hex, write_whole};
use crate::image::pillow::{Filter, resize};
use crate::image::{self, ImageError, target_size::gedit_size};
use crate::suite::error::Wrong;
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

/// The largest picture that is taken out of a table, in bytes.
pub(super) const MAX_BYTES: usize = 256 << 20;

/// What messages call a picture that has no name.
const PICTURE: &str = "the picture";

/// Base64 of the standard alphabet, with or without its padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The folder that pictures are written into. It may be shared: what is there is not written again.
#[derive(Debug)]
pub(super) struct Pictures {
    /// `None` if there is no folder for them.
    folder: Option<PathBuf>,
    /// Whether a picture could not be written, since there is no folder.
    no_place: AtomicBool,
}

impl Pictures {
    pub(super) fn new(folder: Option<PathBuf>) -> Self {
        Self {
            folder,
            no_place: AtomicBool::new(false),
        }
    }

    /// Whether a picture could not be kept since there is no folder.
    pub(super) fn have_no_place(&self) -> bool {
        self.no_place.load(Ordering::Relaxed)
    }

    /// Writes a picture that is not there yet, and returns its path. The picture is decoded first, so only
    /// whole pictures are written.
    ///
    /// # Errors
    /// Fails if it is not a whole picture of a known format, too large, or cannot be written.
    pub(super) fn keep(&self, bytes: &[u8]) -> Result<String, Wrong> {
        if bytes.len() > MAX_BYTES {
            return Err(Flaw::BrokenPicture.wrong(format!(
                "the picture has {} MB; pictures in a table may have at most {} MB",
                bytes.len() >> 20,
                MAX_BYTES >> 20
            )));
        }
        image::dimensions(bytes, PICTURE).map_err(broken)?;
        let extension = image::sniff(bytes).unwrap_or("bin");
        let path = self.path_of(bytes, extension)?;
        // A file that a crash left without its content has another length.
        let there = fs::metadata(&path).is_ok_and(|data| data.len() == bytes.len() as u64);
        if !there {
            image::decode_bytes(bytes, PICTURE).map_err(broken)?;
            write_whole(&path, bytes).map_err(|error| error.to_string())?;
        }
        Ok(text(path)?)
    }

    /// The same as [`Self::keep`], for the picture as it is prepared for a model.
    ///
    /// # Errors
    /// Fails when [`Self::keep`] fails, and if it cannot be decoded or has no size that fits.
    pub(super) fn keep_prepared(&self, bytes: &[u8], how: Prepare) -> Result<String, Wrong> {
        let Prepare::Gedit = how;
        let path = self.path_of(bytes, "gedit.png")?;
        if fs::metadata(&path).map_or(0, |data| data.len()) == 0 {
            let rgb = image::decode_bytes(bytes, PICTURE).map_err(broken)?.rgb;
            let size = gedit_size(rgb.width(), rgb.height());
            let (width, height) =
                size.map_err(|error| Flaw::BrokenPicture.wrong(error.to_string()))?;
            let prepared = image::encode_png(&resize(&rgb, width, height, Filter::Bicubic));
            let prepared = prepared.map_err(|error| error.to_string())?;
            write_whole(&path, &prepared).map_err(|error| error.to_string())?;
        }
        Ok(text(path)?)
    }

    /// The path of a picture.
    fn path_of(&self, bytes: &[u8], extension: &str) -> Result<PathBuf, String> {
        let Some(folder) = &self.folder else {
            self.no_place.store(true, Ordering::Relaxed);
            return Err("there is no folder for the picture".into());
        };
        let hash = sha256_hex(bytes);
        Ok(folder.join(&hash[..2]).join(format!("{hash}.{extension}")))
    }

    /// The bytes of a picture in base64, which may follow `data:…,`.
    ///
    /// # Errors
    /// Fails if the text is not base64, or too long.
    pub(super) fn of_base64(text: &str) -> Result<Vec<u8>, String> {
        let text = match text
            .strip_prefix("data:")
            .and_then(|url| url.split_once(','))
        {
            Some((_, data)) => data,
            None => text,
        };
        if text.len() / 4 * 3 > MAX_BYTES {
            return Err(format!(
                "the picture's text has {} MB; pictures in a table may have at most {} MB",
                text.len() >> 20,
                MAX_BYTES >> 20
            ));
        }
        let decoded = if text.contains(|c: char| c.is_ascii_whitespace()) {
            let joined: String = text.split_ascii_whitespace().collect();
            BASE64.decode(joined)
        } else {
            BASE64.decode(text)
        };
        decoded.map_err(|error| format!("the picture is not base64: {error}"))
    }
}

fn broken(error: ImageError) -> Wrong {
    Flaw::BrokenPicture.wrong(error.to_string())
}

fn text(path: PathBuf) -> Result<String, String> {
    let text = path.into_os_string().into_string();
    text.map_err(|path| format!("the path {} is not UTF-8", path.display()))
}
