//! What can go wrong with an asset, and what to do about it.

use crate::files::FileError;
use std::path::PathBuf;

/// An error of the hub. No message contains a token or the credentials of an address.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum HubError {
    #[error("there is no asset or group named `{id}`")]
    Unknown {
        id: String,
        #[help]
        help: String,
    },
    #[error("{}: {message}", file.display())]
    Table { file: PathBuf, message: String },
    #[error(
        "no folder for the asset cache: neither UNIGAUGE_CACHE, XDG_CACHE_HOME nor HOME is set"
    )]
    #[diagnostic(help("set UNIGAUGE_CACHE to a folder with room for the assets"))]
    NoCacheFolder,
    #[error("asset {id} has no file for this platform ({platform})")]
    #[diagnostic(help("set UNIGAUGE_ASSET_<ID> to a file of your own"))]
    Platform { id: String, platform: String },
    #[error("asset {id} is not on this machine (looked for {})", path.display())]
    #[diagnostic(help("fetch it with `unigauge fetch {id}`"))]
    Absent { id: String, path: PathBuf },
    #[error("asset {id} is not on this machine (looked for {})", path.display())]
    #[diagnostic(help(
        "its authors publish it as an archive: unpack it there, or set UNIGAUGE_ASSET_{} to the file",
        id.to_ascii_uppercase().replace(['-', '.'], "_")
    ))]
    NotUnpacked { id: String, path: PathBuf },
    #[error("asset {id} is not on this machine (looked for {}), and the network may not be used", path.display())]
    #[diagnostic(help(
        "run `unigauge fetch {id}` without --offline, or set UNIGAUGE_DATA to a folder with the file"
    ))]
    Offline { id: String, path: PathBuf },
    #[error("asset {id}: {} has SHA-256 {actual}, expected {expected}", path.display())]
    #[diagnostic(help(
        "the file is damaged or belongs to another revision; delete it and run `unigauge fetch {id}`"
    ))]
    Checksum {
        id: String,
        path: PathBuf,
        expected: String,
        actual: String,
    },
    #[error("asset {id}: {from} sent {got}, expected {expected}")]
    #[diagnostic(help(
        "the server or a proxy changes the file; try again, or set UNIGAUGE_ASSET_MIRROR to a mirror"
    ))]
    Content {
        id: String,
        from: String,
        got: String,
        expected: String,
    },
    #[error("asset {id}: {from} answered {status}")]
    Http {
        id: String,
        from: String,
        status: String,
        #[help]
        help: String,
    },
    #[error("asset {id}: {from}: {message}")]
    #[diagnostic(help(
        "check the network and proxy settings, and run the command again: a download continues where it stopped"
    ))]
    Network {
        id: String,
        from: String,
        message: String,
    },
    #[error("asset {id}: {message}")]
    Package {
        id: String,
        message: String,
        #[help]
        help: String,
    },
    #[error("the disk is full: cannot {action} {}", path.display())]
    #[diagnostic(help("free some space, or set UNIGAUGE_CACHE to a folder on another disk"))]
    DiskFull { action: &'static str, path: PathBuf },
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        action: &'static str,
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{}: {message}", path.display())]
    Place {
        path: PathBuf,
        message: String,
        #[help]
        help: String,
    },
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
