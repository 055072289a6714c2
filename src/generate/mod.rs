//! Who answers: one file or folder a generator, and the list of them.

pub mod command;
mod diffusion;
mod echo;
mod error;
pub mod flux;
pub mod folder;
mod generator;
mod kind;
pub mod openai;
mod picture;
mod pipeline;
mod place;
pub mod qwen_vl;
mod released;
mod spoken;
pub mod typeset;
pub mod uniworld;
mod world;
pub mod xomni;

pub use error::{BuildError, GenerateError};
pub use generator::{Answer, Done, Generated, Generator, Request};
pub use kind::{GeneratorKind, Pipeline, Resources, SimpleGenerator};
pub use pipeline::{Part, Phase, phases, plan_lines};
pub use place::{Place, Precision};
pub use released::ReleasedConfig;

use crate::config::{Settings, nearest};
use crate::files::FileError;
use crate::record::Item;
use serde_json::Value;
use std::path::Path;

/// The generators that there are. To add one, write its file and a line here.
pub static GENERATORS: &[GeneratorKind] = &[
    GeneratorKind::pipeline::<uniworld::UniWorld>(),
    GeneratorKind::pipeline::<xomni::XOmni>(),
    GeneratorKind::pipeline::<flux::Flux>(),
    GeneratorKind::pipeline::<qwen_vl::QwenVl>(),
    GeneratorKind::simple::<typeset::Typeset>(),
    GeneratorKind::simple::<folder::Folder>(),
    GeneratorKind::simple::<command::CommandGenerator>(),
    GeneratorKind::simple::<openai::OpenAi>(),
    GeneratorKind::simple::<echo::Echo>(),
    GeneratorKind::simple::<world::World>(),
];

/// The generator that a model's definition names.
///
/// # Errors
/// When there is none of that name; the help names those that there are.
pub fn find(name: &str) -> Result<&'static GeneratorKind, BuildError> {
    let named = GENERATORS.iter().find(|kind| kind.name == name);
    named.ok_or_else(|| {
        let names: Vec<&str> = GENERATORS.iter().map(|kind| kind.name).collect();
        let near = nearest(name, names.iter().copied())
            .map(|near| format!("did you mean `{near}`? "))
            .unwrap_or_default();
        BuildError::Unknown {
            name: name.into(),
            help: format!("{near}known: {}", names.join(", ")),
        }
    })
}

/// Checks the settings of a generator without making it.
///
/// # Errors
/// Fails if there is no such generator, a key is unknown, or a value has the wrong type or is out of its
/// range.
pub fn check(name: &str, settings: &Settings) -> Result<(), BuildError> {
    find(name)?.check(settings)
}

/// Makes a generator.
///
/// # Errors
/// Fails if there is no such generator, its settings have mistakes, or what they name cannot be opened.
pub fn build(
    name: &str,
    settings: &Settings,
    resources: &Resources,
    place: &Place,
) -> Result<Box<dyn Generator>, BuildError> {
    find(name)?.open(settings, resources, place)
}

/// Whether a generator of this name runs networks in this process.
pub fn in_process(name: &str) -> bool {
    find(name).is_ok_and(GeneratorKind::runs_networks)
}

/// Assets that a generator needs for these items, as [`GeneratorKind::wanted_assets`] gives them.
pub fn wanted_assets(name: &str, items: &[Item]) -> Vec<&'static str> {
    find(name).map_or(Vec::new(), |kind| kind.wanted_assets(items))
}

/// The settings as [`GeneratorKind::resolved`] gives them.
///
/// # Errors
/// Fails if there is no such generator, or the settings have mistakes.
pub fn resolved(name: &str, settings: &Settings) -> Result<Value, BuildError> {
    Ok(find(name)?.resolved(settings)?)
}

/// The weights as [`GeneratorKind::weights`] gives them.
///
/// # Errors
/// Fails if there is no such generator, or the settings have mistakes.
pub fn weights(name: &str, settings: &Settings, gpu: bool) -> Result<Option<Value>, BuildError> {
    Ok(find(name)?.weights(settings, gpu)?)
}

/// What a generator asks of a checkpoint, as [`GeneratorKind::parts`] gives it.
///
/// # Errors
/// Fails if there is no such generator, its settings have mistakes, or a configuration is absent or wrong.
pub fn parts(
    name: &str,
    settings: &Settings,
    folder: &Path,
    gpu: bool,
) -> Result<Option<Vec<Part>>, BuildError> {
    find(name)?.parts(settings, folder, gpu)
}

/// Writes the configurations of a published repository below `folder`; those that are there stay.
///
/// # Errors
/// Fails if the disk refuses.
pub fn lay_out_released(repo: &str, folder: &Path) -> Result<(), FileError> {
    let all = GENERATORS.iter().flat_map(GeneratorKind::released);
    let mut files = all.filter(|file| file.repo == repo);
    files.try_for_each(|file| file.lay_out(folder))
}
