//! Assets: where they come from, their pinned revision and SHA-256, and the cache that projects share.
//!
//! A file is sought in this order: the file named by `UNIGAUGE_ASSET_<ID>`, the cache, the folder
//! `UNIGAUGE_DATA`, the installed packages of a Python environment. If it must be fetched, the mirror comes
//! before the source. In every case it is used only if its checksum is right. See [`Environment`] for the variables.

mod assets;
mod download;
mod environment;
mod error;
mod find;
mod installed;
mod local;
mod obtain;
mod options;
mod package;
pub mod shipped;
mod snapshot;
mod state;
mod table;
mod verify;

pub use assets::Hub;
pub use environment::Environment;
pub use error::HubError;
pub use local::meant_folder;
pub use options::{HubOptions, Network, Progress, Silent};
pub use snapshot::{RemoteFile, Snapshot};
pub use state::{AssetState, Entry, Fetched, Outcome};
pub use table::{Asset, Ecosystem, Licence, PerPlatform, Source, Table, platform};
