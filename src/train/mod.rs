//! The miniature world: small drawn pictures of which everything is known, and networks trained on them.
//!
//! | file | idea |
//! |---|---|
//! | [`world`] | the pictures |
//! | [`samples`] | what training sees of them |
//! | [`task`] | what a training needs of a network |
//! | [`vae`] | an autoencoder |
//! | [`optimizer`] | AdamW, the clipped gradient, the moving average |
//! | [`run`] | the steps, from the first or the last to the checkpoint |
//! | `state`, `curve` | what lies on the disk meanwhile |

mod curve;
mod error;
pub mod optimizer;
pub mod run;
pub mod samples;
mod state;
pub mod task;
pub mod vae;
pub mod world;

pub use error::TrainError;
pub use run::{Event, Outcome, Place, run as train};
