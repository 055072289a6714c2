//! What observers write about an output, with one type for each kind of evidence.
//!
//! The `evidence` of a record stays the object that was written, with keys that this version does not know.
//! The types here say how its known keys are written and read: observers write them with [`written`], and
//! rules and reports read them with [`read`]. Texts are borrowed from the record, and keys that nobody asks
//! for are skipped.
//!
//! Evidence may come from other programs. So each key that is read is a [`Field`], which distinguishes a
//! missing key from null and from a value of another type. Each reader decides whether that is an error.
//!
//! | kind | its key | written by |
//! |---|---|---|
//! | [`Detections`] | `detections` | `geneval-detector`, `world` |
//! | [`TextReading`] | `text` | `ppocr`, `got-ocr`, `qwen-ocr`, `openai-ocr`, `world` |
//! | [`Answers`] | `answers` | `mplug-vqa`, `qwen-vqa` |
//! | [`FirstTokens`] | `first`, `answers` | `qwen-first-token` |
//! | [`Judgement`] | `calls` | `judge` |
//! | [`PixelMeasures`] | `l1`, `ssim`, …, `mask` | `edit-pixels` |
//! | [`Similarities`] | `clip_i`, `lpips`, …, `absent` | `edit-similarity` |
//! | [`PromptSimilarity`], [`Preference`], [`Likelihood`], [`Quality`] | `clip_t`, `hpsv2`, `vqascore`, `sharpness` … | `clip-score`, `hpsv2`, `vqascore` and `qwen-vqascore`, `quality` |
//! | [`Picked`], [`Aesthetic`] | `pickscore`, `aesthetic` | `pickscore`, `aesthetic` |
//! | [`Restored`] | `psnr_clean` … | `restoration` |
//! | [`MapMeasures`] | `map` | `maps` |
//! | [`DriftReading`] | `source`, `after` | `text-drift` |
//! | [`OfficialVerdict`] | `official` | GenEval's own script |

mod answers;
mod detections;
mod drift;
mod field;
mod first_token;
mod judgement;
mod maps;
mod measures;
mod official;
mod pixels;
mod reading;
mod restored;
mod similarity;

pub use answers::{Answered, Answers};
pub use detections::{Detection, Detections};
pub use drift::{DriftReading, EditSeen, ReadLine};
pub use field::{Field, Text};
pub use first_token::{FirstToken, FirstTokens};
pub use judgement::{Call, Judgement, PromptsUsed};
pub use maps::{
    Counts, DepthMeasures, EdgeMeasures, MapMeasures, MetricDepth, SegmentMeasures, f_distance,
};
pub use measures::{Aesthetic, Likelihood, Picked, Preference, PromptSimilarity, Quality};
pub use official::{OfficialVerdict, Verdict};
pub use pixels::{
    ChangeMask, Comparison, EditedPicture, Overlap, PixelMeasures, RegionMeasures, TargetMeasures,
    is_own_region,
};
pub use reading::{
    LANGUAGE_MODEL_READERS, Line, ReadText, Server, TextReading, text_alone, text_engine,
};
pub use restored::Restored;
pub use similarity::{Similarities, Similarity, why_absent};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Evidence as the JSON object of a record.
///
/// # Errors
/// Fails if it has no JSON form.
pub fn written(evidence: &impl Serialize) -> Result<Value, serde_json::Error> {
    serde_json::to_value(evidence)
}

/// Reads the keys that a type knows from an evidence object. If the value is not an object, all fields are
/// absent.
pub fn read<'a, T: Deserialize<'a> + Default>(evidence: &'a Value) -> T {
    if evidence.is_object() {
        T::deserialize(evidence).unwrap_or_default()
    } else {
        T::default()
    }
}
