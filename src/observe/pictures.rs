//! The pictures that observers look at: the output, the item's input, and the pictures that the item's
//! `expect` names.

use super::{ObserveError, Subject};
use crate::image::pillow::{Filter, resize};
use crate::model::ModelError;
use crate::record::Item;
use crate::record::evidence::written;
use image::RgbImage;
use serde::Serialize;
use serde_json::Value;

/// The keys of `expect` that may name a picture.
const NAMED: [&str; 2] = ["target", "mask"];

/// The files that edits are compared with: the input pictures, the target and the mask, if these are files.
pub(super) fn files(item: &Item) -> Vec<String> {
    let named = NAMED.iter().filter_map(|key| expected_text(item, key));
    let inputs = item.compared_with().into_iter();
    inputs.chain(named).map(str::to_owned).collect()
}

/// The path of a picture that the item's `expect` names.
pub(super) fn expected_text<'a>(item: &'a Item, key: &str) -> Option<&'a str> {
    item.expect.get(key).and_then(Value::as_str)
}

/// The output's picture. `observer` is the name of the observer, for the error.
///
/// # Errors
/// Fails if the output has none.
pub(super) fn output_picture<'a>(
    subject: &Subject<'a>,
    observer: &str,
) -> Result<&'a RgbImage, ObserveError> {
    subject.image.ok_or_else(|| {
        ObserveError::new(
            "image",
            format!("{observer} needs a picture, but this output has none"),
        )
    })
}

/// The same as [`output_picture`], for a picture with at least one pixel.
///
/// # Errors
/// Fails if the output has none.
pub(super) fn output_pixels<'a>(
    subject: &Subject<'a>,
    observer: &str,
) -> Result<&'a RgbImage, ObserveError> {
    let image = output_picture(subject, observer)?;
    if image.is_empty() {
        return Err(ObserveError::new("image", "the output has no pixels"));
    }
    Ok(image)
}

/// What a network found in a picture, as evidence. An error of the network is an error of the output, of this
/// kind.
///
/// # Errors
/// Fails if the network failed.
pub(super) fn found(
    kind: &'static str,
    evidence: Result<impl Serialize, ModelError>,
) -> Result<Value, ObserveError> {
    let evidence = evidence.map_err(|error| ObserveError::new(kind, error.to_string()))?;
    Ok(written(&evidence)?)
}

/// The picture that was edited: the first of the pictures that outputs are compared with.
///
/// # Errors
/// Fails if the item has none, or it cannot be read.
pub(super) fn input_picture(
    subject: &Subject<'_>,
    observer: &str,
) -> Result<RgbImage, ObserveError> {
    let compared = subject.item.compared_with();
    let path = compared.first().ok_or_else(|| {
        ObserveError::new(
            "input",
            format!("{observer} compares an output with its input picture, but this item has none"),
        )
    })?;
    open_picture(subject, path, "input picture")
}

/// Opens a picture of the item by its path. What decoding changed in it is noted.
///
/// # Errors
/// Fails if it cannot be read.
pub(super) fn open_picture(
    subject: &Subject<'_>,
    path: &str,
    what: &str,
) -> Result<RgbImage, ObserveError> {
    let decoded = crate::image::decode_file(&subject.base.join(path))
        .map_err(|error| ObserveError::new("input", format!("the {what}: {error}")))?;
    let whose = format!("the item's {what}");
    subject.noted.note_changes(&decoded.changes, &whose);
    if decoded.rgb.is_empty() {
        let why = format!("the {what} `{path}` has no pixels");
        return Err(ObserveError::new("input", why));
    }
    Ok(decoded.rgb)
}

/// A picture resized to the size of another one by Pillow's bicubic filter, regardless of the aspect ratio.
/// `None` if it has that size already.
pub(super) fn at_size_of(image: &RgbImage, other: &RgbImage) -> Option<RgbImage> {
    let (width, height) = other.dimensions();
    (image.dimensions() != (width, height)).then(|| resize(image, width, height, Filter::Bicubic))
}
