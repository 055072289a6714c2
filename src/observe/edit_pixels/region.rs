//! The region that an edit was meant for.

use crate::image::edit::{Change, ChangeSettings, Mask};
use crate::observe::pictures::{at_size_of, open_picture};
use crate::observe::{ObserveError, Subject};
use image::RgbImage;
use serde_json::Value;

/// The grey level from which a pixel of a mask counts as white.
const WHITE: u8 = 128;

/// A region at the input's size, and where it comes from.
pub(super) struct Region {
    pub mask: Mask,
    pub from: &'static str,
}

impl Region {
    /// The item's mask. Without a mask, the region where the target differs from the input. Without a target,
    /// the region where the output differs from the input.
    pub(super) fn find(
        subject: &Subject<'_>,
        input: &RgbImage,
        target: Option<&RgbImage>,
        change: &Change,
        settings: &ChangeSettings,
    ) -> Result<Self, ObserveError> {
        let size = (input.width() as usize, input.height() as usize);
        if let Some(mask) = annotated_mask(subject, size)? {
            return Ok(Self {
                mask,
                from: "annotation",
            });
        }
        let Some(target) = target else {
            return Ok(Self {
                mask: change.main.clone(),
                from: "output",
            });
        };
        let resized = at_size_of(target, input);
        let wanted = Change::between(input, resized.as_ref().unwrap_or(target), settings);
        Ok(Self {
            mask: wanted.main,
            from: "target",
        })
    }

    /// Whether the region does not come from the output itself.
    pub(super) fn is_given(&self) -> bool {
        self.from != "output"
    }

    pub(super) fn is_annotated(&self) -> bool {
        self.from == "annotation"
    }
}

/// The item's own mask at this size. `None` if the item has no mask.
///
/// # Errors
/// Fails if it cannot be read, or is not a mask.
pub(in crate::observe) fn annotated_mask(
    subject: &Subject<'_>,
    (width, height): (usize, usize),
) -> Result<Option<Mask>, ObserveError> {
    let wrong = |why: String| ObserveError::new("mask", why);
    match subject.item.expect.get("mask") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(path)) => {
            let painted = mask_of_picture(&open_picture(subject, path, "mask")?);
            Ok(Some(painted.resized(width, height)))
        }
        Some(Value::Array(list)) => mask_of_runs(list, (width, height)).map(Some).map_err(wrong),
        Some(_) => Err(wrong(
            "`expect.mask` must be the path of a picture or a list of starts and lengths".into(),
        )),
    }
}

fn mask_of_picture(picture: &RgbImage) -> Mask {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let raw = picture.as_raw();
    Mask::from_fn(width, height, |x, y| {
        let pixel = &raw[3 * (y * width + x)..][..3];
        pixel.iter().all(|value| *value >= WHITE)
    })
}

/// A mask in PIE-Bench's form: start, length, start, length, … over the pixels row by row. The outermost
/// pixels of the picture always belong to the mask.
fn mask_of_runs(list: &[Value], (width, height): (usize, usize)) -> Result<Mask, String> {
    let numbers: Option<Vec<usize>> = list
        .iter()
        .map(|number| usize::try_from(number.as_u64()?).ok())
        .collect();
    let numbers = numbers.ok_or("`expect.mask` must contain only whole numbers")?;
    let (pairs, rest) = numbers.as_chunks::<2>();
    if !rest.is_empty() {
        return Err("`expect.mask` must contain pairs of a start and a length".into());
    }
    let mut white = vec![false; width * height];
    for [start, length] in pairs {
        let run = start
            .checked_add(*length)
            .and_then(|end| white.get_mut(*start..end));
        run.ok_or_else(|| {
            format!("`expect.mask` has a run of {length} pixels from {start}, beyond the {width}x{height} pixels of the input")
        })?
        .fill(true);
    }
    Ok(Mask::from_fn(width, height, |x, y| {
        let frame = x == 0 || y == 0 || x + 1 == width || y + 1 == height;
        frame || white[y * width + x]
    }))
}
