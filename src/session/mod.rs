//! An evaluation from names to results: plan, prepare, execute, score.

pub mod device;
pub(crate) mod engines;
pub(crate) mod execute;
pub(crate) mod languages;
pub(crate) mod outcomes;
pub(crate) mod prepare;
pub(crate) mod score;
pub(crate) mod shipped;
