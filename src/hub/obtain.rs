//! Fetches an asset into the cache, from a mirror or from its source.

use super::assets::Hub;
use super::download::{self, Download};
use super::error::HubError;
use super::find::recorded_checksum;
use super::table::{Asset, Source, platform};
use super::verify;
use crate::files::{Lock, LockError, write_durable};
use crate::http;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

impl Hub {
    /// The address of the model hub.
    pub(super) fn endpoint(&self) -> &str {
        self.options
            .environment
            .get("HF_ENDPOINT")
            .unwrap_or("https://huggingface.co")
            .trim_end_matches('/')
    }

    /// Fetches the asset. Processes that want the same asset share the work.
    pub(super) fn obtain(&self, asset: &Asset) -> Result<PathBuf, HubError> {
        let file_name = asset.file_name()?;
        if self.options.offline {
            return Err(HubError::Offline {
                id: asset.id.clone(),
                path: self.folder(asset)?.join(file_name),
            });
        }
        let lock_name = match &asset.source {
            Source::Package { name, version, .. } => format!("package-{name}-{version}"),
            _ => asset.id.clone(),
        };
        let _lock = self.lock(&asset.id, &lock_name)?;
        if let Ok(path) = self.find(asset) {
            return Ok(path);
        }
        let result = self.obtain_locked(asset);
        self.options.progress.end(&asset.id);
        result
    }

    fn obtain_locked(&self, asset: &Asset) -> Result<PathBuf, HubError> {
        let mirror = self.options.environment.get("UNIGAUGE_ASSET_MIRROR");
        // A mirror has single files only.
        let single = asset.source.listed().is_none();
        if let Some(mirror) = mirror.filter(|_| single) {
            let url = format!(
                "{}/{}/{}",
                mirror.trim_end_matches('/'),
                asset.id,
                asset.file_name()?
            );
            match self.download(asset, &url, None) {
                Ok(path) => return Ok(path),
                Err(HubError::Cancelled) => return Err(HubError::Cancelled),
                Err(error) => self.options.progress.note(
                    &asset.id,
                    &format!("the mirror failed ({error}); trying the source"),
                ),
            }
        }
        match &asset.source {
            Source::HubFile {
                repo,
                revision,
                path,
            } => {
                let url = format!("{}/{repo}/resolve/{revision}/{path}", self.endpoint());
                self.download(asset, &url, self.options.environment.get("HF_TOKEN"))
            }
            Source::HubDataset { .. } | Source::HubFiles { .. } => {
                let Some((repo, revision, prefix)) = asset.source.listed() else {
                    return self.find(asset);
                };
                let folder = self.folder(asset)?;
                let wants = |path: &str| path.starts_with(prefix);
                let snapshot = self.snapshot(&repo, revision, &folder, &wants)?;
                self.fetch_snapshot(&snapshot, &folder)?;
                self.find(asset)
            }
            Source::Url { url, .. } => self.download(asset, url, None),
            Source::Package { .. } => self.unpack(asset),
            Source::Local { .. } => self.find(asset),
        }
    }

    /// Downloads the file into the cache. If a part that was continued turns out wrong, it is fetched once
    /// more from the start.
    fn download(&self, asset: &Asset, url: &str, token: Option<&str>) -> Result<PathBuf, HubError> {
        let folder = self.make_folder(asset)?;
        let part = folder.join(".part");
        let download = Download {
            id: &asset.id,
            url,
            token,
            size: asset.pinned_size(),
            pinned: asset.pinned_sha256().is_some(),
            network: &self.options.network,
            cancel: &self.options.cancel,
            progress: &*self.options.progress,
        };
        let resumed = part.exists();
        download.fetch_to(&part)?;
        let first = self.install(asset, &part, &http::display_url(url));
        let result = match first {
            Err(HubError::Content { .. }) if resumed => {
                download::discard(&part);
                download.fetch_to(&part)?;
                self.install(asset, &part, &http::display_url(url))
            }
            other => other,
        };
        download::discard(&part);
        result
    }

    /// Gives a complete file its final name if it is the right one.
    pub(super) fn install(
        &self,
        asset: &Asset,
        file: &Path,
        from: &str,
    ) -> Result<PathBuf, HubError> {
        let actual = verify::sha256_of(file)?;
        let folder = self.folder(asset)?;
        match asset.pinned_sha256() {
            Some(expected) if expected != actual => {
                return Err(HubError::Content {
                    id: asset.id.clone(),
                    from: from.to_owned(),
                    got: format!("a file with SHA-256 {actual}"),
                    expected: expected.to_owned(),
                });
            }
            Some(_) => {}
            None => {
                let note = recorded_checksum(&folder);
                write_durable(&note, actual.as_bytes())?;
                self.options.progress.note(
                    &asset.id,
                    &format!(
                        "no SHA-256 is pinned for {}; recorded {actual}, which the file must have from now on",
                        platform()
                    ),
                );
            }
        }
        let target = folder.join(asset.file_name()?);
        fs::rename(file, &target).map_err(HubError::io("write", &target))?;
        // Makes the new name durable. Some systems cannot open a folder, and then there is nothing to do.
        if let Ok(opened) = File::open(&folder) {
            let _ = opened.sync_all();
        }
        self.verified(asset, target)
    }

    pub(super) fn make_folder(&self, asset: &Asset) -> Result<PathBuf, HubError> {
        let folder = self.folder(asset)?;
        fs::create_dir_all(&folder).map_err(HubError::io("make the folder", &folder))?;
        Ok(folder)
    }

    /// Waits for the lock with this name. It is released when the lock is dropped, or when its process ends.
    pub(super) fn lock(&self, id: &str, name: &str) -> Result<Lock, HubError> {
        let folder = self.cache()?.join("locks");
        fs::create_dir_all(&folder).map_err(HubError::io("make the folder", &folder))?;
        let mut noted = false;
        loop {
            match Lock::take(&folder, &format!("{name}.lock")) {
                Ok(lock) => return Ok(lock),
                Err(LockError::Held { .. }) => {}
                Err(LockError::File(error)) => return Err(error.into()),
            }
            if !noted {
                self.options
                    .progress
                    .note(id, "another process is fetching this file; waiting for it");
                noted = true;
            }
            if !http::sleep(Duration::from_millis(100), &self.options.cancel) {
                return Err(HubError::Cancelled);
            }
        }
    }
}
