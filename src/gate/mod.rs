//! Decides whether a change may go in: baselines, policies and a verdict. This room reads outcomes only.
//!
//! | file | idea |
//! |---|---|
//! | [`baseline`] | the small file that keeps the scores of runs, item by item |
//! | `lines` | one item of the file |
//! | [`mod@judge`] | a policy's rules on runs and their baselines |
//! | [`verdict`] | the outcome |
//! | `shown` | the comparisons that explain the outcome |
//! | `grid` | the rules as rows |
//! | [`text`] | the explanation on one screen |
//! | [`summary`] | the summary of a CI step |
//! | [`github`] | step summary and annotations for GitHub Actions |
//! | [`junit`] | JUnit XML |
//! | `folder` | the files of a verdict |
//! | [`banner`] | the verdict for the page |

pub mod banner;
pub mod baseline;
mod folder;
pub mod github;
mod grid;
pub mod judge;
pub mod junit;
mod lines;
mod shown;
pub mod summary;
pub mod text;
pub mod verdict;

pub use baseline::{Accepted, Baseline, BaselineError};
pub use folder::write_files;
pub use judge::{Candidate, judge};
pub use shown::comparisons;
pub use verdict::{Ruled, Status, Verdict};
