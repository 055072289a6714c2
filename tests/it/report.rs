//! (tests of report)
