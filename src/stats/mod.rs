//! Intervals of ratios over clustered data: 95 %, percentile bootstrap, normal approximation, Wilson. Agreement of judges.

pub mod agreement;
pub mod bootstrap;
pub mod cluster;
pub mod interval;
mod random;
