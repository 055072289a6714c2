//! Qwen2.5-VL as an observer in this process. It reads the text in a picture (`qwen-ocr`), answers questions
//! about a picture (`qwen-vqa`), or says how likely it is to answer "Yes" (`qwen-vqascore`). Qwen3-VL says how
//! likely each accepted answer is (`qwen-first-token`).

mod first_token;
mod looker;
mod ocr;
mod vqa;
mod vqascore;

pub use first_token::QwenFirstToken;
pub(super) use looker::Looker;
pub use looker::QwenSettings;
pub use ocr::QwenOcr;
pub(super) use ocr::{LONGEST, PROMPT};
pub use vqa::QwenVqa;
pub use vqascore::QwenVqaScore;
