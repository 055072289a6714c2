//! Bounded decoding of pictures from anywhere into upright 8-bit RGB.
//!
//! The format is told from the bytes, never from the name. A picture's size is read from its header and checked
//! before any pixel is allocated, so that a small file that claims a huge picture costs nothing.

use image::codecs::{gif::GifDecoder, png::PngDecoder, webp::WebPDecoder};
use image::{
    AnimationDecoder, DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, RgbImage,
    RgbaImage,
};
use std::fs::File;
use std::io::{Cursor, ErrorKind, Read};
use std::path::Path;

/// The largest picture that is decoded, in pixels.
pub const MAX_PIXELS: u64 = 100_000_000;
/// The largest file that is read, in bytes.
const MAX_BYTES: u64 = 1 << 30;
/// What a decoder may allocate, in bytes: the largest picture with four 16-bit channels.
const MAX_ALLOC: u64 = MAX_PIXELS * 8;

/// A picture as the rest of the program sees it.
#[derive(Debug, Clone)]
pub struct Decoded {
    /// Upright, 8 bits a channel, no alpha.
    pub rgb: RgbImage,
    /// The format's usual extension, without the dot.
    pub format: &'static str,
    /// What was changed on the way: transparency, orientation, animation.
    pub notes: Vec<String>,
}

/// Why a picture cannot be used. Every message names the picture.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum ImageError {
    #[error("{name}: no such file")]
    #[diagnostic(help("check the path, or make the picture again"))]
    NotFound { name: String },
    #[error("{name}: this is not a file")]
    #[diagnostic(help("give the path of a picture, not of a folder or device"))]
    NotAFile { name: String },
    #[error("{name}: cannot be read: {reason}")]
    #[diagnostic(help("check the permissions of the file and of its folders"))]
    Unreadable { name: String, reason: String },
    #[error("{name}: the file is empty (0 bytes)")]
    #[diagnostic(help("its writer was probably stopped; make the picture again"))]
    Empty { name: String },
    #[error("{name}: the file is {megabytes} MB; at most {} MB are read", MAX_BYTES / 1_000_000)]
    #[diagnostic(help("store the picture compressed or at a smaller size"))]
    FileTooLarge { name: String, megabytes: u64 },
    #[error("{name}: not a picture of a known format (it starts with {start})")]
    #[diagnostic(help("convert it to PNG; JPEG, WebP, GIF, BMP and TIFF are read as well"))]
    UnknownFormat { name: String, start: String },
    #[error(
        "{name}: the picture is {width}x{height} pixels; at most {} megapixels are decoded",
        MAX_PIXELS / 1_000_000
    )]
    #[diagnostic(help("scale the picture down before the run"))]
    TooManyPixels {
        name: String,
        width: u32,
        height: u32,
    },
    #[error("{name}: the {format} data is truncated or damaged: {reason}")]
    #[diagnostic(help("copy or make the picture again"))]
    Damaged {
        name: String,
        format: &'static str,
        reason: String,
    },
}

/// The usual extension (`png`, `jpg`, `webp`, `gif`, `bmp`, `tiff`) of the format that the bytes begin like.
pub fn sniff(bytes: &[u8]) -> Option<&'static str> {
    format_of(bytes).map(|(_, extension)| extension)
}

/// Reads a file whole, up to a bound.
///
/// # Errors
/// When there is no such file, it is empty, too large or unreadable.
pub fn read_file(path: &Path) -> Result<Vec<u8>, ImageError> {
    let name = path.display().to_string();
    let io_error = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => ImageError::NotFound { name: name.clone() },
        ErrorKind::IsADirectory => ImageError::NotAFile { name: name.clone() },
        _ => ImageError::Unreadable {
            name: name.clone(),
            reason: error.to_string(),
        },
    };
    // Looked at before opening: opening a pipe would wait for its writer.
    let metadata = std::fs::metadata(path).map_err(io_error)?;
    if !metadata.is_file() {
        return Err(ImageError::NotAFile { name });
    }
    if metadata.len() > MAX_BYTES {
        let megabytes = metadata.len() / 1_000_000;
        return Err(ImageError::FileTooLarge { name, megabytes });
    }
    let mut bytes = Vec::with_capacity(metadata.len() as usize);
    let file = File::open(path).map_err(io_error)?;
    file.take(MAX_BYTES)
        .read_to_end(&mut bytes)
        .map_err(io_error)?;
    if bytes.is_empty() {
        return Err(ImageError::Empty { name });
    }
    Ok(bytes)
}

/// Decodes a picture file.
///
/// # Errors
/// As [`read_file`] and [`decode_bytes`].
pub fn decode_file(path: &Path) -> Result<Decoded, ImageError> {
    decode_bytes(&read_file(path)?, &path.display().to_string())
}

/// Decodes a picture. `name` stands for it in messages.
///
/// Transparency is laid on white, the EXIF orientation is applied, of an animation the first frame is taken.
///
/// # Errors
/// When the bytes are empty, no picture, too large a picture, truncated or damaged.
pub fn decode_bytes(bytes: &[u8], name: &str) -> Result<Decoded, ImageError> {
    let (format, extension) = known_format(bytes, name)?;
    let damaged = |reason: String| ImageError::Damaged {
        name: name.to_owned(),
        format: extension,
        reason,
    };
    let mut decoder = open(bytes, format).map_err(|error| damaged(error.to_string()))?;
    check_size(decoder.dimensions(), name)?;
    // The JPEG decoder fills what is missing with grey instead of failing.
    if format == ImageFormat::Jpeg && !jpeg_is_whole(bytes) {
        return Err(damaged("the end of the picture is missing".to_owned()));
    }
    let mut notes = Vec::new();
    let orientation = decoder
        .orientation()
        .unwrap_or(image::metadata::Orientation::NoTransforms);
    let mut picture =
        DynamicImage::from_decoder(decoder).map_err(|error| damaged(error.to_string()))?;
    if orientation != image::metadata::Orientation::NoTransforms {
        picture.apply_orientation(orientation);
        let code = orientation.to_exif();
        notes.push(format!("turned upright (EXIF orientation {code})"));
    }
    if is_animated(bytes, format) {
        notes.push("animated: the first frame was taken".to_owned());
    }
    let rgb = if picture.color().has_alpha() {
        let (rgb, see_through) = on_white(&picture.into_rgba8());
        if see_through {
            notes.push("transparent parts were laid on white".to_owned());
        }
        rgb
    } else {
        picture.into_rgb8()
    };
    Ok(Decoded {
        rgb,
        format: extension,
        notes,
    })
}

/// Width and height in pixels as stored, from the header alone.
///
/// # Errors
/// As [`decode_bytes`], but damage behind the header goes unseen.
pub fn dimensions(bytes: &[u8], name: &str) -> Result<(u32, u32), ImageError> {
    let (format, extension) = known_format(bytes, name)?;
    let decoder = open(bytes, format).map_err(|error| ImageError::Damaged {
        name: name.to_owned(),
        format: extension,
        reason: error.to_string(),
    })?;
    check_size(decoder.dimensions(), name)
}

fn open(bytes: &[u8], format: ImageFormat) -> image::ImageResult<impl ImageDecoder + '_> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_ALLOC);
    reader.limits(limits);
    reader.into_decoder()
}

fn check_size((width, height): (u32, u32), name: &str) -> Result<(u32, u32), ImageError> {
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(ImageError::TooManyPixels {
            name: name.to_owned(),
            width,
            height,
        });
    }
    Ok((width, height))
}

fn format_of(bytes: &[u8]) -> Option<(ImageFormat, &'static str)> {
    let format = image::guess_format(bytes).ok()?;
    let extension = match format {
        ImageFormat::Png => "png",
        ImageFormat::Jpeg => "jpg",
        ImageFormat::WebP => "webp",
        ImageFormat::Gif => "gif",
        ImageFormat::Bmp => "bmp",
        ImageFormat::Tiff => "tiff",
        _ => return None,
    };
    Some((format, extension))
}

fn known_format(bytes: &[u8], name: &str) -> Result<(ImageFormat, &'static str), ImageError> {
    if bytes.is_empty() {
        return Err(ImageError::Empty {
            name: name.to_owned(),
        });
    }
    format_of(bytes).ok_or_else(|| {
        let start: Vec<String> = bytes.iter().take(8).map(|b| format!("{b:02x}")).collect();
        ImageError::UnknownFormat {
            name: name.to_owned(),
            start: start.join(" "),
        }
    })
}

fn is_animated(bytes: &[u8], format: ImageFormat) -> bool {
    let stream = Cursor::new(bytes);
    match format {
        ImageFormat::Png => {
            PngDecoder::new(stream).is_ok_and(|decoder| decoder.is_apng().unwrap_or(false))
        }
        ImageFormat::WebP => WebPDecoder::new(stream).is_ok_and(|decoder| decoder.has_animation()),
        ImageFormat::Gif => {
            GifDecoder::new(stream).is_ok_and(|decoder| decoder.into_frames().take(2).count() == 2)
        }
        _ => false,
    }
}

/// The picture on a white ground, and whether any of the ground shows.
fn on_white(rgba: &RgbaImage) -> (RgbImage, bool) {
    let mut see_through = false;
    let mut rgb = RgbImage::new(rgba.width(), rgba.height());
    for (to, from) in rgb.pixels_mut().zip(rgba.pixels()) {
        let [r, g, b, alpha] = from.0;
        if alpha == 255 {
            to.0 = [r, g, b];
        } else {
            see_through = true;
            let alpha = u32::from(alpha);
            to.0 = [r, g, b].map(|c| {
                let sum = u32::from(c) * alpha + 255 * (255 - alpha);
                ((sum + 127) / 255) as u8
            });
        }
    }
    (rgb, see_through)
}

/// Whether the end-of-image marker follows the last scan: walks the marker segments (ITU-T T.81, annex B).
fn jpeg_is_whole(bytes: &[u8]) -> bool {
    let mut at = 2;
    let mut in_scan = false;
    while at + 1 < bytes.len() {
        let (first, marker) = (bytes[at], bytes[at + 1]);
        match (first, marker) {
            // Fill bytes, stuffed zeros and restart markers stand inside scans; so does any other byte.
            (0xff, 0xff) => at += 1,
            (0xff, 0x00 | 0x01 | 0xd0..=0xd8) => at += 2,
            (0xff, 0xd9) => return true,
            (0xff, _) => {
                let Some(length) = bytes.get(at + 2..at + 4) else {
                    return false;
                };
                in_scan = marker == 0xda;
                at += 2 + usize::from(u16::from_be_bytes([length[0], length[1]]));
            }
            _ if in_scan => at += 1,
            _ => return false,
        }
    }
    false
}

#[cfg(test)]
mod tests;
