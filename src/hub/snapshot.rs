//! Repositories of a model hub as folders: listed, fetched file by file, and pinned to one commit.
//!
//! The listing of the first fetch is kept in the folder. So new commits on a branch change nothing, and a
//! second start sends no request. A large file has a SHA-256 in the listing, and a fetched file is compared
//! with it. A small file is compared by its size.

use super::assets::Hub;
use super::download::{self, Download};
use super::error::HubError;
use super::options::{Progress, Silent};
use super::verify::sha256_of;
use crate::files::write_durable;
use crate::http::display_url;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};

/// Name of the file with the listing in a fetched folder.
const LISTING: &str = ".unigauge-snapshot.json";

/// A repository at one commit, with the files that are needed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The repository, as `owner/name`.
    pub repo: String,
    /// The revision that was asked for: a branch or a commit.
    pub revision: String,
    /// The commit of the listing.
    pub commit: String,
    /// The licence that the repository states.
    #[serde(default)]
    pub licence: Option<String>,
    /// The needed files.
    pub files: Vec<RemoteFile>,
}

/// One file of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoteFile {
    /// Path in the repository.
    pub path: String,
    /// In bytes.
    pub size: u64,
    /// SHA-256 in lower-case hexadecimal, for large files.
    #[serde(default)]
    pub sha256: Option<String>,
}

impl Snapshot {
    /// The files that are not in `folder`, and their total size in bytes.
    pub fn absent(&self, folder: &Path) -> (Vec<&RemoteFile>, u64) {
        let files = self.files.iter().filter(|file| !file.is_in(folder));
        let files: Vec<&RemoteFile> = files.collect();
        let bytes = files.iter().map(|file| file.size).sum();
        (files, bytes)
    }
}

impl RemoteFile {
    /// Whether the file is in `folder` with its size.
    fn is_in(&self, folder: &Path) -> bool {
        fs::metadata(folder.join(&self.path)).is_ok_and(|data| data.len() == self.size)
    }
}

/// The listing that the first fetch left in a folder.
pub(super) fn kept_listing(folder: &Path) -> Option<Snapshot> {
    let bytes = fs::read(folder.join(LISTING)).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// The hub's answer about a repository.
#[derive(Deserialize)]
struct Answer {
    sha: String,
    #[serde(default)]
    tags: Vec<String>,
    siblings: Vec<Sibling>,
}

#[derive(Deserialize)]
struct Sibling {
    rfilename: String,
    #[serde(default)]
    size: Option<u64>,
    #[serde(default)]
    lfs: Option<Lfs>,
}

#[derive(Deserialize)]
struct Lfs {
    sha256: String,
    size: u64,
}

impl Hub {
    /// The files of a repository for which `wants` is true. They come from the listing in `folder` if it has
    /// one for this revision, and otherwise from the hub. The name of a data set begins with `datasets/`.
    ///
    /// # Errors
    /// Fails if the hub cannot be reached or does not know the repository, or if no file is wanted.
    pub fn snapshot(
        &self,
        repo: &str,
        revision: &str,
        folder: &Path,
        wants: &dyn Fn(&str) -> bool,
    ) -> Result<Snapshot, HubError> {
        let mut snapshot = match kept_listing(folder) {
            Some(kept) if kept.repo == repo && kept.revision == revision => kept,
            _ => self.ask_hub(repo, revision, folder)?,
        };
        snapshot.files.retain(|file| wants(&file.path));
        if snapshot.files.is_empty() {
            return Err(HubError::Content {
                id: repo.into(),
                from: format!("hub {repo}@{}", snapshot.commit),
                got: "a listing without any of the needed files".into(),
                expected: "them".into(),
            });
        }
        Ok(snapshot)
    }

    fn ask_hub(&self, repo: &str, revision: &str, folder: &Path) -> Result<Snapshot, HubError> {
        if self.options.offline {
            return Err(HubError::Offline {
                id: repo.into(),
                path: folder.into(),
            });
        }
        // Models are the first kind of the hub: every address but this one leaves out their kind.
        let kind = if repo.starts_with("datasets/") {
            ""
        } else {
            "models/"
        };
        let url = format!(
            "{}/api/{kind}{repo}/revision/{revision}?blobs=true",
            self.endpoint()
        );
        let place = tempfile::tempdir()
            .map_err(HubError::io("make a folder in", "the temporary folder"))?;
        let part = place.path().join("listing");
        // A listing is small and needs no progress bar.
        self.download_of(repo, &url, None, false, &Silent)
            .fetch_to(&part)?;
        let bytes = fs::read(&part).map_err(HubError::io("read", &part))?;
        let answer: Answer = serde_json::from_slice(&bytes).map_err(|error| HubError::Content {
            id: repo.into(),
            from: display_url(&url),
            got: format!("something that is not a listing ({error})"),
            expected: "a listing of files".into(),
        })?;
        let licence = answer
            .tags
            .iter()
            .find_map(|tag| tag.strip_prefix("license:"));
        Ok(Snapshot {
            repo: repo.into(),
            revision: revision.into(),
            commit: answer.sha,
            licence: licence.map(str::to_owned),
            files: answer.siblings.into_iter().filter_map(file).collect(),
        })
    }

    /// Fetches the absent files of a snapshot, in the order of the listing.
    ///
    /// # Errors
    /// Fails at the first file that cannot be fetched. The files that have arrived are kept, and the next
    /// call continues with the rest.
    pub fn fetch_snapshot(&self, snapshot: &Snapshot, folder: &Path) -> Result<(), HubError> {
        let _lock = self.lock(&snapshot.repo, &snapshot.repo.replace('/', "--"))?;
        let listing = folder.join(LISTING);
        let text = serde_json::to_vec_pretty(snapshot).map_err(std::io::Error::from);
        let text = text.map_err(HubError::io("write", &listing))?;
        write_durable(&listing, &text)?;
        for file in snapshot.absent(folder).0 {
            self.fetch_file(snapshot, file, folder)?;
        }
        Ok(())
    }

    fn fetch_file(
        &self,
        snapshot: &Snapshot,
        file: &RemoteFile,
        folder: &Path,
    ) -> Result<(), HubError> {
        let path = folder.join(&file.path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(HubError::io("make the folder", parent))?;
        }
        let url = format!(
            "{}/{}/resolve/{}/{}",
            self.endpoint(),
            snapshot.repo,
            snapshot.commit,
            file.path
        );
        let name = format!("{}/{}", snapshot.repo, file.path);
        let part: PathBuf = path.with_added_extension("part");
        let progress = &*self.options.progress;
        let result = self
            .download_of(
                &name,
                &url,
                Some(file.size),
                file.sha256.is_some(),
                progress,
            )
            .fetch_to(&part)
            .and_then(|()| install(file, &name, &part, &path, &url));
        progress.end(&name);
        result
    }

    fn download_of<'a>(
        &'a self,
        id: &'a str,
        url: &'a str,
        size: Option<u64>,
        pinned: bool,
        progress: &'a dyn Progress,
    ) -> Download<'a> {
        Download {
            id,
            url,
            token: self.options.environment.get("HF_TOKEN"),
            size,
            pinned,
            network: &self.options.network,
            cancel: &self.options.cancel,
            progress,
        }
    }
}

/// The file of an entry. A path that leads out of the folder gives `None`.
fn file(sibling: Sibling) -> Option<RemoteFile> {
    let inside = Path::new(&sibling.rfilename)
        .components()
        .all(|part| matches!(part, std::path::Component::Normal(_)));
    let (size, sha256) = match sibling.lfs {
        Some(lfs) => (lfs.size, Some(lfs.sha256)),
        None => (sibling.size?, None),
    };
    inside.then_some(RemoteFile {
        path: sibling.rfilename,
        size,
        sha256,
    })
}

/// Gives a complete file its final name if it is the right one.
fn install(
    file: &RemoteFile,
    name: &str,
    part: &Path,
    path: &Path,
    url: &str,
) -> Result<(), HubError> {
    let size = fs::metadata(part)
        .map_err(HubError::io("read", part))?
        .len();
    let wrong = if size != file.size {
        Some((format!("{size} bytes"), format!("{} bytes", file.size)))
    } else {
        match &file.sha256 {
            Some(expected) => {
                let actual = sha256_of(part)?;
                (actual != *expected)
                    .then(|| (format!("SHA-256 {actual}"), format!("SHA-256 {expected}")))
            }
            None => None,
        }
    };
    if let Some((got, expected)) = wrong {
        download::discard(part);
        return Err(HubError::Content {
            id: name.into(),
            from: display_url(url),
            got,
            expected,
        });
    }
    fs::rename(part, path).map_err(HubError::io("write", path))?;
    download::discard(part);
    Ok(())
}
