//! The environment variables that the asset hub reads.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// A copy of the variables. `Debug` shows only their names, since the values can be tokens.
///
/// | variable | meaning |
/// |---|---|
/// | `UNIGAUGE_CACHE` | the folder of the cache; default: `$XDG_CACHE_HOME/unigauge`, otherwise `~/.cache/unigauge` |
/// | `UNIGAUGE_ASSETS` | a TOML table with further assets, or other sources for known ids |
/// | `UNIGAUGE_ASSET_<ID>` | a file to use for that asset (id in capitals, `-` and `.` as `_`); its checksum is verified |
/// | `UNIGAUGE_DATA` | a folder, searched three levels deep, with files to use if name, size and checksum match |
/// | `UNIGAUGE_ASSET_MIRROR` | an address that is tried before the source, as `<mirror>/<id>/<file name>` |
/// | `UNIGAUGE_PYTHON` | the Python whose `pip` fetches packages, by default `python3` or `python`; its installed packages are searched, too |
/// | `VIRTUAL_ENV` | a virtual environment whose installed packages are searched |
/// | `HF_ENDPOINT`, `HF_TOKEN` | the model hub and the token for gated repositories |
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Environment {
    /// The variables of this process.
    pub fn of_process() -> Self {
        std::env::vars_os()
            .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)))
            .collect()
    }

    /// The value of a variable. An empty value counts as unset.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// The file that the environment names for an asset.
    pub fn asset_override(&self, id: &str) -> Option<PathBuf> {
        let name = id.to_uppercase().replace(['-', '.'], "_");
        self.get(&format!("UNIGAUGE_ASSET_{name}"))
            .map(PathBuf::from)
    }

    /// The cache folder.
    pub fn cache(&self) -> Option<PathBuf> {
        self.get("UNIGAUGE_CACHE")
            .map(PathBuf::from)
            .or_else(|| Some(PathBuf::from(self.get("XDG_CACHE_HOME")?).join("unigauge")))
            .or_else(|| Some(PathBuf::from(self.get("HOME")?).join(".cache/unigauge")))
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        Self(variables.into_iter().collect())
    }
}
