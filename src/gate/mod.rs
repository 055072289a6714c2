//! May this change go in: baselines, policies and a verdict. Reads outcomes only.
//!
//! | file | idea |
//! |---|---|
//! | [`baseline`] | the small file that keeps the scores of runs, item by item |
//! | `lines` | one item of it |
//! | [`mod@judge`] | a policy's rules on runs and their baselines |
//! | [`verdict`] | what came of it |
//! | `grid` | the rules as rows |
//! | [`text`] | one screen of explanation |
//! | [`markdown`] | the summary of a CI step |
//! | [`github`] | step summary and annotations of GitHub Actions |
//! | [`junit`] | JUnit XML |
//! | [`banner`] | the verdict on the page |

pub mod banner;
pub mod baseline;
pub mod github;
mod grid;
pub mod judge;
pub mod junit;
mod lines;
pub mod markdown;
pub mod text;
pub mod verdict;

pub use baseline::{Accepted, Baseline, BaselineError};
pub use judge::{Candidate, judge};
pub use verdict::{Ruled, Status, Verdict};
