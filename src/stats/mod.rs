//! Intervals of ratios over clustered data: 95 %, percentile bootstrap, normal approximation, Wilson.

pub mod bootstrap;
pub mod cluster;
pub mod interval;
mod random;
