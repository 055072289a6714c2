//! The templates of scripts and manifests.

use super::SubmitError;
use minijinja::{Environment, Value};
use std::path::{Path, PathBuf};

/// The built-in templates: their names, and what they say.
const BUILT_IN: [(&str, &str); 3] = [
    (
        "slurm-shards.sh",
        include_str!("../../templates/submit/slurm-shards.sh"),
    ),
    (
        "slurm-merge.sh",
        include_str!("../../templates/submit/slurm-merge.sh"),
    ),
    (
        "k8s-job.yaml",
        include_str!("../../templates/submit/k8s-job.yaml"),
    ),
];

/// Where templates come from.
#[derive(Debug, Clone, Default)]
pub struct Templates {
    /// A folder whose files replace the built-in templates of the same name.
    pub folder: Option<PathBuf>,
}

impl Templates {
    /// The names of the built-in templates.
    pub fn names() -> impl Iterator<Item = &'static str> {
        BUILT_IN.iter().map(|(name, _)| *name)
    }

    /// Fills a template in.
    ///
    /// # Errors
    /// Fails if it cannot be read, has a mistake, or names a value that there is not.
    pub(super) fn fill(&self, name: &str, values: Value) -> Result<String, SubmitError> {
        let own = self.folder.as_ref().map(|folder| folder.join(name));
        let own = own.filter(|path| path.is_file());
        let shown = own
            .as_deref()
            .unwrap_or(Path::new(name))
            .display()
            .to_string();
        let wrong = |reason: String| SubmitError::Template {
            template: format!("`{shown}`"),
            reason,
        };
        let text = match &own {
            Some(path) => {
                std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?
            }
            None => {
                let built_in = BUILT_IN.iter().find(|(known, _)| *known == name);
                let (_, text) =
                    built_in.ok_or_else(|| wrong("there is no such template".into()))?;
                (*text).to_owned()
            }
        };
        let mut environment = Environment::new();
        environment.set_keep_trailing_newline(true);
        environment.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
        environment.add_filter("quoted", quoted);
        environment.add_filter("quoted_list", quoted_list);
        let filled = environment.render_str(&text, values);
        filled.map_err(|error| wrong(format!("{error:#}")))
    }
}

/// A text as JSON, which YAML reads too.
fn quoted(text: String) -> String {
    serde_json::Value::from(text).to_string()
}

/// A list of texts as JSON.
fn quoted_list(texts: Vec<String>) -> String {
    serde_json::Value::from(texts).to_string()
}
