//! What can go wrong with an asset, and what to do about it.

use crate::files::FileError;
use std::path::PathBuf;

/// An error of the hub. No message contains a token or the credentials of an address.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum HubError {
    /// No asset and no group has this name.
    #[error("there is no asset or group named `{id}`")]
    Unknown {
        /// The asset.
        id: String,
        /// What to do about it.
        #[help]
        help: String,
    },
    /// A table of assets has a mistake.
    #[error("{}: {message}", file.display())]
    Table { file: PathBuf, message: String },
    /// The environment names no folder for the cache.
    #[error(
        "no folder for the asset cache: neither UNIGAUGE_CACHE, XDG_CACHE_HOME nor HOME is set"
    )]
    #[diagnostic(help("set UNIGAUGE_CACHE to a folder with room for the assets"))]
    NoCacheFolder,
    /// The asset has no file for this platform.
    #[error("asset {id} has no file for this platform ({platform})")]
    #[diagnostic(help("set UNIGAUGE_ASSET_<ID> to a file of your own"))]
    Platform { id: String, platform: String },
    /// The asset is not on this machine.
    #[error("asset {id} is not on this machine (looked for {})", path.display())]
    #[diagnostic(help("fetch it with `unigauge fetch {id}`"))]
    Absent { id: String, path: PathBuf },
    /// The asset is not on this machine, and its authors publish it as an archive.
    #[error("asset {id} is not on this machine (looked for {})", path.display())]
    #[diagnostic(help(
        "its authors publish it as an archive: unpack it there, or set UNIGAUGE_ASSET_{} to the file",
        id.to_ascii_uppercase().replace(['-', '.'], "_")
    ))]
    NotUnpacked { id: String, path: PathBuf },
    /// The asset is not on this machine, and the network may not be used.
    #[error("asset {id} is not on this machine (looked for {}), and the network may not be used", path.display())]
    #[diagnostic(help(
        "run `unigauge fetch {id}` without --offline, or set UNIGAUGE_DATA to a folder with the file"
    ))]
    Offline { id: String, path: PathBuf },
    /// A file on this machine is not the asset.
    #[error("asset {id}: {} has SHA-256 {actual}, expected {expected}", path.display())]
    #[diagnostic(help(
        "the file is damaged or belongs to another revision; delete it and run `unigauge fetch {id}`"
    ))]
    Checksum {
        /// The asset.
        id: String,
        /// The file or folder.
        path: PathBuf,
        /// What was expected.
        expected: String,
        /// The checksum of the file.
        actual: String,
    },
    /// A server sent something other than the asset.
    #[error("asset {id}: {from} sent {got}, expected {expected}")]
    #[diagnostic(help(
        "the server or a proxy changes the file; try again, or set UNIGAUGE_ASSET_MIRROR to a mirror"
    ))]
    Content {
        /// The asset.
        id: String,
        /// The sender.
        from: String,
        /// What arrived.
        got: String,
        /// What was expected.
        expected: String,
    },
    /// A server answered with an error.
    #[error("asset {id}: {from} answered {status}")]
    Http {
        /// The asset.
        id: String,
        /// The sender.
        from: String,
        /// The status of the answer.
        status: String,
        /// What to do about it.
        #[help]
        help: String,
    },
    /// A server cannot be reached.
    #[error("asset {id}: {from}: {message}")]
    #[diagnostic(help(
        "check the network and proxy settings, and run the command again: a download continues where it stopped"
    ))]
    Network {
        /// The asset.
        id: String,
        /// The sender.
        from: String,
        /// What is wrong.
        message: String,
    },
    /// A package cannot be downloaded.
    #[error("asset {id}: {message}")]
    Package {
        /// The asset.
        id: String,
        /// What is wrong.
        message: String,
        /// What to do about it.
        #[help]
        help: String,
    },
    /// The disk is full.
    #[error("the disk is full: cannot {action} {}", path.display())]
    #[diagnostic(help("free some space, or set UNIGAUGE_CACHE to a folder on another disk"))]
    DiskFull { action: &'static str, path: PathBuf },
    /// A file or folder cannot be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried, such as `write`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The error of the system.
        source: std::io::Error,
    },
    /// A path names no folder.
    #[error("{}: {message}", path.display())]
    Place {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong.
        message: String,
        /// What to do about it.
        #[help]
        help: String,
    },
    /// The flag was raised.
    #[error("interrupted")]
    Cancelled,
}

impl From<FileError> for HubError {
    fn from(error: FileError) -> Self {
        let action = error.action.trim_start_matches("cannot ");
        Self::io(action, error.path)(error.source)
    }
}

impl HubError {
    /// An input or output error. A full disk has an error of its own.
    pub(super) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| match source.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                Self::DiskFull { action, path }
            }
            _ => Self::Io {
                action,
                path,
                source,
            },
        }
    }
}
