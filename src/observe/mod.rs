//! Observers look at outputs and write down what they see: the [`Observer`] trait, and a file for each
//! observer.
//!
//! An observer writes raw evidence ([`crate::record::evidence`]) and never a score.

pub mod aesthetic;
pub mod clip_score;
pub mod edit_pixels;
pub mod edit_similarity;
pub mod geneval_detector;
pub mod got_ocr;
pub mod hpsv2;
pub mod judge;
pub mod maps;
pub mod mplug_vqa;
pub mod openai_ocr;
pub mod pickscore;
pub mod ppocr;
pub mod quality;
pub mod qwen;
pub mod restoration;
pub mod text_drift;
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
pub use registry::{build, find, kind, names};

/// The kinds of observers, by name. A new kind is a file of its own that implements [`Described`], with one
/// line here and one `mod` line above.
pub const OBSERVERS: &[ObserverKind] = &[
    ObserverKind::describe::<aesthetic::AestheticObserver>(),
    ObserverKind::describe::<clip_score::ClipScore>(),
    ObserverKind::describe::<edit_pixels::EditPixels>(),
    ObserverKind::describe::<edit_similarity::EditSimilarity>(),
    ObserverKind::describe::<geneval_detector::GenevalDetector>(),
    ObserverKind::describe::<got_ocr::GotOcr>(),
    ObserverKind::describe::<hpsv2::HpsV2>(),
    ObserverKind::describe::<judge::JudgeObserver>(),
    ObserverKind::describe::<maps::Maps>(),
    ObserverKind::describe::<text_drift::MiniDrift>(),
    ObserverKind::describe::<mplug_vqa::MplugVqa>(),
    ObserverKind::describe::<openai_ocr::OpenAiOcr>(),
    ObserverKind::describe::<pickscore::PickScore>(),
    ObserverKind::describe::<ppocr::PpOcr>(),
    ObserverKind::describe::<quality::QualityObserver>(),
    ObserverKind::describe::<qwen::QwenFirstToken>(),
    ObserverKind::describe::<qwen::QwenOcr>(),
    ObserverKind::describe::<qwen::QwenVqa>(),
    ObserverKind::describe::<qwen::QwenVqaScore>(),
    ObserverKind::describe::<restoration::Restoration>(),
    ObserverKind::describe::<text_drift::TextDrift>(),
    ObserverKind::describe::<vqascore::VqaScore>(),
    ObserverKind::describe::<world::World>(),
];
