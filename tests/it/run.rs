//! (tests of run)
