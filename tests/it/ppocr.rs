//! (tests of ppocr)
