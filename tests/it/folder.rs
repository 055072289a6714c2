//! (tests of folder)
