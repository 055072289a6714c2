//! (tests of bad_input)
