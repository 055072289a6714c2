//! Whether a file is cut where its decoder does not look: behind the last pixel, or in a later frame. Pillow refuses these.

use image::ImageFormat;

/// What is missing of a file.
pub(super) fn missing(bytes: &[u8], format: ImageFormat) -> Option<&'static str> {
    let whole = match format {
        ImageFormat::WebP => riff_is_whole(bytes),
        ImageFormat::Gif => gif_frame_is_whole(bytes),
        _ => Some(true),
    };
    (whole != Some(true)).then_some("the end of the file is missing")
}

/// The container says how long it is.
fn riff_is_whole(bytes: &[u8]) -> Option<bool> {
    let size = bytes.get(4..8)?.try_into().ok().map(u32::from_le_bytes)?;
    Some(bytes.len() as u64 >= 8 + u64::from(size))
}

/// Walks the blocks up to the end of the first frame (GIF89a, section 15 on): the last one's length is true. Pillow does
/// without the empty block that should follow.
fn gif_frame_is_whole(bytes: &[u8]) -> Option<bool> {
    let table = |flags: u8| match flags & 0x80 {
        0 => 0,
        _ => 3 << ((flags & 7) + 1),
    };
    let mut at = 13 + table(*bytes.get(10)?);
    loop {
        let image = match bytes.get(at)? {
            0x21 => {
                at += 2;
                false
            }
            0x2c => {
                // The descriptor, its table, and the size of codes.
                at += 10 + table(*bytes.get(at + 9)?) + 1;
                true
            }
            _ => return Some(false),
        };
        while let Some(&length) = bytes.get(at) {
            at += 1 + usize::from(length);
            if length == 0 {
                break;
            }
        }
        if image {
            return Some(at <= bytes.len());
        }
    }
}
