//! Where the parts of a model's checkpoint are published.

use serde::{Deserialize, Serialize};

/// A repository of a model hub that is downloaded into a model's checkpoint folder (`[[repositories]]`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Repository {
    /// Folder below `settings.checkpoint`; empty for that folder itself.
    #[serde(default)]
    pub folder: String,
    /// `owner/name` on the hub.
    pub repo: String,
    /// A commit, or a branch, whose commit at the first fetch is used from then on.
    pub revision: String,
    /// The licence that its authors name.
    pub licence: String,
    /// The files that are needed: paths, or patterns with one `*` that matches anything but `/`.
    pub files: Vec<String>,
    /// Whether the hub requires accepted terms and a token (`HF_TOKEN`).
    #[serde(default)]
    pub gated: bool,
}

impl Repository {
    /// Whether a file of the repository is needed.
    pub fn is_needed(&self, path: &str) -> bool {
        self.files
            .iter()
            .any(|pattern| matches_pattern(pattern, path))
    }
}

fn matches_pattern(pattern: &str, path: &str) -> bool {
    let Some((start, end)) = pattern.split_once('*') else {
        return pattern == path;
    };
    path.len() >= start.len() + end.len()
        && path.starts_with(start)
        && path.ends_with(end)
        && path
            .get(start.len()..path.len() - end.len())
            .is_some_and(|middle| !middle.contains('/'))
}

#[cfg(test)]
mod tests {
    use super::matches_pattern;

    #[test]
    fn a_star_stays_within_its_folder() {
        assert!(matches_pattern("vae/*.safetensors", "vae/a-b.safetensors"));
        assert!(matches_pattern("config.json", "config.json"));
        for (pattern, path) in [
            ("*.safetensors", "stage1/a.safetensors"),
            ("vae/*", "vae/x/y"),
            ("a*a", "a"),
            ("config.json", "vae/config.json"),
        ] {
            assert!(!matches_pattern(pattern, path), "{pattern} {path}");
        }
    }
}
