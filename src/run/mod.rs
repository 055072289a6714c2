//! (room run)
