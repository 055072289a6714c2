//! Formats of pictures that are not read, so that messages can name them.

use image::ImageFormat;

/// The brands of files in the ISO base media format, with their formats.
const BRANDS: [(&[u8], &str); 10] = [
    (b"avif", "AVIF"),
    (b"avis", "AVIF"),
    (b"heic", "HEIC"),
    (b"heix", "HEIC"),
    (b"heim", "HEIC"),
    (b"heis", "HEIC"),
    (b"hevc", "HEIC"),
    (b"hevx", "HEIC"),
    (b"mif1", "HEIF"),
    (b"msf1", "HEIF"),
];

/// The first bytes of further formats.
const STARTS: [(&[u8], &str); 11] = [
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"II+\0", "BigTIFF"),
    (b"MM\0+", "BigTIFF"),
    (b"8BPS", "PSD"),
    (b"%PDF-", "PDF"),
    (b"%!PS", "PostScript"),
    (b"<svg", "SVG"),
    (b"gimp xcf", "XCF"),
];

/// The name of the format that has these first bytes.
pub(super) fn format_name(bytes: &[u8]) -> Option<&'static str> {
    if bytes.get(4..8) == Some(b"ftyp") {
        let brand = bytes.get(8..12)?;
        return (BRANDS.iter())
            .find(|(known, _)| *known == brand)
            .map(|(_, name)| *name);
    }
    if let Some((_, name)) = STARTS.iter().find(|(start, _)| bytes.starts_with(start)) {
        return Some(name);
    }
    if bytes.starts_with(b"<?xml") {
        let head = &bytes[..bytes.len().min(1024)];
        return head.windows(4).any(|part| part == b"<svg").then_some("SVG");
    }
    match image::guess_format(bytes).ok()? {
        ImageFormat::Ico => Some("ICO"),
        // Many texts begin with this letter and digit, so a blank must follow.
        ImageFormat::Pnm if bytes.get(2).is_some_and(u8::is_ascii_whitespace) => Some("PNM"),
        ImageFormat::Qoi => Some("QOI"),
        ImageFormat::Dds => Some("DDS"),
        ImageFormat::Hdr => Some("Radiance HDR"),
        ImageFormat::OpenExr => Some("OpenEXR"),
        ImageFormat::Farbfeld => Some("farbfeld"),
        ImageFormat::Avif => Some("AVIF"),
        _ => None,
    }
}
