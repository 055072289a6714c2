//! Rewards in this process: observers that are opened once, and the arithmetic of [`crate::grade::reward`] on
//! what they see.
//!
//! | file | idea |
//! |---|---|
//! | `eye` | an opened observer, and what its looks depend on |
//! | `shown` | one output as observers are shown it |
//! | `scorer` | several rewards over the observers that they share |
//! | `training` | a reward as a training asks it |

mod eye;
mod scorer;
mod shown;
mod training;

pub use eye::{Eye, Seen};
pub use scorer::{BuildObserver, OpenReward, Scorer, picture_output};
pub use shown::Shown;
pub use training::TrainingReward;
