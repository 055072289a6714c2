//! (room image)
