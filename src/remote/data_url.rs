//! Pictures inside JSON.

use base64::Engine as _;

/// The MIME type of a format, given by its usual extension as `image::sniff` returns it.
pub fn mime(extension: &str) -> &'static str {
    match extension {
        "jpg" => "image/jpeg",
        "webp" => "image/webp",
        "gif" => "image/gif",
        "bmp" => "image/bmp",
        "tiff" => "image/tiff",
        _ => "image/png",
    }
}

/// The address `data:MIME;base64,…` that contains the bytes.
pub fn data_url(mime: &str, bytes: &[u8]) -> String {
    let mut url = format!("data:{mime};base64,");
    base64::engine::general_purpose::STANDARD.encode_string(bytes, &mut url);
    url
}
