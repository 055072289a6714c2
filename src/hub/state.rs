//! The states of assets, and what a fetch did.

use super::error::HubError;
use super::table::Asset;
use std::path::PathBuf;

/// Whether an asset can be used.
#[derive(Debug)]
pub enum AssetState {
    /// There is a file with the right checksum.
    Present(PathBuf),
    /// There is no file.
    Absent,
    /// There is a file, but it is not the right one, or it cannot be read.
    Corrupt(HubError),
}

/// An asset with its state.
#[derive(Debug)]
pub struct Entry<'a> {
    /// The asset.
    pub asset: &'a Asset,
    /// Its state.
    pub state: AssetState,
}

/// What a fetch did, or would do, for one asset.
#[derive(Debug)]
pub enum Outcome {
    /// The file was there already.
    Present(PathBuf),
    /// The file was fetched.
    Fetched(PathBuf),
    /// A dry run would fetch the file.
    WouldFetch,
    /// The fetch failed.
    Failed(HubError),
}

/// The outcome of a fetch for one asset.
#[derive(Debug)]
pub struct Fetched<'a> {
    /// The asset.
    pub asset: &'a Asset,
    /// What happened.
    pub outcome: Outcome,
}
