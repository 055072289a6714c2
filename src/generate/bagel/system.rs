//! The texts that ask for thoughts, which are read from the authors' own file.

use super::settings::Think;
use crate::generate::error::GenerateError;
use std::path::{Path, PathBuf};

/// The file of the authors' repository.
const FILE: &str = "inferencer.py";
/// The names of the texts in it.
const DRAW: &str = "GEN_THINK_SYSTEM_PROMPT";
const ANSWER: &str = "VLM_THINK_SYSTEM_PROMPT";

/// The texts with which sequences begin that ask for thoughts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SystemTexts {
    /// Before a picture.
    pub draw: String,
    /// Before an answer.
    pub answer: String,
}

impl SystemTexts {
    /// The texts that the settings name.
    ///
    /// # Errors
    /// Fails if there is no such file, or it does not have the texts.
    pub(super) fn read(think: &Think, checkpoint: &Path) -> Result<Self, GenerateError> {
        if let Some(text) = &think.system {
            return Ok(Self {
                draw: text.clone(),
                answer: text.clone(),
            });
        }
        let own = || checkpoint.join(FILE);
        let path: PathBuf = think.system_from.clone().unwrap_or_else(own);
        let wrong = |what: String| {
            GenerateError::fatal(
                format!("`think`: {}: {what}", path.display()),
                "it must be `inferencer.py` of github.com/ByteDance-Seed/Bagel, in the checkpoint or where \
                 `think.system_from` says; or set `think.system` to a text of your own",
            )
        };
        let text = std::fs::read_to_string(&path).map_err(|error| wrong(error.to_string()))?;
        let named = |name: &str| {
            constant(&text, name).ok_or_else(|| wrong(format!("it has no text `{name}`")))
        };
        Ok(Self {
            draw: named(DRAW)?,
            answer: named(ANSWER)?,
        })
    }
}

/// The text between three quotes that a Python file gives a name at the start of a line. Texts with escapes
/// are not read.
fn constant(file: &str, name: &str) -> Option<String> {
    let file = file.replace("\r\n", "\n");
    let start = file
        .match_indices(name)
        .map(|(start, _)| start)
        .find(|&start| start == 0 || file[..start].ends_with('\n'))?;
    let rest = file[start + name.len()..]
        .trim_start_matches(' ')
        .strip_prefix('=')?;
    let rest = rest.trim_start_matches(' ');
    let quotes = rest
        .get(..3)
        .filter(|quotes| ["'''", "\"\"\""].contains(quotes))?;
    let (text, _) = rest[3..].split_once(quotes)?;
    (!text.contains('\\')).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    // A file of the same form, written here.
    const FORM: &str = "import x\n\nVLM_THINK_SYSTEM_PROMPT = '''Think \nthen say.'''\n\nuse(GEN_THINK_SYSTEM_PROMPT)\n\
                        GEN_THINK_SYSTEM_PROMPT = \"\"\"Plan, then 'draw'.\"\"\"\n";

    fn think() -> Think {
        toml::from_str("").unwrap()
    }

    #[test]
    fn the_texts_are_read_from_the_authors_file() {
        let dir = tempfile::tempdir().unwrap();
        let error = SystemTexts::read(&think(), dir.path()).unwrap_err();
        assert!(error.to_string().contains("inferencer.py"), "{error}");
        std::fs::write(dir.path().join(FILE), FORM).unwrap();
        let texts = SystemTexts::read(&think(), dir.path()).unwrap();
        assert_eq!(texts.answer, "Think \nthen say.");
        assert_eq!(texts.draw, "Plan, then 'draw'.");
        std::fs::write(dir.path().join(FILE), FORM.replace("GEN_", "OLD_")).unwrap();
        let error = SystemTexts::read(&think(), dir.path()).unwrap_err();
        assert!(
            error.to_string().contains("GEN_THINK_SYSTEM_PROMPT"),
            "{error}"
        );
        let own = Think {
            system: Some("Plan.".into()),
            ..think()
        };
        let texts = SystemTexts::read(&own, Path::new("/none")).unwrap();
        assert_eq!(
            (texts.draw.as_str(), texts.answer.as_str()),
            ("Plan.", "Plan.")
        );
    }
}
