//! The hub, with everything that callers can ask it for.

use super::error::HubError;
use super::options::HubOptions;
use super::state::{AssetState, Entry, Fetched, Outcome};
use super::table::{Asset, Source, Table};
use crate::cancel::Cancel;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// Finds and fetches assets.
pub struct Hub {
    pub(super) options: HubOptions,
    pub(super) table: Table,
    /// `None` if the environment names no folder. That is an error only once the cache is needed.
    cache: Option<PathBuf>,
    /// The assets of which was said that an installed package has them.
    pub(super) told: Mutex<BTreeSet<String>>,
}

impl Hub {
    /// Determines the cache folder, without writing to it, and reads the table of assets.
    ///
    /// # Errors
    /// Fails if a table of assets cannot be read.
    pub fn new(options: HubOptions) -> Result<Self, HubError> {
        let cache = options
            .cache
            .clone()
            .or_else(|| options.environment.cache());
        let mut table = Table::embedded()?;
        if let Some(file) = options.environment.get("UNIGAUGE_ASSETS") {
            let text = fs::read_to_string(file).map_err(HubError::io("read", file))?;
            table.extend(Table::parse(&text, Path::new(file))?);
        }
        Ok(Self {
            options,
            table,
            cache,
            told: Mutex::default(),
        })
    }

    /// The flag that ends downloads, for other code that waits for servers.
    pub fn cancel(&self) -> Cancel {
        self.options.cancel.clone()
    }

    /// The known assets and groups.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// The folder of the cache.
    ///
    /// # Errors
    /// Fails with [`HubError::NoCacheFolder`] if there is none.
    pub fn cache(&self) -> Result<&Path, HubError> {
        self.cache.as_deref().ok_or(HubError::NoCacheFolder)
    }

    /// All assets with their states, in the order of the table.
    pub fn list(&self) -> Vec<Entry<'_>> {
        let entry = |asset| Entry {
            asset,
            state: match self.find(asset) {
                Ok(path) => AssetState::Present(path),
                Err(
                    HubError::Absent { .. }
                    | HubError::NotUnpacked { .. }
                    | HubError::NoCacheFolder,
                ) => AssetState::Absent,
                Err(error) => AssetState::Corrupt(error),
            },
        };
        self.table.assets.iter().map(entry).collect()
    }

    /// The verified file of an asset. The call is cheap after the first time, and it never uses the network.
    ///
    /// # Errors
    /// Fails if the asset is unknown, absent or damaged: [`HubError::Unknown`], [`HubError::Absent`],
    /// [`HubError::Checksum`] and others.
    pub fn path(&self, id: &str) -> Result<PathBuf, HubError> {
        self.find(self.table.get(id)?)
    }

    /// The file of an asset, which is fetched if it is absent or damaged.
    ///
    /// # Errors
    /// Fails with [`HubError::Offline`] if the file must be fetched and the network may not be used, and with
    /// other errors if the fetch fails.
    pub fn ensure(&self, id: &str) -> Result<PathBuf, HubError> {
        let asset = self.table.get(id)?;
        match self.find(asset) {
            Ok(path) => {
                self.tell_installed(asset, &path);
                Ok(path)
            }
            Err(error) if self.fetchable(asset, &error) => self.obtain(asset),
            Err(error) => Err(error),
        }
    }

    /// Fetches assets and groups of assets. A failure of one asset does not stop the others.
    ///
    /// # Errors
    /// Fails with [`HubError::Unknown`] before anything is fetched, and with [`HubError::Cancelled`]. All
    /// other errors are in the outcomes.
    pub fn fetch(&self, names: &[String], dry_run: bool) -> Result<Vec<Fetched<'_>>, HubError> {
        let mut done = Vec::new();
        for asset in self.table.expand(names)? {
            let outcome = match self.find(asset) {
                Ok(path) => Outcome::Present(path),
                Err(error) if !self.fetchable(asset, &error) => Outcome::Failed(error),
                Err(_) if dry_run => Outcome::WouldFetch,
                Err(_) => match self.obtain(asset) {
                    Ok(path) => Outcome::Fetched(path),
                    Err(HubError::Cancelled) => return Err(HubError::Cancelled),
                    Err(error) => Outcome::Failed(error),
                },
            };
            done.push(Fetched { asset, outcome });
        }
        Ok(done)
    }

    /// Whether fetching can repair the error. It cannot if the user's own file is wrong.
    fn fetchable(&self, asset: &Asset, error: &HubError) -> bool {
        let own = self.options.environment.asset_override(&asset.id).is_some()
            || matches!(asset.source, Source::Local { .. });
        !own && matches!(error, HubError::Absent { .. } | HubError::Checksum { .. })
    }
}
