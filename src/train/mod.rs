//! Networks that are trained on the miniature world: small drawn pictures of which everything is known.
//!
//! | file | idea |
//! |---|---|
//! | [`crate::world`] | the pictures |
//! | `definition` | what is trained, on what and for how long |
//! | [`samples`] | what training sees of them |
//! | [`task`] | what a training needs of a network |
//! | [`tasks`] | one file for each network that is trained |
//! | `setup` | what a task makes its network from |
//! | `place` | where and how a training runs |
//! | `scores` | what pictures are worth, for trainings by reward |
//! | `sources` | the checkpoints that a training begins from |
//! | `autoencoder`, `codes`, `flow`, `diffusion`, `blocks`, `prompt`, `vocabulary`, `answers` | what several tasks share |
//! | [`region`] | how much more the loss counts where an edit changed something |
//! | `description` | all that a picture shows, in words |
//! | `probe` | what an encoder's tokens say about their cells |
//! | [`optimizer`] | AdamW, the clipped gradient, the moving average |
//! | [`run`] | the steps, from the first or the last saved one to the checkpoint |
//! | `state`, `curve` | what a training keeps on the disk while it runs |
//! | [`verify`] | whether a training repeats an earlier one |
//! | `lessons` | what the language model is taught |

mod answers;
mod autoencoder;
mod blocks;
mod codes;
mod curve;
mod definition;
mod description;
mod diffusion;
mod error;
mod flow;
mod lessons;
pub mod optimizer;
mod place;
mod probe;
mod prompt;
pub mod region;
pub mod run;
pub mod samples;
mod scores;
mod setup;
mod sources;
mod state;
pub mod task;
pub mod tasks;
pub mod verify;
mod vocabulary;

pub use curve::{BEGINNING, Course, FILE as CURVE, course};
pub use definition::{TrainingChange, TrainingFile, training};
pub use error::TrainError;
pub use place::{Event, Place, Shipped};
pub use run::{Outcome, RECORD, run as train};
pub use scores::{Rewards, Scored, Scores, no_rewards};
pub use tasks::objective;
