//! Where downloadable items come from.

use std::path::PathBuf;

/// Why an asset is not available.
pub type AssetError = Box<dyn std::error::Error + Send + Sync>;

/// Gives the local paths of downloadable files.
pub trait AssetSource {
    /// The files of an asset or of a group of them, in the group's order.
    ///
    /// # Errors
    /// Fails if the asset is unknown, or neither on the disk nor available for download.
    fn paths(&self, asset: &str) -> Result<Vec<PathBuf>, AssetError>;

    /// The folder for the pictures that come inside a table.
    ///
    /// # Errors
    /// Fails if there is no such folder.
    fn pictures(&self) -> Result<PathBuf, AssetError>;
}
