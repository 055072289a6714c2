//! Qwen2.5-VL as an observer: it reads what is written in a picture (`qwen-ocr`), answers questions about it
//! (`qwen-vqa`) or says how likely a yes is (`qwen-vqascore`), in this process.

mod looker;
mod ocr;
mod vqa;
mod vqascore;

pub(super) use looker::Looker;
pub use looker::QwenSettings;
pub use ocr::QwenOcr;
pub(super) use ocr::{LONGEST, PROMPT};
pub use vqa::QwenVqa;
pub use vqascore::QwenVqaScore;
