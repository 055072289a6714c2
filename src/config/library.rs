//! Finds definitions: first files, then names in the folders `suites/` and `configs/` of the current folder,
//! then built-in ones.

use crate::config::document::Document;
use crate::config::error::ConfigError;
use crate::text::nearest::nearest;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

/// The built-in definitions: the path in the repository, and the content.
const BUILT_IN: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/definitions.rs"));

/// What a definition defines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A benchmark, or a set of your own questions.
    Suite,
    /// A model as it is run.
    Model,
    /// Models and suites that are run together.
    Study,
    /// Results that papers printed.
    Published,
    /// The rules by which a gate judges results.
    Policy,
    /// A training on the miniature world.
    Training,
    /// What an output is worth to a training, as a mix of several rules.
    Reward,
}

impl Kind {
    /// The folder in which names of this kind are looked up.
    pub const fn folder(self) -> &'static str {
        match self {
            Self::Suite => "suites",
            Self::Model => "configs/models",
            Self::Study => "configs/studies",
            Self::Published => "results/published",
            Self::Policy => "configs/policies",
            Self::Training => "configs/training",
            Self::Reward => "configs/rewards",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Suite => "suite",
            Self::Model => "model",
            Self::Study => "study",
            Self::Published => "table of published results",
            Self::Policy => "policy",
            Self::Training => "training",
            Self::Reward => "reward",
        })
    }
}

/// The source of a definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A file.
    File(PathBuf),
    /// A built-in definition, with its path in the repository.
    BuiltIn(&'static str),
}

impl Origin {
    /// The folder at which relative paths in the definition start. It is the current folder for a built-in
    /// definition.
    pub(crate) fn folder(&self) -> &Path {
        match self {
            Self::File(path) => path.parent().unwrap_or(Path::new("")),
            Self::BuiltIn(_) => Path::new(""),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(formatter),
            Self::BuiltIn(_) => formatter.write_str("built in"),
        }
    }
}

/// A definition with the text it was read from.
#[derive(Debug, Clone)]
pub struct Loaded<T> {
    /// What the text says.
    pub definition: T,
    /// The text, to locate errors that only a later stage can find.
    pub document: Document,
    /// Where the text came from.
    pub origin: Origin,
}

impl<T> Loaded<T> {
    /// The folder at which relative paths in the definition start. It is the current folder for a built-in
    /// definition.
    pub fn base(&self) -> &Path {
        self.origin.folder()
    }
}

/// One line of `unigauge list`.
#[derive(Debug, Clone)]
pub struct Listed {
    /// The name for the command line.
    pub name: String,
    /// The title. Empty if the file cannot be read.
    pub title: String,
    /// Where it came from.
    pub origin: Origin,
    /// Why the file cannot be used, if so.
    pub broken: Option<String>,
}

/// The part of every definition that a listing shows.
#[derive(Deserialize)]
struct Header {
    #[serde(default)]
    title: String,
}

/// All definitions of a kind that have a name, sorted by name. A file of the current folder hides the
/// built-in definition of the same name.
pub fn list(kind: Kind) -> Vec<Listed> {
    list_from(kind, Path::new(""))
}

fn list_from(kind: Kind, current: &Path) -> Vec<Listed> {
    definitions_by_name(kind, current)
        .into_iter()
        .map(|(name, origin)| {
            let header = open(&origin).and_then(|document| document.typed::<Header>());
            let (title, broken) = match header {
                Ok(header) => (header.title, None),
                Err(error) => (String::new(), Some(error.to_string())),
            };
            Listed {
                name,
                title,
                origin,
                broken,
            }
        })
        .collect()
}

/// The text of a definition, by name or by path. A path contains a `/` or ends in `.toml`, and is relative to
/// `from`.
pub(crate) fn find(kind: Kind, name: &str, from: &Path) -> Result<(Document, Origin), ConfigError> {
    let is_path = name.contains(std::path::is_separator) || name.ends_with(".toml");
    let origin = if is_path {
        Origin::File(from.join(name))
    } else {
        let mut reachable = definitions_by_name(kind, Path::new(""));
        match reachable.remove(name) {
            Some(origin) => origin,
            None => return Err(unknown_name(kind, name, &reachable)),
        }
    };
    Ok((open(&origin)?, origin))
}

/// The content of a file that the program carries, by its path in the repository.
pub(crate) fn embedded_file(path: &str) -> Option<&'static str> {
    BUILT_IN
        .iter()
        .find(|(name, _)| *name == path)
        .map(|(_, content)| *content)
}

/// Checks the `name` of a definition, which becomes part of a path.
pub(crate) fn check_name(document: &Document, name: &str) -> Result<(), ConfigError> {
    check_plain(document, &["name"], name)
}

/// The same as [`check_name`], for a name elsewhere in the definition.
pub(super) fn check_plain(
    document: &Document,
    path: &[&str],
    name: &str,
) -> Result<(), ConfigError> {
    let plain = |character: char| character.is_alphanumeric() || "-_.".contains(character);
    if name.is_empty() || name.starts_with('.') || !name.chars().all(plain) {
        return Err(document.mistake(
            path,
            format!("the name `{name}` cannot be the name of a folder"),
            Some("use letters, digits, `-`, `_` and `.`, and do not begin with `.`".to_owned()),
        ));
    }
    Ok(())
}

fn open(origin: &Origin) -> Result<Document, ConfigError> {
    match origin {
        Origin::File(path) => Document::read(path),
        Origin::BuiltIn(path) => Document::parse(
            &format!("{path} (built in)"),
            embedded_file(path).unwrap_or_default(),
        ),
    }
}

/// The names and their sources. `current` is the current folder.
fn definitions_by_name(kind: Kind, current: &Path) -> BTreeMap<String, Origin> {
    let built_in = BUILT_IN.iter().filter_map(|(path, _)| {
        let file = path.strip_prefix(kind.folder())?.strip_prefix('/')?;
        let name = file.strip_suffix(".toml")?;
        Some((name.to_owned(), Origin::BuiltIn(path)))
    });
    let mut found: BTreeMap<_, _> = built_in.collect();
    // A folder that cannot be listed has no names.
    for entry in std::fs::read_dir(current.join(kind.folder()))
        .into_iter()
        .flatten()
        .flatten()
    {
        let path = entry.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "toml")
            && let Some(stem) = path.file_stem().and_then(|stem| stem.to_str())
        {
            found.insert(stem.to_owned(), Origin::File(path));
        }
    }
    found
}

fn unknown_name(kind: Kind, name: &str, known: &BTreeMap<String, Origin>) -> ConfigError {
    let mut help = String::new();
    if let Some(near) = nearest(name, known.keys().map(String::as_str)) {
        help = format!("did you mean `{near}`? ");
    }
    let names: Vec<&str> = known.keys().map(String::as_str).collect();
    help.push_str(&format!(
        "the known names are {}; you can also give the path of a TOML file",
        names.join(", ")
    ));
    ConfigError::new(format!("there is no {kind} named `{name}`"), Some(help))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{model_file, policy_file, published_file, reward, study_check, suite_file};

    fn built_in(kind: Kind) -> Vec<(&'static str, Document, Origin)> {
        BUILT_IN
            .iter()
            .filter_map(|(path, content)| {
                let file = path.strip_prefix(kind.folder())?.strip_prefix('/')?;
                let name = file.strip_suffix(".toml")?;
                let document = Document::parse(path, content).unwrap();
                Some((name, document, Origin::BuiltIn(path)))
            })
            .collect()
    }

    #[test]
    fn every_built_in_definition_is_right_and_named_like_its_file() {
        let suites = built_in(Kind::Suite);
        let models = built_in(Kind::Model);
        assert!(suites.len() >= 5 && models.len() >= 5);
        for (name, document, origin) in suites.clone() {
            let suite = suite_file::checked(document, origin).unwrap();
            assert_eq!(suite.definition.name, name);
        }
        for (name, document, origin) in models.clone() {
            let model = model_file::checked(document, origin).unwrap();
            assert_eq!(model.definition.name, name);
        }
        for (name, document, origin) in built_in(Kind::Published) {
            let file = published_file::checked(document, origin).unwrap();
            let file = file.definition;
            assert_eq!(file.suite, name);
            let known = |name: &str| suites.iter().any(|(known, ..)| *known == name);
            assert!(file.title.is_some() != known(name), "{name}");
            assert!(file.also_for.iter().all(|name| known(name)));
            for definition in file.rows.iter().filter_map(|row| row.definition.as_ref()) {
                assert!(models.iter().any(|(known, ..)| known == definition));
            }
        }
        for (name, document, origin) in built_in(Kind::Policy) {
            let policy = policy_file::checked(document, origin).unwrap();
            assert_eq!(policy.definition.name, name);
        }
        for (name, document, origin) in built_in(Kind::Reward) {
            let reward = reward::checked(document, origin).unwrap();
            assert_eq!(reward.definition.name, name);
        }
        for (name, document, origin) in built_in(Kind::Study) {
            let study = study_check::checked(document, origin).unwrap();
            assert_eq!(study.definition.name, name);
        }
    }

    #[test]
    fn a_file_of_the_current_folder_hides_the_built_in_one_and_may_be_broken() {
        let current = tempfile::TempDir::new().unwrap();
        let suites = current.path().join("suites");
        std::fs::create_dir(&suites).unwrap();
        std::fs::write(suites.join("geneval.toml"), "title = 'My own'\n").unwrap();
        std::fs::write(suites.join("broken.toml"), "title = \n").unwrap();
        std::fs::write(suites.join("prompts.jsonl"), "").unwrap();
        let listed = list_from(Kind::Suite, current.path());
        let by_name = |name| listed.iter().find(|suite| suite.name == name).unwrap();
        assert_eq!(by_name("geneval").title, "My own");
        assert_eq!(
            by_name("geneval").origin,
            Origin::File(suites.join("geneval.toml"))
        );
        let broken = by_name("broken").broken.as_deref().unwrap();
        assert!(broken.contains("broken.toml:1:"), "{broken}");
        let longtext = by_name("longtext");
        assert_eq!(longtext.origin.to_string(), "built in");
        assert_eq!(longtext.broken, None);
        assert!(listed.iter().all(|suite| suite.name != "prompts"));
    }
}
