//! (tests of suites)
