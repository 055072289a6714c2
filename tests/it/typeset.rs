//! (tests of typeset)
