//! What can go wrong with an asset, and what to do about it.

use crate::files::FileError;
use std::path::PathBuf;

/// An error of the hub. No message contains a token or the credentials of an address.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum HubError {
    /// There is no such asset or group.
    #[error("there is no asset or group named `{id}`")]
    Unknown {
        /// The id of the asset.
        id: String,
        /// What to do.
        #[help]
        help: String,
    },
    /// A table of assets has an error.
    #[error("{}: {message}", file.display())]
    Table {
        /// The file of the table.
        file: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// The environment names no folder for the cache.
    #[error(
        "no folder for the asset cache: neither UNIGAUGE_CACHE, XDG_CACHE_HOME nor HOME is set"
    )]
    #[diagnostic(help("set UNIGAUGE_CACHE to a folder with room for the assets"))]
    NoCacheFolder,
    /// The asset has no file for this platform.
    #[error("asset {id} has no file for this platform ({platform})")]
    #[diagnostic(help("set UNIGAUGE_ASSET_<ID> to a file of your own"))]
    Platform {
        /// The id of the asset.
        id: String,
        /// The platform, such as `linux-x86_64`.
        platform: String,
    },
    /// The asset is not on this machine.
    #[error("asset {id} is not on this machine (looked for {})", path.display())]
    #[diagnostic(help("fetch it with `unigauge fetch {id}`"))]
    Absent {
        /// The id of the asset.
        id: String,
        /// The path of the file or folder.
        path: PathBuf,
    },
    /// The asset is published as an archive, which must be unpacked by hand.
    #[error("asset {id} is not on this machine (looked for {})", path.display())]
    #[diagnostic(help(
        "its authors publish it as an archive: unpack it there, or set UNIGAUGE_ASSET_{} to the file",
        id.to_ascii_uppercase().replace(['-', '.'], "_")
    ))]
    NotUnpacked {
        /// The id of the asset.
        id: String,
        /// The path of the file or folder.
        path: PathBuf,
    },
    /// The asset must be fetched, but the network may not be used.
    #[error("asset {id} is not on this machine (looked for {}), and the network may not be used", path.display())]
    #[diagnostic(help(
        "run `unigauge fetch {id}` without --offline, or set UNIGAUGE_DATA to a folder with the file"
    ))]
    Offline {
        /// The id of the asset.
        id: String,
        /// The path of the file or folder.
        path: PathBuf,
    },
    /// The file has another checksum.
    #[error("asset {id}: {} has SHA-256 {actual}, expected {expected}", path.display())]
    #[diagnostic(help(
        "the file is damaged or belongs to another revision; delete it and run `unigauge fetch {id}`"
    ))]
    Checksum {
        /// The id of the asset.
        id: String,
        /// The path of the file or folder.
        path: PathBuf,
        /// What was expected.
        expected: String,
        /// The SHA-256 of the file.
        actual: String,
    },
    /// A server sent something else.
    #[error("asset {id}: {from} sent {got}, expected {expected}")]
    #[diagnostic(help(
        "the server or a proxy changes the file; try again, or set UNIGAUGE_ASSET_MIRROR to a mirror"
    ))]
    Content {
        /// The id of the asset.
        id: String,
        /// The address, without secrets.
        from: String,
        /// What the server sent.
        got: String,
        /// What was expected.
        expected: String,
    },
    /// A server answered with an error.
    #[error("asset {id}: {from} answered {status}")]
    Http {
        /// The id of the asset.
        id: String,
        /// The address, without secrets.
        from: String,
        /// The status of the answer.
        status: String,
        /// What to do.
        #[help]
        help: String,
    },
    /// A server could not be reached, or the connection broke.
    #[error("asset {id}: {from}: {message}")]
    #[diagnostic(help(
        "check the network and proxy settings, and run the command again: a download continues where it stopped"
    ))]
    Network {
        /// The id of the asset.
        id: String,
        /// The address, without secrets.
        from: String,
        /// What is wrong.
        message: String,
    },
    /// A package could not be downloaded or read.
    #[error("asset {id}: {message}")]
    Package {
        /// The id of the asset.
        id: String,
        /// What is wrong.
        message: String,
        /// What to do.
        #[help]
        help: String,
    },
    /// The disk is full.
    #[error("the disk is full: cannot {action} {}", path.display())]
    #[diagnostic(help("free some space, or set UNIGAUGE_CACHE to a folder on another disk"))]
    DiskFull {
        /// What failed, in words.
        action: &'static str,
        /// The path of the file or folder.
        path: PathBuf,
    },
    /// An input or output error.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What failed, in words.
        action: &'static str,
        /// The path of the file or folder.
        path: PathBuf,
        /// The error of the system.
        source: std::io::Error,
    },
    /// A path does not name a single folder.
    #[error("{}: {message}", path.display())]
    Place {
        /// The path of the file or folder.
        path: PathBuf,
        /// What is wrong.
        message: String,
        /// What to do.
        #[help]
        help: String,
    },
    /// The user interrupted the fetch.
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
