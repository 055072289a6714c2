//! The table of assets: what each asset is, where it comes from, and how it is recognised.

use super::error::HubError;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A value that is the same on all platforms, or one that differs by platform, keyed by `os-arch` or `os`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum PerPlatform<T> {
    /// The same value on all platforms.
    Same(T),
    /// Values by platform.
    By(BTreeMap<String, T>),
}

/// This platform in the words of the table, such as `linux-x86_64`.
pub fn platform() -> String {
    format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH)
}

impl<T> PerPlatform<T> {
    /// The value for this platform.
    pub fn here(&self) -> Option<&T> {
        match self {
            Self::Same(value) => Some(value),
            Self::By(map) => map
                .get(&platform())
                .or_else(|| map.get(std::env::consts::OS)),
        }
    }
}

/// Where an asset comes from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Source {
    /// A file of a repository on a model hub. `HF_ENDPOINT` names another hub, and `HF_TOKEN` opens gated
    /// repositories.
    HubFile {
        /// The repository, as `owner/name`.
        repo: String,
        /// The pinned commit.
        revision: String,
        /// Path of the file in the repository.
        path: String,
    },
    /// The files of a data set on a hub whose paths begin with `prefix`, all in one folder. They are listed
    /// at the first fetch and pinned to its commit. The asset is the folder.
    HubDataset {
        /// The repository, as `owner/name`.
        repo: String,
        /// The pinned commit.
        revision: String,
        /// The beginning of the paths of the files.
        prefix: String,
    },
    /// The same for a repository of weights, with shards whose number only the listing tells.
    HubFiles {
        /// The repository, as `owner/name`.
        repo: String,
        /// The pinned commit.
        revision: String,
        /// The beginning of the paths of the files.
        prefix: String,
    },
    /// A file on a web server. `revision` is the pinned commit if the address contains one.
    Url {
        /// The address.
        url: String,
        /// The pinned commit.
        #[serde(default)]
        revision: String,
    },
    /// A file inside a package, downloaded with the registry's ordinary client.
    Package {
        /// The registry.
        ecosystem: Ecosystem,
        /// The name of the package.
        name: String,
        /// The pinned version.
        version: String,
        /// Path inside the package's archive.
        file: PerPlatform<String>,
        /// The Python version whose build is requested, independent of the version that runs the client.
        #[serde(default)]
        python: Option<String>,
    },
    /// A file that is already on this machine. A relative path starts at the current folder.
    Local {
        /// The path of the file.
        path: PathBuf,
    },
}

impl Source {
    /// The pinned revision or version, or an empty text without one.
    pub fn revision(&self) -> &str {
        match self {
            Self::HubFile { revision, .. }
            | Self::HubDataset { revision, .. }
            | Self::HubFiles { revision, .. }
            | Self::Url { revision, .. } => revision,
            Self::Package { version, .. } => version,
            Self::Local { .. } => "",
        }
    }

    /// What a hub must list for this source: the repository in the hub's words, the revision, and the
    /// beginning of the paths.
    pub(super) fn listed(&self) -> Option<(String, &str, &str)> {
        match self {
            Self::HubDataset {
                repo,
                revision,
                prefix,
            } => Some((format!("datasets/{repo}"), revision, prefix)),
            Self::HubFiles {
                repo,
                revision,
                prefix,
            } => Some((repo.clone(), revision, prefix)),
            _ => None,
        }
    }

    /// The source in words, without credentials.
    pub fn describe(&self) -> String {
        match self {
            Self::HubFile {
                repo,
                revision,
                path,
            } => format!("hub {repo}@{revision} {path}"),
            Self::HubDataset {
                repo,
                revision,
                prefix,
            } => format!("hub data set {repo}@{revision} {prefix}*"),
            Self::HubFiles {
                repo,
                revision,
                prefix,
            } => format!("hub {repo}@{revision} {prefix}*"),
            Self::Url { url, .. } => crate::http::display_url(url),
            Self::Package { name, version, .. } => format!("PyPI package {name} {version}"),
            Self::Local { path } => path.display().to_string(),
        }
    }
}

/// The registries whose client is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ecosystem {
    /// The Python Package Index.
    Pypi,
}

/// A licence, and where its text is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Licence {
    /// The name of the licence.
    pub name: String,
    /// Where the text of the licence is.
    pub source: String,
}

/// One file that unigauge can use.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asset {
    /// The id, used on the command line.
    pub id: String,
    /// The title for people.
    pub title: String,
    /// What the asset is used for.
    pub purpose: String,
    /// The licence of the asset.
    pub licence: Licence,
    /// Where the asset comes from.
    pub source: Source,
    /// Lower-case hexadecimal. Without it, the hash of the first fetch is recorded and required from then on.
    #[serde(default)]
    pub sha256: Option<PerPlatform<String>>,
    /// In bytes.
    #[serde(default)]
    pub size: Option<PerPlatform<u64>>,
}

impl Asset {
    /// The pinned checksum for this platform.
    pub fn pinned_sha256(&self) -> Option<&str> {
        self.sha256
            .as_ref()
            .and_then(PerPlatform::here)
            .map(String::as_str)
    }

    /// The pinned size for this platform, in bytes.
    pub fn pinned_size(&self) -> Option<u64> {
        self.size.as_ref().and_then(PerPlatform::here).copied()
    }

    /// The name of the file, without folders.
    ///
    /// # Errors
    /// Fails with [`HubError::Platform`] if the source has no file for this platform.
    pub fn file_name(&self) -> Result<&str, HubError> {
        let path = match &self.source {
            Source::HubFile { path, .. } => path.as_str(),
            // The name of the folder with its files.
            Source::HubDataset { prefix, .. } | Source::HubFiles { prefix, .. } => {
                prefix.rsplit_once('/').map_or("", |(folder, _)| folder)
            }
            Source::Url { url, .. } => url.split(['?', '#']).next().unwrap_or(url),
            Source::Package { file, .. } => self.member(file)?,
            Source::Local { path } => path.to_str().unwrap_or(&self.id),
        };
        let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
        Ok(if matches!(name, "" | "." | "..") {
            &self.id
        } else {
            name
        })
    }

    /// Path inside the package for this platform.
    pub(super) fn member<'a>(&self, file: &'a PerPlatform<String>) -> Result<&'a str, HubError> {
        file.here()
            .map(String::as_str)
            .ok_or_else(|| HubError::Platform {
                id: self.id.clone(),
                platform: platform(),
            })
    }
}

/// All assets, and names for groups of them.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The assets.
    #[serde(default, rename = "asset")]
    pub assets: Vec<Asset>,
    /// The names of groups, with the ids of their members.
    #[serde(default)]
    pub groups: BTreeMap<String, Vec<String>>,
}

impl Table {
    /// The table that is built into the program.
    ///
    /// # Errors
    /// Fails if the table is wrong, which a test excludes.
    pub fn embedded() -> Result<Self, HubError> {
        Self::parse(
            include_str!("assets.toml"),
            Path::new("assets.toml (embedded)"),
        )
    }

    /// Reads a table. `file` is its name in errors.
    ///
    /// # Errors
    /// Fails if the text is not TOML, or if an asset or a group is wrong. The message names it.
    pub fn parse(text: &str, file: &Path) -> Result<Self, HubError> {
        let wrong = |message: String| HubError::Table {
            file: file.to_owned(),
            message,
        };
        let table: Self =
            toml::from_str(text).map_err(|error| wrong(error.to_string().trim_end().to_owned()))?;
        for asset in &table.assets {
            let fine =
                |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
            if asset.id.is_empty() || asset.id.starts_with('.') || !asset.id.chars().all(fine) {
                return Err(wrong(format!(
                    "asset id {:?}: use lower-case letters, digits, `-` and `.`",
                    asset.id
                )));
            }
            if let Some(sha256) = asset.pinned_sha256()
                && (sha256.len() != 64
                    || !sha256
                        .bytes()
                        .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')))
            {
                return Err(wrong(format!(
                    "asset {}: sha256 = {sha256:?} is not 64 lower-case hexadecimal digits",
                    asset.id
                )));
            }
        }
        Ok(table)
    }

    /// Adds the entries of another table. An entry with a known id replaces the earlier one.
    pub fn extend(&mut self, other: Self) {
        for asset in other.assets {
            self.assets.retain(|known| known.id != asset.id);
            self.assets.push(asset);
        }
        self.groups.extend(other.groups);
    }

    /// The asset with this id.
    ///
    /// # Errors
    /// Fails with [`HubError::Unknown`] and the nearest known id.
    pub fn get(&self, id: &str) -> Result<&Asset, HubError> {
        self.assets
            .iter()
            .find(|asset| asset.id == id)
            .ok_or_else(|| self.unknown_error(id))
    }

    /// Replaces the names of groups by their members and drops repetitions. The order is kept.
    ///
    /// # Errors
    /// Fails with [`HubError::Unknown`] if a name is neither an asset nor a group.
    pub fn expand(&self, names: &[String]) -> Result<Vec<&Asset>, HubError> {
        let mut found: Vec<&Asset> = Vec::new();
        for name in names {
            let members = self
                .groups
                .get(name)
                .map_or(std::slice::from_ref(name), Vec::as_slice);
            for id in members {
                let asset = self.get(id)?;
                if !found.iter().any(|known| known.id == asset.id) {
                    found.push(asset);
                }
            }
        }
        Ok(found)
    }

    fn unknown_error(&self, id: &str) -> HubError {
        let ids = self.assets.iter().map(|asset| asset.id.as_str());
        let known: Vec<&str> = self.groups.keys().map(String::as_str).chain(ids).collect();
        let nearest = known
            .iter()
            .map(|name| (strsim::jaro_winkler(name, id), name))
            .filter(|(near, _)| *near > 0.8)
            .max_by(|a, b| a.0.total_cmp(&b.0));
        HubError::Unknown {
            id: id.to_owned(),
            help: nearest.map_or_else(
                || format!("the known names are {}", known.join(", ")),
                |(_, name)| format!("did you mean `{name}`?"),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn source(url: &str) -> Asset {
        let text = format!(
            "[[asset]]\nid = \"x\"\ntitle = \"\"\npurpose = \"\"\nlicence = {{ name = \"\", source = \"\" }}\n\
             source = {{ kind = \"url\", url = {url:?} }}\n"
        );
        Table::parse(&text, Path::new("t.toml"))
            .unwrap()
            .assets
            .remove(0)
    }

    proptest! {
        #[test]
        fn a_file_name_never_leaves_its_folder(path in "[a-z./\\\\?#]{0,20}") {
            let asset = source(&format!("http://h/{path}"));
            let name = asset.file_name().unwrap();
            prop_assert!(!name.is_empty() && name != "." && name != "..");
            prop_assert!(!name.contains(['/', '\\']));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,200}") {
            let _ = Table::parse(&text, Path::new("t.toml"));
        }
    }

    #[test]
    fn ids_that_would_be_paths_and_malformed_checksums_are_refused() {
        let base = "title = \"\"\npurpose = \"\"\nlicence = { name = \"\", source = \"\" }\n\
                    source = { kind = \"local\", path = \"p\" }\n";
        for (head, words) in [
            ("id = \"../x\"\n", "asset id \"../x\""),
            ("id = \"x\"\nsha256 = \"ABC\"\n", "64 lower-case"),
        ] {
            let error = Table::parse(&format!("[[asset]]\n{head}{base}"), Path::new("t.toml"));
            let error = error.unwrap_err().to_string();
            assert!(error.contains("t.toml") && error.contains(words), "{error}");
        }
    }

    #[test]
    fn a_value_of_this_platform_wins_over_that_of_its_system() {
        let by = |keys: &[&str]| {
            PerPlatform::By(
                keys.iter()
                    .map(|k| ((*k).to_owned(), (*k).to_owned()))
                    .collect(),
            )
        };
        let (exact, os) = (platform(), std::env::consts::OS);
        assert_eq!(by(&[os, &exact]).here(), Some(&exact));
        assert_eq!(by(&[os]).here().map(String::as_str), Some(os));
        assert_eq!(by(&["plan9"]).here(), None);
    }
}
