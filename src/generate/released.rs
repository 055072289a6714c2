//! The configurations of released checkpoints, for questions about a model whose files are not here.

use crate::files::{FileError, write_whole};
use std::path::Path;

/// A configuration in the repository of a released checkpoint. It holds the fields that the networks are
/// built from, as the authors' file has them.
#[derive(Debug, Clone, Copy)]
pub struct ReleasedConfig {
    /// The repository, such as `Qwen/Qwen2.5-VL-7B-Instruct`.
    pub repo: &'static str,
    /// The file in the repository.
    pub path: &'static str,
    /// Its content.
    pub text: &'static str,
}

impl ReleasedConfig {
    /// Writes it below `folder`, the folder of its repository; a file that is there stays.
    ///
    /// # Errors
    /// Fails if the disk refuses.
    pub fn lay_out(&self, folder: &Path) -> Result<(), FileError> {
        let path = folder.join(self.path);
        if path.exists() {
            return Ok(());
        }
        write_whole(&path, self.text.as_bytes())
    }
}
