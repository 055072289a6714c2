//! What is seen: the [`Observer`] trait and one file per observer.
//!
//! An observer writes down raw evidence and never a score.

pub mod clip_score;
pub mod edit_pixels;
pub mod edit_similarity;
pub mod geneval_detector;
pub mod got_ocr;
pub mod hpsv2;
pub mod judge;
pub mod mplug_vqa;
pub mod openai_ocr;
pub mod ppocr;
pub mod quality;
pub mod qwen;
pub mod vqascore;
pub mod world;

mod clip;
mod error;
mod kind;
mod noted;
mod observer;
mod pictures;
mod questions;
mod registry;
mod reply;
mod source;

pub use error::{BuildError, Halt, ObserveError};
pub use kind::{Described, Made, Means, ObserverKind, OpenDevice};
pub use noted::Noted;
pub use observer::{Observer, Subject};
pub use registry::{OBSERVERS, build, find, kind, names};
