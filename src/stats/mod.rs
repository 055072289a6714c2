//! Intervals, paired tests and power for clustered data, since the outputs of one item are not independent.
//!
//! | file | idea |
//! |---|---|
//! | [`cluster`] | sums over the outputs of an item, of one run or of a pair of runs |
//! | [`interval`] | the interval of a run's number, by a suitable method |
//! | [`bootstrap`] | resampled items: percentile and BCa intervals |
//! | [`jackknife`] | leave-one-out: standard error and skewness |
//! | [`proportion`] | Wilson's and Clopper and Pearson's intervals |
//! | [`permutation`] | the paired permutation test |
//! | [`mcnemar`] | the exact test of flips between right and wrong |
//! | [`holm`] | several tests at once |
//! | [`power`] | the smallest detectable difference, and the number of items that a test needs |
//! | [`change`] | where a series of runs changed |
//! | [`agreement`] | the agreement of two judges |
//! | [`formula`] | numbers that are not averages: functions of sums |
//! | [`ladder`] | a share by level of difficulty, and the level at which half is lost |
//! | [`shared`] | do two models make the same mistakes? |
//! | [`assignment`] | the cheapest one-to-one assignment |

pub mod agreement;
pub mod assignment;
pub mod bootstrap;
pub mod change;
pub mod cluster;
pub mod formula;
pub mod holm;
pub mod interval;
pub mod jackknife;
pub mod ladder;
pub mod mcnemar;
mod normal;
pub mod permutation;
pub mod power;
pub mod proportion;
pub mod random;
pub mod shared;
pub mod tails;

pub use normal::{Z_95, p_from_interval};
