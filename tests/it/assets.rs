//! (tests of assets)
