//! Pixels: bounded decoding, encoding, small pictures for pages, OpenCV-exact primitives.

pub mod cv;
mod decode;
mod encode;
pub mod pillow;
pub mod size;
pub mod tensor_resize;

pub use decode::{Decoded, ImageError, decode_bytes, decode_file, dimensions, read_file, sniff};
pub use encode::{encode_jpeg, encode_png, thumbnail};
