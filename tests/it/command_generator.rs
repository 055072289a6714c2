//! (tests of command_generator)
