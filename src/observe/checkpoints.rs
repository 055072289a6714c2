//! Which checkpoints an observer's options name, for questions before it is opened.

use super::clip_score::ClipScoreSettings;
use super::edit_similarity::EditSimilaritySettings;
use super::geneval_detector::GenevalDetectorSettings;
use super::got_ocr::GotOcrSettings;
use super::hpsv2::HpsV2Settings;
use super::judge::{JudgeSettings, Judging};
use super::mplug_vqa::MplugVqaSettings;
use super::qwen::QwenSettings;
use super::registry::BuildError;
use super::vqascore::VqaScoreSettings;
use crate::config::Settings;
use std::path::PathBuf;

/// The folders and files of weights that an observer's options name; assets of the hub are not among them.
///
/// # Errors
/// When its options have mistakes.
pub fn checkpoints(name: &str, settings: &Settings) -> Result<Vec<PathBuf>, BuildError> {
    let named: Vec<Option<PathBuf>> = match name {
        "clip-score" => vec![settings.read::<ClipScoreSettings>()?.clip],
        "edit-similarity" => {
            let named: EditSimilaritySettings = settings.read()?;
            let lpips = [named.lpips_trunk, named.lpips_linear];
            let others = [named.clip, named.dino, named.structure];
            others.into_iter().chain(lpips).collect()
        }
        "geneval-detector" => {
            let named: GenevalDetectorSettings = settings.read()?;
            vec![named.detector, named.clip]
        }
        "got-ocr" => vec![settings.read::<GotOcrSettings>()?.checkpoint],
        "hpsv2" => vec![settings.read::<HpsV2Settings>()?.checkpoint],
        "judge" => {
            let named: JudgeSettings = settings.read()?;
            let local = matches!(named.backend, Judging::Local);
            vec![local.then_some(named.local.checkpoint)]
        }
        "mplug-vqa" => vec![settings.read::<MplugVqaSettings>()?.checkpoint],
        "qwen-ocr" | "qwen-vqa" | "qwen-vqascore" => {
            vec![Some(settings.read::<QwenSettings>()?.checkpoint)]
        }
        "vqascore" => {
            let named: VqaScoreSettings = settings.read()?;
            vec![named.checkpoint, named.vision_tower]
        }
        _ => Vec::new(),
    };
    Ok(named.into_iter().flatten().collect())
}
