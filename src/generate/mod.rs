//! The generators, which make the outputs of items: one file or folder for each, and the list of them all.

pub mod bagel;
pub mod command;
pub mod control;
mod diffusion;
mod echo;
mod error;
pub mod flux;
pub mod folder;
mod generator;
mod kind;
pub mod kontext;
mod latents;
pub mod openai;
mod picture;
mod pipeline;
mod place;
pub mod qwen_image;
pub mod qwen_vl;
mod released;
mod spoken;
pub mod stable_diffusion;
pub mod typeset;
pub mod uniworld;
mod vae;
mod world;
pub mod xomni;
pub mod z_image;

pub use error::{BuildError, GenerateError};
pub use generator::{Answer, Done, Generated, Generator, Request};
pub use kind::{GeneratorKind, Pipeline, Resources, SimpleGenerator};
pub use pipeline::{Part, Phase, phases, plan_lines};
pub use place::{Place, Precision};
pub use released::ReleasedConfig;

use crate::config::nearest;
use crate::files::FileError;
use std::path::Path;

/// All generators. To add one, write its file and a line here.
pub static GENERATORS: &[GeneratorKind] = &[
    GeneratorKind::pipeline::<uniworld::UniWorld>(),
    GeneratorKind::pipeline::<xomni::XOmni>(),
    GeneratorKind::pipeline::<bagel::Bagel>(),
    GeneratorKind::pipeline::<flux::Flux>(),
    GeneratorKind::pipeline::<kontext::Kontext>(),
    GeneratorKind::pipeline::<stable_diffusion::StableDiffusion>(),
    GeneratorKind::pipeline::<stable_diffusion::StableDiffusion3>(),
    GeneratorKind::pipeline::<z_image::ZImage>(),
    GeneratorKind::pipeline::<qwen_image::QwenImage>(),
    GeneratorKind::pipeline::<qwen_vl::QwenVl>(),
    GeneratorKind::pipeline::<vae::Vae>(),
    GeneratorKind::simple::<typeset::Typeset>(),
    GeneratorKind::simple::<folder::Folder>(),
    GeneratorKind::simple::<command::CommandGenerator>(),
    GeneratorKind::simple::<openai::OpenAi>(),
    GeneratorKind::simple::<control::ControlGenerator>(),
    GeneratorKind::simple::<echo::Echo>(),
    GeneratorKind::simple::<world::World>(),
];

/// The generator with this name, as the key `generator` of a model's definition gives it.
///
/// # Errors
/// Fails if there is no generator with this name. The help lists all names.
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

/// Writes the configurations of a published repository below `folder`. Existing files are not changed.
///
/// # Errors
/// Fails if a file cannot be written.
pub fn lay_out_released(repo: &str, folder: &Path) -> Result<(), FileError> {
    let all = GENERATORS.iter().flat_map(GeneratorKind::released);
    let mut files = all.filter(|file| file.repo == repo);
    files.try_for_each(|file| file.lay_out(folder))
}
