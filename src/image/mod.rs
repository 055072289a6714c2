//! Pixels: bounded decoding, encoding, small pictures for pages.

pub mod decode;
pub mod encode;
