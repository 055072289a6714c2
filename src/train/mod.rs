//! The miniature world: small drawn pictures of which everything is known.

pub mod world;
