//! (tests of openai)
