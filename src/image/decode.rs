//! Bounded decoding of pictures from any source into upright 8-bit RGB.
//!
//! The bytes decide the format, never the file name. The size of a picture is read from its header and
//! checked before any pixel is allocated, so that a small file that claims a huge picture costs nothing.

mod change;
mod jpeg;
mod other;
mod tiff_tags;
mod whole;

pub use change::Change;

use image::ExtendedColorType::{Cmyk8, Cmyk16};
use image::codecs::{gif::GifDecoder, png::PngDecoder, webp::WebPDecoder};
use image::metadata::Orientation::{
    NoTransforms, Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH,
};
use image::{
    AnimationDecoder, DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, RgbImage,
    RgbaImage,
};
use std::fs::File;
use std::io::{Cursor, ErrorKind, Read};
use std::path::Path;
use tiff_tags::{Alpha, Page};

/// The largest picture that is decoded, in pixels.
pub const MAX_PIXELS: u64 = 100_000_000;
/// The largest file that is read, in bytes.
const MAX_BYTES: u64 = 1 << 30;
/// The largest allocation of a decoder, in bytes: the largest picture with four 16-bit channels.
const MAX_ALLOC: u64 = MAX_PIXELS * 8;

/// A picture in the form that the rest of the program uses.
#[derive(Debug, Clone)]
pub struct Decoded {
    /// Upright, with 8 bits per channel and without alpha.
    pub rgb: RgbImage,
    /// The usual extension of the format, without the dot.
    pub format: &'static str,
    /// What decoding changed, such as transparency, orientation and animation.
    pub changes: Vec<Change>,
}

/// Why a picture cannot be used. Every message names the picture.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum ImageError {
    /// There is no such file.
    #[error("{name}: no such file")]
    #[diagnostic(help("check the path, or make the picture again"))]
    NotFound {
        /// The name of the picture.
        name: String,
    },
    /// The path is a folder or a device.
    #[error("{name}: this is not a file")]
    #[diagnostic(help("give the path of a picture, not of a folder or device"))]
    NotAFile {
        /// The name of the picture.
        name: String,
    },
    /// The file cannot be read.
    #[error("{name}: cannot be read: {reason}")]
    #[diagnostic(help("check the permissions of the file and of its folders"))]
    Unreadable {
        /// The name of the picture.
        name: String,
        /// The reason, in words.
        reason: String,
    },
    /// The file is empty.
    #[error("{name}: the file is empty (0 bytes)")]
    #[diagnostic(help("the program that wrote it was probably stopped; make the picture again"))]
    Empty {
        /// The name of the picture.
        name: String,
    },
    /// The file is too large.
    #[error("{name}: the file is {megabytes} MB; at most {} MB are read", MAX_BYTES / 1_000_000)]
    #[diagnostic(help("store the picture compressed or at a smaller size"))]
    FileTooLarge {
        /// The name of the picture.
        name: String,
        /// The size of the file, in MB.
        megabytes: u64,
    },
    /// The format is unknown.
    #[error("{name}: not a picture of a known format (it starts with {start})")]
    #[diagnostic(help("convert it to PNG; JPEG, WebP, GIF, BMP and TIFF are also read"))]
    UnknownFormat {
        /// The name of the picture.
        name: String,
        /// The first bytes.
        start: String,
    },
    /// The kind of picture is not supported.
    #[error("{name}: {what} is not supported; save the picture as PNG")]
    #[diagnostic(help("JPEG, WebP, GIF, BMP and most kinds of TIFF are also read"))]
    Unsupported {
        /// The name of the picture.
        name: String,
        /// What is not supported.
        what: String,
    },
    /// The picture has too many pixels.
    #[error(
        "{name}: the picture is {width}x{height} pixels; at most {} megapixels are decoded",
        MAX_PIXELS / 1_000_000
    )]
    #[diagnostic(help("scale the picture down before the run"))]
    TooManyPixels {
        /// The name of the picture.
        name: String,
        /// The width, in pixels.
        width: u32,
        /// The height, in pixels.
        height: u32,
    },
    /// The data are truncated or damaged.
    #[error("{name}: the {format} data is truncated or damaged: {reason}")]
    #[diagnostic(help("copy the picture again, or make it again"))]
    Damaged {
        /// The name of the picture.
        name: String,
        /// The name of the format.
        format: &'static str,
        /// The reason, in words.
        reason: String,
    },
}

/// The usual extension (`png`, `jpg`, `webp`, `gif`, `bmp`, `tiff`) of the format that has these first bytes.
pub fn sniff(bytes: &[u8]) -> Option<&'static str> {
    format_of(bytes).map(|(_, extension)| extension)
}

/// The name of the format that has these first bytes, if it is known but not read.
pub fn unread_format(bytes: &[u8]) -> Option<&'static str> {
    match format_of(bytes) {
        Some(_) => None,
        None => other::format_name(bytes),
    }
}

/// Reads a whole file, up to a limit.
///
/// # Errors
/// Fails if there is no such file, or if it is empty, too large or unreadable.
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
    // The type is checked before opening, since opening a pipe would wait for its writer.
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
/// Fails as [`read_file`] and [`decode_bytes`] do.
pub fn decode_file(path: &Path) -> Result<Decoded, ImageError> {
    decode_bytes(&read_file(path)?, &path.display().to_string())
}

/// Decodes a picture. `name` is its name in messages.
///
/// Transparent parts become white, the EXIF orientation is applied, and the first frame of an animation is
/// used.
///
/// # Errors
/// Fails if the bytes are empty or not a picture, or if the picture is too large, of a kind that is not
/// supported, truncated or damaged.
pub fn decode_bytes(bytes: &[u8], name: &str) -> Result<Decoded, ImageError> {
    let (format, extension) = known_format(bytes, name)?;
    let failed = |error| failed(error, name, extension);
    let page = page(bytes, name, format)?;
    let mut decoder = open(bytes, format).map_err(failed)?;
    check_size(decoder.dimensions(), name)?;
    let mut changes = Vec::new();
    if page.followed {
        changes.push(Change::FirstPage);
    }
    if let Some(what) = whole::missing(bytes, format) {
        return Err(damaged(name, extension, what.to_owned()));
    }
    let cmyk = matches!(decoder.original_color_type(), Cmyk8 | Cmyk16);
    if cmyk || (format == ImageFormat::Jpeg && is_cmyk_jpeg(bytes, name)?) {
        changes.push(Change::FromCmyk);
    }
    let orientation = decoder.orientation().unwrap_or(NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder).map_err(failed)?;
    if picture.color().bytes_per_pixel() / picture.color().channel_count() > 1 {
        changes.push(Change::EightBits);
    }
    if orientation != NoTransforms {
        picture.apply_orientation(orientation);
        changes.push(Change::Turned);
    }
    if is_animated(bytes, format) {
        changes.push(Change::FirstFrame);
    }
    let rgb = if picture.color().has_alpha() {
        let (rgb, see_through) = on_white(&picture.into_rgba8(), page.alpha);
        if see_through {
            changes.push(Change::LaidOnWhite);
        }
        rgb
    } else {
        picture.into_rgb8()
    };
    Ok(Decoded {
        rgb,
        format: extension,
        changes,
    })
}

/// Whether a JPEG has four channels.
///
/// # Errors
/// Fails if the end of the file is missing, which the decoder would fill with grey.
fn is_cmyk_jpeg(bytes: &[u8], name: &str) -> Result<bool, ImageError> {
    let markers = jpeg::markers(bytes);
    if markers.whole {
        Ok(markers.channels == Some(4))
    } else {
        let reason = "the end of the picture is missing".to_owned();
        Err(damaged(name, "jpg", reason))
    }
}

/// The tags of the first page of a TIFF. For other formats, and for a damaged file, which the decoder
/// reports, they have their default.
fn page(bytes: &[u8], name: &str, format: ImageFormat) -> Result<Page, ImageError> {
    if format != ImageFormat::Tiff {
        return Ok(Page::default());
    }
    match tiff_tags::page(bytes) {
        Err(Some(what)) => Err(ImageError::Unsupported {
            name: name.to_owned(),
            what,
        }),
        read => Ok(read.unwrap_or_default()),
    }
}

/// The error of a decoder. A kind of picture that the decoder does not know is not damage.
fn failed(error: image::ImageError, name: &str, format: &'static str) -> ImageError {
    match error {
        image::ImageError::Unsupported(error) => ImageError::Unsupported {
            name: name.to_owned(),
            what: format!("this {format} file ({error})"),
        },
        error => damaged(name, format, error.to_string()),
    }
}

fn damaged(name: &str, format: &'static str, reason: String) -> ImageError {
    ImageError::Damaged {
        name: name.to_owned(),
        format,
        reason,
    }
}

/// The width and height in pixels of the upright picture, from the header alone.
///
/// # Errors
/// Fails as [`decode_bytes`] does, but damage after the header is not noticed.
pub fn dimensions(bytes: &[u8], name: &str) -> Result<(u32, u32), ImageError> {
    let (format, extension) = known_format(bytes, name)?;
    page(bytes, name, format)?;
    let mut decoder = open(bytes, format).map_err(|error| failed(error, name, extension))?;
    let (width, height) = check_size(decoder.dimensions(), name)?;
    let turned = matches!(
        decoder.orientation(),
        Ok(Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH)
    );
    Ok(if turned {
        (height, width)
    } else {
        (width, height)
    })
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
        if let Some(what) = unread_format(bytes) {
            return ImageError::Unsupported {
                name: name.to_owned(),
                what: what.to_owned(),
            };
        }
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

/// The picture on a white ground, and whether any part of the ground is visible.
fn on_white(rgba: &RgbaImage, kind: Alpha) -> (RgbImage, bool) {
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
                let colour = match kind {
                    Alpha::Straight => u32::from(c) * alpha,
                    // A colour that exceeds its alpha is an error in the file.
                    Alpha::Associated => 255 * u32::from(c).min(alpha),
                };
                ((colour + 255 * (255 - alpha) + 127) / 255) as u8
            });
        }
    }
    (rgb, see_through)
}

#[cfg(test)]
mod tests;
