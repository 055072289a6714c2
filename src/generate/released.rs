//! The configurations of released checkpoints, for questions about a model without its files.

use crate::files::{FileError, write_whole};
use std::path::Path;

/// A configuration in the repository of a released checkpoint. It has those fields of the authors' file from
/// which the networks are built.
#[derive(Debug, Clone, Copy)]
pub struct ReleasedConfig {
    /// The repository, such as `Qwen/Qwen2.5-VL-7B-Instruct`.
    pub repo: &'static str,
    /// The file in the repository.
    pub path: &'static str,
    /// Its content.
    pub text: &'static str,
}

/// The configurations of a repository: its name, and each path with the file below `configs/released`.
macro_rules! released_configs {
    ($repo:literal, $($path:literal => $file:literal),+ $(,)?) => {
        &[$($crate::generate::ReleasedConfig {
            repo: $repo,
            path: $path,
            text: include_str!(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/configs/released/",
                $file
            )),
        }),+]
    };
}
pub(super) use released_configs;

impl ReleasedConfig {
    /// Writes the configuration below `folder`, the folder of its repository. An existing file is not
    /// changed.
    ///
    /// # Errors
    /// Fails if the file cannot be written.
    pub fn lay_out(&self, folder: &Path) -> Result<(), FileError> {
        let path = folder.join(self.path);
        if path.exists() {
            return Ok(());
        }
        write_whole(&path, self.text.as_bytes())
    }
}
