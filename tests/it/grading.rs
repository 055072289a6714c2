//! (tests of grading)
