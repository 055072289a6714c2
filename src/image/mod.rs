//! (room image)

pub mod cv;
