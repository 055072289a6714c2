//! The pictures of a call, in the form that the prompt set asks for.

use super::set::{Encoding, PictureForm, Shown};
use crate::image::pillow::{Filter, resize};
use crate::image::{ImageError, decode_bytes, decode_file, encode_jpeg, read_file, sniff};
use crate::observe::{ObserveError, Subject};
use crate::remote::mime;
use image::RgbImage;
use sha2::{Digest, Sha256};
use std::path::Path;

/// Quality of a JPEG, Pillow's default.
const QUALITY: u8 = 75;

/// One picture.
#[derive(Debug)]
pub enum Picture {
    /// As it lies in its file, under a label.
    File { bytes: Vec<u8>, mime: String },
    /// Upright RGB that is still to be encoded.
    Pixels(RgbImage),
}

/// What of an output can be shown.
#[derive(Debug, Default)]
pub struct Pictures {
    source: Vec<Picture>,
    output: Option<Picture>,
}

impl Pictures {
    /// Reads what the calls show.
    ///
    /// # Errors
    /// When a picture is absent or damaged.
    pub fn of(
        subject: &Subject<'_>,
        form: &PictureForm,
        shows: impl Fn(Shown) -> bool,
    ) -> Result<Self, ObserveError> {
        let sources = subject.item.compared_with();
        let mut pictures = Self::default();
        if shows(Shown::Source) {
            if sources.is_empty() {
                return Err(missing("the item has no input picture to compare with"));
            }
            let read = sources
                .into_iter()
                .map(|image| read(&subject.base.join(image), form));
            pictures.source = read.collect::<Result<_, _>>()?;
        }
        if shows(Shown::Output) {
            let (Some(file), Some(rgb)) = (subject.file, subject.image) else {
                return Err(missing(
                    "the judge looks at a picture, and this output is none",
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
                (None, Encoding::File) => read(file, form)?,
            });
        }
        Ok(pictures)
    }

    /// The pictures of a call, in its order.
    pub fn shown(&self, what: &[Shown]) -> Vec<&Picture> {
        let of = |what: &Shown| match what {
            Shown::Source => self.source.iter().collect::<Vec<_>>(),
            Shown::Output => self.output.iter().collect(),
        };
        what.iter().flat_map(of).collect()
    }
}

fn read(path: &Path, form: &PictureForm) -> Result<Picture, ObserveError> {
    let failed = |error: ImageError| match error {
        ImageError::NotFound { .. } => missing(&error.to_string()),
        error => ObserveError::new("image", error.to_string()),
    };
    match form.encoding {
        Encoding::Jpeg => Ok(Picture::Pixels(decode_file(path).map_err(failed)?.rgb)),
        Encoding::File => {
            let bytes = read_file(path).map_err(failed)?;
            let label = form
                .mime
                .clone()
                .or_else(|| Some(mime(sniff(&bytes)?).into()));
            let mime = label.ok_or_else(|| {
                ObserveError::new("image", format!("{} is no picture", path.display()))
            })?;
            Ok(Picture::File { bytes, mime })
        }
    }
}

fn missing(what: &str) -> ObserveError {
    ObserveError::new("missing", what)
}

impl Picture {
    fn size(&self) -> Result<(u32, u32), ObserveError> {
        Ok(self.rgb()?.dimensions())
    }

    /// The pixels.
    ///
    /// # Errors
    /// When the file is damaged.
    pub fn rgb(&self) -> Result<RgbImage, ObserveError> {
        match self {
            Self::Pixels(rgb) => Ok(rgb.clone()),
            Self::File { bytes, .. } => match decode_bytes(bytes, "a picture for the judge") {
                Ok(decoded) => Ok(decoded.rgb),
                Err(error) => Err(ObserveError::new("image", error.to_string())),
            },
        }
    }

    /// Label and bytes, as they are sent.
    ///
    /// # Errors
    /// When a side of the picture is 0.
    pub fn sent(&self) -> Result<(String, std::borrow::Cow<'_, [u8]>), ObserveError> {
        match self {
            Self::File { bytes, mime } => Ok((mime.clone(), bytes.into())),
            Self::Pixels(rgb) => {
                let bytes = encode_jpeg(rgb, QUALITY)
                    .map_err(|error| ObserveError::new("image", error.to_string()))?;
                Ok(("image/jpeg".into(), bytes.into()))
            }
        }
    }

    /// What tells the picture from others.
    pub fn hash(&self) -> String {
        let hash = match self {
            Self::File { bytes, mime } => Sha256::new_with_prefix(mime).chain_update(bytes),
            Self::Pixels(rgb) => Sha256::new_with_prefix(format!("{:?}", rgb.dimensions()))
                .chain_update(rgb.as_raw()),
        };
        format!("{:x}", hash.finalize())
    }
}
