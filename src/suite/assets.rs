//! Where downloadable items come from.

use std::path::PathBuf;

/// Why an asset cannot be obtained.
pub type AssetError = Box<dyn std::error::Error + Send + Sync>;

/// Gives the local paths of downloadable files.
pub trait AssetSource {
    /// The files of an asset or of a group of them, in the group's order.
    ///
    /// # Errors
    /// Fails if the asset is unknown, or neither there nor to be had.
    fn paths(&self, asset: &str) -> Result<Vec<PathBuf>, AssetError>;

    /// The folder that pictures are written into which come inside a table.
    ///
    /// # Errors
    /// Fails if no such folder can be named.
    fn pictures(&self) -> Result<PathBuf, AssetError>;
}
