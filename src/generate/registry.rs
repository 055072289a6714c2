//! Which generators there are. Adding one is a file of its own and a line here in each list.

use super::command::{CommandGenerator, CommandSettings};
use super::echo::{Echo, EchoSettings};
use super::flux::FluxSettings;
use super::folder::{Folder, FolderError, FolderSettings};
use super::openai::{OpenAi, OpenAiSettings};
use super::qwen_vl::QwenVlSettings;
use super::typeset::{Typeset, TypesetError, TypesetSettings};
use super::uniworld::UniWorldSettings;
use super::world::World;
use super::xomni::XOmniSettings;
use super::{GenerateError, Generator, Place};
use crate::config::{ConfigError, Settings, nearest};
use crate::record::Item;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The generators by the name that a model's `generator` key takes.
pub const NAMES: [&str; 10] = [
    "uniworld", "xomni", "flux", "qwen-vl", "typeset", "folder", "command", "openai", "echo",
    "world",
];

/// Assets that a generator may use, by id.
pub type Resources = BTreeMap<&'static str, PathBuf>;

/// Chinese font for machines that have none.
const CJK_FONT: &str = "font-noto-sans-cjk-sc";

/// Why a generator cannot be made.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum BuildError {
    /// There is no such generator.
    #[error("there is no generator named `{name}`")]
    Unknown {
        /// The requested name.
        name: String,
        /// What to do.
        #[help]
        help: String,
    },
    /// The settings have an error.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Settings(#[from] ConfigError),
    /// The settings of the typeset generator have an error.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Typeset(#[from] TypesetError),
    /// The settings of the folder generator have an error.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Folder(#[from] FolderError),
    /// The generator refuses its settings.
    #[error("{message}")]
    Refused {
        /// What is wrong.
        message: String,
        /// What to do.
        #[help]
        help: String,
    },
}

impl From<GenerateError> for BuildError {
    fn from(error: GenerateError) -> Self {
        let message = error.to_string();
        match error {
            GenerateError::Fatal { help, .. } => Self::Refused { message, help },
            GenerateError::Item { .. } | GenerateError::Cancelled => Self::Refused {
                message,
                help: "check the settings of the model".into(),
            },
        }
    }
}

fn unknown(name: &str) -> BuildError {
    let near = nearest(name, NAMES)
        .map(|near| format!("did you mean `{near}`? "))
        .unwrap_or_default();
    BuildError::Unknown {
        name: name.into(),
        help: format!("{near}known: {}", NAMES.join(", ")),
    }
}

/// Checks the settings of a generator without making it.
///
/// # Errors
/// When there is no such generator, a key is unknown or a value has the wrong type.
pub fn check(name: &str, settings: &Settings) -> Result<(), BuildError> {
    match name {
        "uniworld" => settings.read::<UniWorldSettings>().map(drop)?,
        "xomni" => settings.read::<XOmniSettings>().map(drop)?,
        "flux" => settings.read::<FluxSettings>().map(drop)?,
        "qwen-vl" => settings.read::<QwenVlSettings>().map(drop)?,
        "typeset" => settings.read::<TypesetSettings>().map(drop)?,
        "folder" => settings.read::<FolderSettings>().map(drop)?,
        "command" => settings.read::<CommandSettings>().map(drop)?,
        "openai" => settings.read::<OpenAiSettings>().map(drop)?,
        "echo" => settings.read::<EchoSettings>().map(drop)?,
        "world" => World::new(settings.read()?).map(drop)?,
        _ => return Err(unknown(name)),
    }
    Ok(())
}

/// Makes a generator.
///
/// # Errors
/// When there is no such generator, its settings have mistakes, or what they name cannot be opened.
pub fn build(
    name: &str,
    settings: &Settings,
    resources: &Resources,
    place: &Place,
) -> Result<Box<dyn Generator>, BuildError> {
    Ok(match name {
        "uniworld" => Box::new(super::uniworld::open(settings.read()?, place)?),
        "xomni" => Box::new(super::xomni::open(settings.read()?, place)?),
        "flux" => Box::new(super::flux::open(settings.read()?, place)?),
        "qwen-vl" => Box::new(super::qwen_vl::open(settings.read()?, place)?),
        "typeset" => {
            let mut settings: TypesetSettings = settings.read()?;
            settings.cjk_font = settings
                .cjk_font
                .or_else(|| resources.get(CJK_FONT).cloned());
            Box::new(Typeset::new(settings)?)
        }
        "folder" => Box::new(Folder::open(settings.read()?)?),
        "command" => Box::new(CommandGenerator::new(settings.read()?)?),
        "openai" => Box::new(OpenAi::new(settings.read()?)?),
        "echo" => {
            settings.read::<EchoSettings>()?;
            Box::new(Echo)
        }
        "world" => Box::new(World::new(settings.read()?)?),
        _ => return Err(unknown(name)),
    })
}

/// Whether a generator runs networks in this process: then one worker has the device, whatever `--jobs` says.
pub fn in_process(name: &str) -> bool {
    matches!(name, "uniworld" | "xomni" | "flux" | "qwen-vl")
}

/// Assets that a generator needs for some items, beside its settings: `typeset` a Chinese font where the system has
/// none.
pub fn wanted_assets(name: &str, items: &[Item]) -> Vec<&'static str> {
    let chinese = |item: &Item| {
        item.expect
            .get("language")
            .is_some_and(|language| language == "zh")
    };
    if name == "typeset" && items.iter().any(chinese) && !super::typeset::system_has_chinese() {
        vec![CJK_FONT]
    } else {
        Vec::new()
    }
}
