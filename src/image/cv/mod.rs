//! The OpenCV operations that vision models were trained behind, reproduced closely enough that a network sees the
//! same pixels.
//!
//! Pictures are RGB here where OpenCV users write BGR: every operation treats the channels alike, so only the code
//! that fills the network's input has to swap them.

mod contour;
mod rect;
mod resize;
mod warp;

pub use contour::borders;
pub use rect::{RotatedRect, min_area_rect};
pub use resize::resize_linear;
pub use warp::crop_quad;
