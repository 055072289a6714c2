//! Pixels: bounded decoding, encoding, small pictures for pages, operations that equal OpenCV's, and
//! measures.

pub mod cv;
mod decode;
pub mod edit;
mod encode;
pub mod maps;
pub mod noise;
pub mod pillow;
pub mod quality;
mod shrink;
pub mod target_size;
pub mod tensor_resize;

pub use decode::{
    Change, Decoded, ImageError, MAX_PIXELS, decode_bytes, decode_file, dimensions, read_file,
    sniff, unread_format,
};
pub use encode::{encode_jpeg, encode_mask, encode_png, thumbnail};
