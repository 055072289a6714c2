//! Finds an asset on this machine, and compares it with its checksum.

use super::assets::Hub;
use super::error::HubError;
use super::snapshot;
use super::table::{Asset, Source};
use super::verify::{self, Memory};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

impl Hub {
    /// The folder of the asset in the cache. A new revision has a new folder.
    pub(super) fn folder(&self, asset: &Asset) -> Result<PathBuf, HubError> {
        let key = match asset.pinned_sha256() {
            Some(sha256) => sha256.chars().take(12).collect(),
            None => {
                let revision: String = asset
                    .source
                    .revision()
                    .chars()
                    .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
                    .collect();
                format!("unpinned-{revision}")
            }
        };
        Ok(self.cache()?.join("assets").join(&asset.id).join(key))
    }

    /// Looks for the asset in the order that the documentation of the module `hub` gives.
    pub(super) fn find(&self, asset: &Asset) -> Result<PathBuf, HubError> {
        if let Some(path) = self.options.environment.asset_override(&asset.id) {
            return self.verified(asset, path);
        }
        if let Source::Local { path } = &asset.source {
            return if path.exists() {
                self.verified(asset, path.clone())
            } else {
                Err(HubError::NotUnpacked {
                    id: asset.id.clone(),
                    path: path.clone(),
                })
            };
        }
        if let Some((repo, _, prefix)) = asset.source.listed() {
            return self.listed(asset, &repo, prefix);
        }
        let file_name = asset.file_name()?;
        let cached = self.folder(asset).map(|folder| folder.join(file_name));
        if let Ok(cached) = &cached
            && cached.is_file()
        {
            return self.verified(asset, cached.clone());
        }
        if let (Some(folder), Some(_)) = (
            self.options.environment.get("UNIGAUGE_DATA"),
            asset.pinned_sha256(),
        ) {
            let mut candidates = Vec::new();
            find_by_name(Path::new(folder), file_name, 3, &mut candidates);
            for path in candidates {
                if let Ok(path) = self.verified(asset, path) {
                    return Ok(path);
                }
            }
        }
        if let Some(path) = self.installed(asset) {
            return Ok(path);
        }
        Err(HubError::Absent {
            id: asset.id.clone(),
            path: cached?,
        })
    }

    /// The folder of fetched files, if all files of its listing are there.
    fn listed(&self, asset: &Asset, repo: &str, prefix: &str) -> Result<PathBuf, HubError> {
        let folder = self.folder(asset)?;
        let below = prefix.rsplit_once('/').map_or("", |(below, _)| below);
        let kept = snapshot::kept_listing(&folder).filter(|kept| kept.repo == repo);
        match kept {
            Some(kept) if kept.absent(&folder).0.is_empty() => Ok(folder.join(below)),
            _ => Err(HubError::Absent {
                id: asset.id.clone(),
                path: folder.join(below),
            }),
        }
    }

    /// Compares the file with the pinned checksum, or with the checksum that the first fetch recorded.
    pub(super) fn verified(&self, asset: &Asset, path: PathBuf) -> Result<PathBuf, HubError> {
        // Without a cache, the file is read each time.
        let folder = self.folder(asset).ok();
        let expected = match (asset.pinned_sha256(), &folder) {
            (Some(pinned), _) => Some(pinned.to_owned()),
            (None, Some(folder)) if path.starts_with(folder) => {
                fs::read_to_string(recorded_checksum(folder)).ok()
            }
            (None, _) => None,
        };
        let Some(expected) = expected else {
            // There is nothing to compare with, but the file must be readable.
            File::open(&path).map_err(HubError::io("open", &path))?;
            return Ok(path);
        };
        let actual = match folder {
            Some(folder) => Memory::in_folder(&folder).sha256(&path)?,
            None => verify::sha256_of(&path)?,
        };
        if actual == expected.trim() {
            return Ok(path);
        }
        Err(HubError::Checksum {
            id: asset.id.clone(),
            path,
            expected: expected.trim().to_owned(),
            actual,
        })
    }
}

/// The file that keeps the checksum of the first fetch, for an asset without a pinned checksum.
pub(super) fn recorded_checksum(folder: &Path) -> PathBuf {
    folder.join(".sha256")
}

/// The files with this name in `folder` and `depth - 1` levels below it, sorted by path. Links are followed.
fn find_by_name(folder: &Path, name: &str, depth: usize, found: &mut Vec<PathBuf>) {
    let direct = folder.join(name);
    if direct.is_file() {
        found.push(direct);
    }
    if depth <= 1 {
        return;
    }
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    let mut folders: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    for below in folders {
        find_by_name(&below, name, depth - 1, found);
    }
}
