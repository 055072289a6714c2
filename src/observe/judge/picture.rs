//! The pictures of a call, in the form that the prompt set asks for.

use super::definition::{Encoding, PictureForm, Shown};
use crate::files::hex;
use crate::image::pillow::{Filter, resize};
use crate::image::{Change, ImageError, decode_bytes, encode_jpeg, read_file};
use crate::observe::{ObserveError, Subject};
use crate::remote::mime;
use image::RgbImage;
use sha2::{Digest, Sha256};
use std::path::Path;

/// Quality of a JPEG, Pillow's default.
const QUALITY: u8 = 75;

/// One picture.
#[derive(Debug)]
pub(super) enum Picture {
    /// The bytes of a file, with the media type that is sent.
    File { bytes: Vec<u8>, mime: String },
    /// Upright RGB pixels, which are encoded when they are sent.
    Pixels(RgbImage),
}

/// The pictures that the calls about an output can show.
#[derive(Debug, Default)]
pub(super) struct Pictures {
    source: Vec<Picture>,
    output: Option<Picture>,
}

impl Pictures {
    /// Reads the pictures that the calls show. If the judge sees a source as this program decodes it, the
    /// changes that decoding made are noted. A `local` judge always sees sources as this program decodes
    /// them.
    ///
    /// # Errors
    /// Fails if a picture is absent or damaged.
    pub(super) fn read(
        subject: &Subject<'_>,
        form: &PictureForm,
        local: bool,
        shows: impl Fn(Shown) -> bool,
    ) -> Result<Self, ObserveError> {
        let sources = subject.item.compared_with();
        let mut pictures = Self::default();
        if shows(Shown::Source) {
            if sources.is_empty() {
                return Err(missing_error(
                    "the item has no input picture to compare with",
                ));
            }
            for image in sources {
                let (picture, changes) = read(&subject.base.join(image), form)?;
                if local || form.encoding == Encoding::Jpeg {
                    let whose = "the item's input picture";
                    subject.noted.note_changes(&changes, whose);
                }
                pictures.source.push(picture);
            }
        }
        if shows(Shown::Output) {
            let (Some(file), Some(rgb)) = (subject.file, subject.image) else {
                return Err(missing_error(
                    "the judge needs a picture, but this output is not one",
                ));
            };
            let like = match pictures.source.first() {
                Some(source) if form.output_like_source => Some(source.size()?),
                _ => None,
            };
            pictures.output = Some(match (like, form.encoding) {
                (Some((width, height)), _) => {
                    Picture::Pixels(resize(rgb, width, height, Filter::Bicubic))
                }
                (None, Encoding::Jpeg) => Picture::Pixels(rgb.clone()),
                (None, Encoding::File) => read(file, form)?.0,
            });
        }
        Ok(pictures)
    }

    /// The pictures of a call, in its order.
    pub(super) fn of_call(&self, what: &[Shown]) -> Vec<&Picture> {
        let of = |what: &Shown| match what {
            Shown::Source => self.source.iter().collect::<Vec<_>>(),
            Shown::Output => self.output.iter().collect(),
        };
        what.iter().flat_map(of).collect()
    }
}

/// A picture in the form that the prompt set asks for, and the changes that decoding made. A file that is
/// sent unchanged is decoded too, so that no damaged picture is sent.
fn read(path: &Path, form: &PictureForm) -> Result<(Picture, Vec<Change>), ObserveError> {
    let failed = |error: ImageError| match error {
        ImageError::NotFound { .. } => missing_error(&error.to_string()),
        error => ObserveError::new("image", error.to_string()),
    };
    let bytes = read_file(path).map_err(failed)?;
    let decoded = decode_bytes(&bytes, &path.display().to_string()).map_err(failed)?;
    let picture = match form.encoding {
        Encoding::Jpeg => Picture::Pixels(decoded.rgb),
        Encoding::File => {
            let label = form.mime.clone();
            let mime = label.unwrap_or_else(|| mime(decoded.format).into());
            Picture::File { bytes, mime }
        }
    };
    Ok((picture, decoded.changes))
}

fn missing_error(what: &str) -> ObserveError {
    ObserveError::new("missing", what)
}

impl Picture {
    fn size(&self) -> Result<(u32, u32), ObserveError> {
        Ok(self.rgb()?.dimensions())
    }

    /// The pixels.
    ///
    /// # Errors
    /// Fails if the file is damaged.
    pub(super) fn rgb(&self) -> Result<RgbImage, ObserveError> {
        match self {
            Self::Pixels(rgb) => Ok(rgb.clone()),
            Self::File { bytes, .. } => match decode_bytes(bytes, "a picture for the judge") {
                Ok(decoded) => Ok(decoded.rgb),
                Err(error) => Err(ObserveError::new("image", error.to_string())),
            },
        }
    }

    /// The media type and the bytes, as they are sent.
    ///
    /// # Errors
    /// Fails if a side of the picture is 0.
    pub(super) fn encoded(&self) -> Result<(String, std::borrow::Cow<'_, [u8]>), ObserveError> {
        match self {
            Self::File { bytes, mime } => Ok((mime.clone(), bytes.into())),
            Self::Pixels(rgb) => {
                let bytes = encode_jpeg(rgb, QUALITY)
                    .map_err(|error| ObserveError::new("image", error.to_string()))?;
                Ok(("image/jpeg".into(), bytes.into()))
            }
        }
    }

    /// A hash of the picture, in hexadecimal digits.
    pub(super) fn hash(&self) -> String {
        let hash = match self {
            Self::File { bytes, mime } => Sha256::new_with_prefix(mime).chain_update(bytes),
            Self::Pixels(rgb) => {
                let size = format!("({}, {})", rgb.width(), rgb.height());
                Sha256::new_with_prefix(size).chain_update(rgb.as_raw())
            }
        };
        hex(&hash.finalize())
    }
}
