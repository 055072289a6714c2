//! What the TIFF decoder does not report of a file, or would read in another way.

use std::io::Cursor;
use tiff::TiffError;
use tiff::decoder::Decoder;
use tiff::tags::Tag;

/// The meaning of the fourth channel (TIFF 6.0, `ExtraSamples`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Alpha {
    #[default]
    Straight,
    /// The colours are multiplied by alpha.
    Associated,
}

/// What the tags of the first page say.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Page {
    /// The meaning of the fourth channel.
    pub alpha: Alpha,
    /// Whether other pages follow that are not smaller copies or masks of it.
    pub followed: bool,
}

/// Reads the tags of the first page. The error names what is not supported. It is `None` if the file is
/// damaged, which the decoder describes better.
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
    // The value 1 means unsigned numbers. The formats that the decoder reads as floats have no agreed range.
    let numbers_kind = match first(&numbers(Tag::SampleFormat)?) {
        Some(2) => Some("a TIFF of signed numbers"),
        Some(3) => Some("a TIFF of floating-point numbers, which have no agreed range,"),
        Some(5 | 6) => Some("a TIFF of complex numbers"),
        _ => None,
    };
    let bits = first(&numbers(Tag::BitsPerSample)?).unwrap_or(1);
    let deep = match bits {
        1 | 8 | 16 => None,
        other => Some(format!("a TIFF with {other} bits per channel")),
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
    /// The bits of `NewSubfileType` for a smaller copy and for a mask.
    const OF_ANOTHER: u32 = 0b101;
    while decoder.more_images() && decoder.next_image().is_ok() {
        let kind = decoder.find_tag_unsigned::<u32>(Tag::NewSubfileType);
        if kind.ok().flatten().unwrap_or(0) & OF_ANOTHER == 0 {
            return true;
        }
    }
    false
}
