use super::*;
use crate::image::encode::{encode_png, thumbnail};
use base64::Engine;
use image::codecs::gif::GifEncoder;
use image::{Delay, ExtendedColorType, Frame, ImageEncoder, Rgb, Rgba};
use std::io::Write;

/// 16x8 CMYK JPEG with Adobe's inverted channels: left C 100 %, right M 100 % Y 100 % K 20 %. Made with
/// Pillow: `im = Image.new("CMYK", (16, 8), (255, 0, 0, 0)); im.paste((0, 255, 255, 51), (8, 0, 16, 8))`,
/// `im.save(f, "JPEG", quality=90, subsampling=0)`; its `convert("RGB")` gives (0, 255, 255) and (204, 0, 0).
const CMYK: &str = "/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwADAgIDAgIDAwMDBAMDBAUIBQUEBAUKBwcGCAwKDAwLCgsLDQ4SEA0OEQ4L\
CxAWEBETFBUVFQwPFxgWFBgSFBUU/8AAFAgACAAQBEMRAE0RAFkRAEsRAP/EAB8AAAEFAQEBAQEBAAAAAAAAAAABAgMEBQYHCAkKC//EALUQAAIBAwM\
CBAMFBQQEAAABfQECAwAEEQUSITFBBhNRYQcicRQygZGhCCNCscEVUtHwJDNicoIJChYXGBkaJSYnKCkqNDU2Nzg5OkNERUZHSElKU1RVVldYWVpjZG\
VmZ2hpanN0dXZ3eHl6g4SFhoeIiYqSk5SVlpeYmZqio6Slpqeoqaqys7S1tre4ubrCw8TFxsfIycrS09TV1tfY2drh4uPk5ebn6Onq8fLz9PX29/j5+\
v/aAA4EQwBNAFkASwAAPwD8qq/VOv1Tr9U6/qor+Vev5V6+d6//2Q==";

/// 3x2: red, green, blue over black, white, grey.
fn six() -> RgbImage {
    let colours = [
        [255, 0, 0],
        [0, 255, 0],
        [0, 0, 255],
        [0, 0, 0],
        [255, 255, 255],
        [128, 128, 128],
    ];
    RgbImage::from_fn(3, 2, |x, y| Rgb(colours[(y * 3 + x) as usize]))
}

fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn near(found: Rgb<u8>, expected: [u8; 3], tolerance: u8) -> bool {
    (0..3).all(|c| found.0[c].abs_diff(expected[c]) <= tolerance)
}

#[test]
fn lossless_formats_come_back_exactly_whatever_the_name_says() {
    for (format, extension) in [
        (ImageFormat::Png, "png"),
        (ImageFormat::Bmp, "bmp"),
        (ImageFormat::Tiff, "tiff"),
        (ImageFormat::WebP, "webp"),
    ] {
        let bytes = encoded(&DynamicImage::ImageRgb8(six()), format);
        assert_eq!(sniff(&bytes), Some(extension));
        let decoded = decode_bytes(&bytes, "misnamed.jpg").unwrap();
        assert_eq!(decoded.rgb, six(), "{extension}");
        assert_eq!(decoded.format, extension);
        assert_eq!(decoded.changes, []);
        assert_eq!(dimensions(&bytes, "x").unwrap(), (3, 2));
    }
}

#[test]
fn sixteen_bits_become_eight() {
    let deep = image::ImageBuffer::from_pixel(2, 2, Rgb([0xffffu16, 0x8080, 0x0000]));
    let bytes = encoded(&DynamicImage::ImageRgb16(deep), ImageFormat::Png);
    assert_eq!(bytes[24], 16, "the PNG's bit depth");
    let decoded = decode_bytes(&bytes, "deep.png").unwrap();
    assert_eq!(decoded.rgb.get_pixel(1, 1).0, [255, 128, 0]);
    assert_eq!(decoded.changes, [Change::EightBits]);
}

#[test]
fn cmyk_becomes_rgb() {
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(CMYK)
        .unwrap();
    let decoded = decode_bytes(&bytes, "print.jpg").unwrap();
    assert_eq!(decoded.rgb.dimensions(), (16, 8));
    assert!(near(*decoded.rgb.get_pixel(2, 4), [0, 255, 255], 2));
    assert!(near(*decoded.rgb.get_pixel(13, 4), [204, 0, 0], 2));
    assert_eq!(decoded.changes, [Change::FromCmyk]);
}

#[test]
fn transparency_is_laid_on_white_and_noted() {
    let mut sheer = RgbaImage::from_pixel(2, 1, Rgba([200, 0, 0, 255]));
    sheer.put_pixel(1, 0, Rgba([0, 0, 0, 51]));
    let bytes = encoded(&DynamicImage::ImageRgba8(sheer), ImageFormat::Png);
    let decoded = decode_bytes(&bytes, "sheer.png").unwrap();
    assert_eq!(decoded.rgb.get_pixel(0, 0).0, [200, 0, 0]);
    // 51/255 = 20 % black on white: 204.
    assert_eq!(decoded.rgb.get_pixel(1, 0).0, [204, 204, 204]);
    assert_eq!(decoded.changes, [Change::LaidOnWhite]);

    let opaque = RgbaImage::from_pixel(2, 1, Rgba([1, 2, 3, 255]));
    let bytes = encoded(&DynamicImage::ImageRgba8(opaque), ImageFormat::Png);
    assert_eq!(decode_bytes(&bytes, "x").unwrap().changes, []);
}

#[test]
fn the_first_frame_of_an_animation_is_taken() {
    let mut bytes = Vec::new();
    let mut encoder = GifEncoder::new(&mut bytes);
    for colour in [[255, 0, 0, 255], [0, 0, 255, 255]] {
        let frame = RgbaImage::from_pixel(4, 4, Rgba(colour));
        let delay = Delay::from_numer_denom_ms(100, 1);
        encoder
            .encode_frame(Frame::from_parts(frame, 0, 0, delay))
            .unwrap();
    }
    drop(encoder);
    let decoded = decode_bytes(&bytes, "moving.gif").unwrap();
    assert!(near(*decoded.rgb.get_pixel(1, 1), [255, 0, 0], 8));
    assert_eq!(decoded.changes, [Change::FirstFrame]);
}

/// A JPEG with an EXIF block of one entry, the orientation (TIFF tag 0x0112), after the start marker.
fn turned_jpeg(orientation: u8) -> Vec<u8> {
    let picture = RgbImage::from_fn(32, 16, |x, _| {
        if x < 16 {
            Rgb([255, 0, 0])
        } else {
            Rgb([0, 0, 255])
        }
    });
    let plain = encoded(&DynamicImage::ImageRgb8(picture), ImageFormat::Jpeg);
    let mut exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0]);
    let mut bytes = vec![0xff, 0xd8, 0xff, 0xe1];
    bytes.extend(((exif.len() + 2) as u16).to_be_bytes());
    bytes.extend(exif);
    bytes.extend(&plain[2..]);
    bytes
}

#[test]
fn exif_orientation_is_applied() {
    // 6: the camera was turned; the stored left edge is the upright top.
    let upright = decode_bytes(&turned_jpeg(6), "phone.jpg").unwrap();
    assert_eq!(upright.rgb.dimensions(), (16, 32));
    assert!(near(*upright.rgb.get_pixel(8, 2), [255, 0, 0], 12));
    assert!(near(*upright.rgb.get_pixel(8, 29), [0, 0, 255], 12));
    assert_eq!(upright.changes, [Change::Turned]);
    // 3: upside down.
    let upright = decode_bytes(&turned_jpeg(3), "phone.jpg").unwrap();
    assert_eq!(upright.rgb.dimensions(), (32, 16));
    assert!(near(*upright.rgb.get_pixel(2, 8), [0, 0, 255], 12));
    // 1: as stored.
    let upright = decode_bytes(&turned_jpeg(1), "x").unwrap();
    assert_eq!(upright.changes, []);
    // The header says the same size as the pixels.
    for orientation in 1..=8 {
        let bytes = turned_jpeg(orientation);
        let pixels = decode_bytes(&bytes, "x").unwrap().rgb;
        assert_eq!(dimensions(&bytes, "x").unwrap(), pixels.dimensions());
    }
}

/// The header of a PNG that claims sides of 30,000 pixels, and a few bytes of data.
fn bomb() -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
    bytes.extend(30_000u32.to_be_bytes());
    bytes.extend(30_000u32.to_be_bytes());
    bytes.extend([8, 2, 0, 0, 0]);
    // CRC-32 of "IHDR" and its 13 bytes: Python's zlib.crc32(b"IHDR" + struct.pack(">IIBBBBB", 30000, 30000,
    // 8, 2, 0, 0, 0)).
    bytes.extend(0xe945_6fedu32.to_be_bytes());
    bytes.extend(b"\0\0\0\x0bIDATx\x9c\x03\0\0\0\0\x01");
    bytes
}

#[test]
fn a_bomb_is_refused_from_its_header() {
    let start = std::time::Instant::now();
    for error in [
        decode_bytes(&bomb(), "bomb.png").unwrap_err(),
        dimensions(&bomb(), "bomb.png").unwrap_err(),
    ] {
        assert_eq!(
            error.to_string(),
            "bomb.png: the picture is 30000x30000 pixels; at most 100 megapixels are decoded"
        );
    }
    assert!(start.elapsed().as_millis() < 100);
}

#[test]
fn a_truncated_picture_is_an_error_in_every_format() {
    let noisy = RgbImage::from_fn(64, 64, |x, y| {
        let mixed = (x * 7919 + y * 104_729).wrapping_mul(2_654_435_761) >> 13;
        Rgb([mixed as u8, (mixed >> 8) as u8, (x ^ y) as u8])
    });
    for format in [
        ImageFormat::Png,
        ImageFormat::Jpeg,
        ImageFormat::WebP,
        ImageFormat::Gif,
        ImageFormat::Bmp,
        ImageFormat::Tiff,
    ] {
        let bytes = encoded(&DynamicImage::ImageRgb8(noisy.clone()), format);
        assert!(decode_bytes(&bytes, "whole").is_ok(), "{format:?}");
        for part in [4, 2] {
            let error = decode_bytes(&bytes[..bytes.len() / part], "cut.img").unwrap_err();
            assert!(
                error.to_string().starts_with("cut.img: the ")
                    && error.to_string().contains("truncated or damaged"),
                "{format:?}: {error}"
            );
        }
    }
}

#[test]
fn files_that_are_no_pictures_are_named_with_a_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("empty.png"), b"").unwrap();
    std::fs::write(path("page.png"), b"<html>").unwrap();
    let message = |name: &str| {
        let error = decode_file(&path(name)).unwrap_err();
        let help = miette::Diagnostic::help(&error).unwrap().to_string();
        let text = error.to_string();
        let folder = folder.path().display().to_string();
        format!("{} | {help}", text.replace(&folder, "DIR"))
    };
    assert_eq!(
        message("empty.png"),
        "DIR/empty.png: the file is empty (0 bytes) | the program that wrote it was probably stopped; make the picture again"
    );
    assert_eq!(
        message("page.png"),
        "DIR/page.png: not a picture of a known format (it starts with 3c 68 74 6d 6c 3e) | \
         convert it to PNG; JPEG, WebP, GIF, BMP and TIFF are also read"
    );
    assert_eq!(
        message("absent.png"),
        "DIR/absent.png: no such file | check the path, or make the picture again"
    );
    let error = decode_file(folder.path()).unwrap_err();
    assert!(error.to_string().ends_with("this is not a file"));
}

#[test]
fn png_is_lossless_and_repeatable() {
    let bytes = encode_png(&six()).unwrap();
    assert_eq!(bytes, encode_png(&six()).unwrap());
    assert_eq!(decode_bytes(&bytes, "x").unwrap().rgb, six());
    let error = encode_png(&RgbImage::new(0, 5)).unwrap_err();
    assert!(error.to_string().contains("0x5"), "{error}");
}

#[test]
fn a_thumbnail_keeps_the_shape_and_enlarges_only_tiny_pictures() {
    let wide = RgbImage::from_pixel(400, 100, Rgb([10, 200, 30]));
    let small = decode_bytes(&thumbnail(&wide, 200).unwrap(), "thumb").unwrap();
    assert_eq!(small.format, "jpg");
    assert_eq!(small.rgb.dimensions(), (200, 50));
    assert!(near(*small.rgb.get_pixel(100, 25), [10, 200, 30], 3));
    let same = RgbImage::new(90, 65);
    let same = decode_bytes(&thumbnail(&same, 200).unwrap(), "thumb").unwrap();
    assert_eq!(same.rgb.dimensions(), (90, 65));
    // The factor is whole, so every pixel becomes a square of 66.
    let large = decode_bytes(&thumbnail(&six(), 200).unwrap(), "thumb").unwrap();
    assert_eq!(large.rgb.dimensions(), (198, 132));
    for (x, y, pixel) in six().enumerate_pixels() {
        let middle = large.rgb.get_pixel(66 * x + 33, 66 * y + 33);
        assert!(near(*middle, pixel.0, 12), "{x} {y}: {middle:?}");
    }
}

#[test]
fn a_jpeg_is_whole_only_with_its_end_marker() {
    let bytes = turned_jpeg(1);
    assert!(jpeg::markers(&bytes).whole);
    assert_eq!(jpeg::markers(&bytes).channels, Some(3));
    assert!(!jpeg::markers(&bytes[..bytes.len() - 2]).whole);
    let mut trailing = bytes.clone();
    trailing.write_all(b"camera maker's notes").unwrap();
    assert!(jpeg::markers(&trailing).whole);
}

#[test]
fn a_webp_with_alpha_is_read() {
    let mut bytes = Vec::new();
    image::codecs::webp::WebPEncoder::new_lossless(&mut bytes)
        .write_image(&[0, 0, 0, 0], 1, 1, ExtendedColorType::Rgba8)
        .unwrap();
    let decoded = decode_bytes(&bytes, "x.webp").unwrap();
    assert_eq!(decoded.rgb.get_pixel(0, 0).0, [255, 255, 255]);
}

/// The parts of a file after the last pixel that may be missing, according to Pillow with the same files.
#[test]
fn a_file_that_is_cut_behind_its_last_pixel_is_cut() {
    let picture = DynamicImage::ImageRgb8(RgbImage::from_fn(16, 16, |x, y| {
        Rgb([(x * 16) as u8, (y * 16) as u8, 90])
    }));
    for (format, needless) in [(ImageFormat::WebP, 0), (ImageFormat::Gif, 2)] {
        let bytes = encoded(&picture, format);
        let end = bytes.len() - needless;
        assert!(decode_bytes(&bytes[..end], "whole").is_ok(), "{format:?}");
        for cut in 1..=4 {
            let error = decode_bytes(&bytes[..end - cut], "cut").unwrap_err();
            assert!(
                error.to_string().contains("truncated"),
                "{format:?}: {error}"
            );
        }
    }
}

proptest::proptest! {
    #[test]
    fn any_bytes_give_a_picture_or_an_error(
        head in proptest::sample::select(vec![&b"\x89PNG\r\n\x1a\n"[..], b"\xff\xd8\xff", b"GIF89a", b"BM", b"II*\0", b"RIFF\x20\0\0\0WEBPVP8L"]),
        tail in proptest::collection::vec(proptest::num::u8::ANY, 0..200),
    ) {
        let bytes = [head, &tail].concat();
        let _ = decode_bytes(&bytes, "any");
        let _ = dimensions(&bytes, "any");
    }
}
