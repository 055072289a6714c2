//! The `xomni` generator: X-Omni in this process, which goes from words through image tokens to pixels, and
//! from pictures to words.

mod codec;
mod field;
mod language;
mod layout;
mod look;
mod picture;
mod released;
mod settings;
mod tokens;
mod words;

pub use codec::Codec;
pub use settings::XOmniSettings;
pub use words::Codes;

use self::language::Language;
use self::layout::OWN;
use self::look::LookNetworks;
use self::picture::{PicturePhases, canvas};
use super::diffusion::FLUX_1_DEV;
use super::error::GenerateError;
use super::kind::Pipeline;
use super::pipeline::{CheckpointFolder, Phase, fatal};
use super::place::Precision;
use super::released::ReleasedConfig;
use crate::model::xomni::XOmniConfig;
use crate::record::Task;
use std::path::Path;

/// The description of the generator.
pub struct XOmni;

impl Pipeline for XOmni {
    const NAME: &'static str = "xomni";
    const ABOUT: &'static str =
        "X-Omni in this process: from words to image tokens to pixels, and from pictures to words";
    const TASKS: &'static [Task] = &[Task::TextToImage, Task::Understand];
    type Settings = XOmniSettings;
    const RELEASED: &'static [&'static [ReleasedConfig]] =
        &[released::X_OMNI_EN, released::X_OMNI_ZH, FLUX_1_DEV];

    fn precision(settings: &XOmniSettings) -> Precision {
        settings.precision
    }

    fn checkpoint(settings: &XOmniSettings) -> &Path {
        &settings.checkpoint
    }

    fn beside(settings: &XOmniSettings) -> Vec<(&'static str, &Path)> {
        let other = settings.language_model.as_deref();
        other
            .map(|path| ("language_model", path))
            .into_iter()
            .collect()
    }

    fn phases(
        settings: &XOmniSettings,
        folder: &CheckpointFolder,
    ) -> Result<Vec<Phase>, GenerateError> {
        let config = XOmniConfig::read(folder.below(OWN).path()).map_err(fatal)?;
        let vision = config.vision().map_err(fatal)?;
        let canvas = canvas(settings.size, vision);
        let look = LookNetworks::new(vision, settings.any_image_size, folder);
        let PicturePhases { text, last } =
            PicturePhases::read(settings, vision, canvas.clone(), folder)?;
        let language = Language::read(settings, config, folder)?;
        let tokens = tokens::phase(settings, language, canvas, folder.dtype());
        // The phase of the text comes before that of the tokens, so that all outputs of a prompt share its
        // result.
        let phases = [look.phase()].into_iter().chain(text);
        Ok(phases.chain([tokens]).chain(last).collect())
    }
}
