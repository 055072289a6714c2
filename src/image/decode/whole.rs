//! Whether a file is cut where its decoder does not look: after the last pixel, or in a later frame. Pillow
//! refuses such files.

use image::ImageFormat;

/// The missing part of a file, if there is one.
pub(super) fn missing(bytes: &[u8], format: ImageFormat) -> Option<&'static str> {
    let whole = match format {
        ImageFormat::WebP => riff_is_whole(bytes),
        ImageFormat::Gif => gif_frame_is_whole(bytes),
        _ => Some(true),
    };
    (whole != Some(true)).then_some("the end of the file is missing")
}

/// Whether the container has the length that it states.
fn riff_is_whole(bytes: &[u8]) -> Option<bool> {
    let size = bytes.get(4..8)?.try_into().ok().map(u32::from_le_bytes)?;
    Some(bytes.len() as u64 >= 8 + u64::from(size))
}

/// Walks through the blocks up to the end of the first frame (GIF89a, from section 15). Every block must have
/// its length. Pillow does not require the empty block that should follow.
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
                // The descriptor, its table, and the size of the codes.
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
