//! The hub: all that callers ask of it.

use super::error::HubError;
use super::options::HubOptions;
use super::state::{Entry, Fetched, Outcome, State};
use super::table::{Asset, Source, Table};
use crate::cancel::Cancel;
use std::fs;
use std::path::{Path, PathBuf};

/// Finds and fetches assets.
pub struct Hub {
    pub(super) options: HubOptions,
    pub(super) table: Table,
    /// None where the environment names none: that is an error as soon as it is needed.
    cache: Option<PathBuf>,
}

impl Hub {
    /// Names the cache (nothing is written yet) and reads the table of assets.
    ///
    /// # Errors
    /// When a table of assets cannot be read.
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
        })
    }

    /// The flag that ends downloads, for others that wait for servers.
    pub fn cancel(&self) -> Cancel {
        self.options.cancel.clone()
    }

    /// The known assets and groups.
    pub fn table(&self) -> &Table {
        &self.table
    }

    /// The folder of what is kept between runs.
    ///
    /// # Errors
    /// [`HubError::NoCacheFolder`]
    pub fn cache(&self) -> Result<&Path, HubError> {
        self.cache.as_deref().ok_or(HubError::NoCacheFolder)
    }

    /// All assets with their states, in the order of the table.
    pub fn list(&self) -> Vec<Entry<'_>> {
        let entry = |asset| Entry {
            asset,
            state: match self.find(asset) {
                Ok(path) => State::Present(path),
                Err(
                    HubError::Absent { .. }
                    | HubError::NotUnpacked { .. }
                    | HubError::NoCacheFolder,
                ) => State::Absent,
                Err(error) => State::Corrupt(error),
            },
        };
        self.table.assets.iter().map(entry).collect()
    }

    /// The asset's file, verified; cheap after the first time. Never uses the network.
    ///
    /// # Errors
    /// [`HubError::Absent`], [`HubError::Checksum`], [`HubError::Unknown`], …
    pub fn path(&self, id: &str) -> Result<PathBuf, HubError> {
        self.find(self.table.get(id)?)
    }

    /// The asset's file, fetched when it is absent or damaged.
    ///
    /// # Errors
    /// [`HubError::Offline`] when it would have to be fetched and must not be; else what stood in the way.
    pub fn ensure(&self, id: &str) -> Result<PathBuf, HubError> {
        let asset = self.table.get(id)?;
        match self.find(asset) {
            Ok(path) => Ok(path),
            Err(error) if self.fetchable(asset, &error) => self.obtain(asset),
            Err(error) => Err(error),
        }
    }

    /// Fetches assets and groups of assets. One that fails does not stop the others.
    ///
    /// # Errors
    /// [`HubError::Unknown`] before anything is done; [`HubError::Cancelled`]. All else is in the outcomes.
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

    /// Whether fetching can mend the error: not when the user's own file is at fault.
    fn fetchable(&self, asset: &Asset, error: &HubError) -> bool {
        let own = self.options.environment.asset_override(&asset.id).is_some()
            || matches!(asset.source, Source::Local { .. });
        !own && matches!(error, HubError::Absent { .. } | HubError::Checksum { .. })
    }
}
