//! What is known of assets: whether they are here, and what fetching did.

use super::error::HubError;
use super::table::Asset;
use std::path::PathBuf;

/// Whether an asset can be used.
#[derive(Debug)]
pub enum State {
    /// It is there, and it is the right one.
    Present(PathBuf),
    /// There is no file.
    Absent,
    /// There is a file, and it is not the right one (or cannot be read).
    Corrupt(HubError),
}

/// An asset with its state.
#[derive(Debug)]
pub struct Entry<'a> {
    /// The asset.
    pub asset: &'a Asset,
    /// Whether it can be used.
    pub state: State,
}

/// What fetching does, or would do, for an asset.
#[derive(Debug)]
pub enum Outcome {
    /// It was there already.
    Present(PathBuf),
    /// It was fetched now.
    Fetched(PathBuf),
    /// A dry run would fetch it.
    WouldFetch,
    /// It could not be fetched.
    Failed(HubError),
}

/// What fetching did for one asset.
#[derive(Debug)]
pub struct Fetched<'a> {
    /// The asset.
    pub asset: &'a Asset,
    /// What was done.
    pub outcome: Outcome,
}
