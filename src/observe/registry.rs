//! Which observers there are. A new one is a file of its own and a line here.

use super::clip_score::ClipScore;
use super::edit_pixels::EditPixels;
use super::edit_similarity::EditSimilarity;
use super::geneval_detector::GenevalDetector;
use super::got_ocr::GotOcr;
use super::hpsv2::HpsV2;
use super::judge::JudgeObserver;
use super::kind::{Made, ObserverKind};
use super::mplug_vqa::MplugVqa;
use super::openai_ocr::OpenAiOcr;
use super::ppocr::PpOcr;
use super::quality::QualityObserver;
use super::qwen::{QwenOcr, QwenVqa, QwenVqaScore};
use super::vqascore::VqaScore;
use super::world::World;
use super::{BuildError, Means};
use crate::config::{Settings, nearest};

/// The kinds of observers, by name.
pub const OBSERVERS: &[ObserverKind] = &[
    ObserverKind::describe::<ClipScore>(),
    ObserverKind::describe::<EditPixels>(),
    ObserverKind::describe::<EditSimilarity>(),
    ObserverKind::describe::<GenevalDetector>(),
    ObserverKind::describe::<GotOcr>(),
    ObserverKind::describe::<HpsV2>(),
    ObserverKind::describe::<JudgeObserver>(),
    ObserverKind::describe::<MplugVqa>(),
    ObserverKind::describe::<OpenAiOcr>(),
    ObserverKind::describe::<PpOcr>(),
    ObserverKind::describe::<QualityObserver>(),
    ObserverKind::describe::<QwenOcr>(),
    ObserverKind::describe::<QwenVqa>(),
    ObserverKind::describe::<QwenVqaScore>(),
    ObserverKind::describe::<VqaScore>(),
    ObserverKind::describe::<World>(),
];

/// The kind of this name.
pub fn find(name: &str) -> Option<&'static ObserverKind> {
    OBSERVERS.iter().find(|kind| kind.name == name)
}

/// The names of all kinds.
pub fn names() -> impl Iterator<Item = &'static str> {
    OBSERVERS.iter().map(|kind| kind.name)
}

/// The kind of this name.
///
/// # Errors
/// When there is none.
pub fn kind(name: &str) -> Result<&'static ObserverKind, BuildError> {
    find(name).ok_or_else(|| {
        let near = nearest(name, names())
            .map(|near| format!("did you mean `{near}`? "))
            .unwrap_or_default();
        let known: Vec<&str> = names().collect();
        BuildError::Unknown {
            name: name.into(),
            help: format!(
                "{near}known: {}; evidence that others made is graded with `unigauge grade`",
                known.join(", ")
            ),
        }
    })
}

/// Makes an observer.
///
/// # Errors
/// When there is no such observer, its settings have mistakes, or an asset, a checkpoint or the device cannot be had.
pub fn build(name: &str, settings: &Settings, means: &Means<'_>) -> Made {
    (kind(name)?.open)(settings, means)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_in_order_and_each_kind_says_what_it_is() {
        assert!(OBSERVERS.is_sorted_by(|a, b| a.name < b.name));
        for kind in OBSERVERS {
            assert!(!kind.about.is_empty() && !kind.about.ends_with('.'));
        }
    }

    #[test]
    fn each_setting_says_what_it_is() {
        for kind in OBSERVERS {
            let schema = (kind.schema)().to_value();
            let settings = schema["properties"].as_object();
            for (name, setting) in settings.into_iter().flatten() {
                let described = setting.get("description").is_some();
                assert!(described, "{}: `{name}` has no description", kind.name);
            }
        }
    }
}
