//! What the TIFF decoder does not tell of a file, or would read in a way of its own.

use std::io::Cursor;
use tiff::TiffError;
use tiff::decoder::Decoder;
use tiff::tags::Tag;

/// How the fourth channel is meant (TIFF 6.0, `ExtraSamples`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Alpha {
    #[default]
    Straight,
    /// The colours are multiplied by it.
    Associated,
}

/// What the first page of a file says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Page {
    pub alpha: Alpha,
    /// Whether other pages follow that are no smaller copies or masks of it.
    pub followed: bool,
}

/// Reads the tags of the first page; the error says what of it is not supported, or None when the file is damaged, which
/// the decoder says better.
pub(super) fn page(bytes: &[u8]) -> Result<Page, Option<String>> {
    let told = |error: TiffError| match error {
        TiffError::UnsupportedError(what) => Some(format!("this TIFF ({what})")),
        _ => None,
    };
    let mut decoder = Decoder::new(Cursor::new(bytes)).map_err(told)?;
    let mut numbers = |tag: Tag| -> Result<Vec<u16>, Option<String>> {
        let found = decoder.find_tag_unsigned_vec(tag).map_err(told)?;
        Ok(found.unwrap_or_default())
    };
    let first = |found: &[u16]| found.first().copied();
    let kind = match first(&numbers(Tag::PhotometricInterpretation)?) {
        Some(3) => Some("a palette TIFF"),
        Some(4) => Some("a TIFF that is a transparency mask"),
        Some(6) => Some("a TIFF in YCbCr colours"),
        Some(8..=10) => Some("a TIFF in Lab colours"),
        _ => None,
    };
    // Unsigned numbers are 1. What the decoder takes for floats has no agreed range.
    let numbers_kind = match first(&numbers(Tag::SampleFormat)?) {
        Some(2) => Some("a TIFF of signed numbers"),
        Some(3) => Some("a TIFF of floating-point numbers, which have no agreed range,"),
        Some(5 | 6) => Some("a TIFF of complex numbers"),
        _ => None,
    };
    let bits = first(&numbers(Tag::BitsPerSample)?).unwrap_or(1);
    let deep = match bits {
        1 | 8 | 16 => None,
        other => Some(format!("a TIFF of {other} bits a channel")),
    };
    if let Some(what) = kind.or(numbers_kind).map(str::to_owned).or(deep) {
        return Err(Some(what));
    }
    let alpha = match first(&numbers(Tag::ExtraSamples)?) {
        Some(1) => Alpha::Associated,
        _ => Alpha::Straight,
    };
    Ok(Page {
        alpha,
        followed: followed(&mut decoder),
    })
}

fn followed(decoder: &mut Decoder<Cursor<&[u8]>>) -> bool {
    /// Bits of `NewSubfileType`: a smaller copy, and a mask.
    const OF_ANOTHER: u32 = 0b101;
    while decoder.more_images() && decoder.next_image().is_ok() {
        let kind = decoder.find_tag_unsigned::<u32>(Tag::NewSubfileType);
        if kind.ok().flatten().unwrap_or(0) & OF_ANOTHER == 0 {
            return true;
        }
    }
    false
}
