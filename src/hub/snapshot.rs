//! Repositories of a model hub as folders: listed, fetched file by file, held to one commit.
//!
//! The listing of the first fetch is kept in the folder, so that a branch that moves on changes nothing and a
//! second start asks nobody. Large files have a SHA-256 in the listing and are compared with it; small ones
//! with their size.

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

/// The listing's file in a fetched folder.
const LISTING: &str = ".unigauge-snapshot.json";

/// A repository at one commit, with the files that are needed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Owner and name; that of a data set begins with `datasets/`.
    pub repo: String,
    /// As asked for: a branch or a commit.
    pub revision: String,
    /// The commit that the revision named.
    pub commit: String,
    /// The licence that the repository names.
    #[serde(default)]
    pub licence: Option<String>,
    /// In the order of the listing.
    pub files: Vec<RemoteFile>,
}

/// One file of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoteFile {
    /// Path in the repository.
    pub path: String,
    /// Bytes.
    pub size: u64,
    /// Absent for a small file.
    #[serde(default)]
    pub sha256: Option<String>,
}

impl Snapshot {
    /// The files that are not in `folder`, and their bytes together.
    pub fn absent(&self, folder: &Path) -> (Vec<&RemoteFile>, u64) {
        let files = self.files.iter().filter(|file| !file.is_in(folder));
        let files: Vec<&RemoteFile> = files.collect();
        let bytes = files.iter().map(|file| file.size).sum();
        (files, bytes)
    }
}

impl RemoteFile {
    /// Whether the file lies in `folder` with its size.
    fn is_in(&self, folder: &Path) -> bool {
        fs::metadata(folder.join(&self.path)).is_ok_and(|data| data.len() == self.size)
    }
}

/// The listing that the first fetch left in a folder.
pub(super) fn kept(folder: &Path) -> Option<Snapshot> {
    let bytes = fs::read(folder.join(LISTING)).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// What the hub answers about a repository.
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
    /// The files of a repository (a data set's name begins with `datasets/`) that `wants` takes: from the
    /// listing in `folder` where one was kept for this revision, else from the hub.
    ///
    /// # Errors
    /// When the hub cannot be asked or does not know the repository, or nothing is wanted.
    pub fn snapshot(
        &self,
        repo: &str,
        revision: &str,
        folder: &Path,
        wants: &dyn Fn(&str) -> bool,
    ) -> Result<Snapshot, HubError> {
        let mut snapshot = match kept(folder) {
            Some(kept) if kept.repo == repo && kept.revision == revision => kept,
            _ => self.ask(repo, revision, folder)?,
        };
        snapshot.files.retain(|file| wants(&file.path));
        if snapshot.files.is_empty() {
            return Err(HubError::Content {
                id: repo.into(),
                from: format!("hub {repo}@{}", snapshot.commit),
                got: "a listing without any of the files that are needed".into(),
                expected: "them".into(),
            });
        }
        Ok(snapshot)
    }

    fn ask(&self, repo: &str, revision: &str, folder: &Path) -> Result<Snapshot, HubError> {
        if self.options.offline {
            return Err(HubError::Offline {
                id: repo.into(),
                path: folder.into(),
            });
        }
        // Models are the hub's first kind: in all addresses but this one their kind is left out.
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
        // A listing is small: it needs no bar.
        self.download_of(repo, &url, None, false, &Silent)
            .fetch_to(&part)?;
        let bytes = fs::read(&part).map_err(HubError::io("read", &part))?;
        let answer: Answer = serde_json::from_slice(&bytes).map_err(|error| HubError::Content {
            id: repo.into(),
            from: display_url(&url),
            got: format!("what is no listing ({error})"),
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

    /// Fetches what is absent of a snapshot, in the listing's order.
    ///
    /// # Errors
    /// At the first file that cannot be had; what has arrived is kept and gone on with.
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

/// A path that would leave the folder is none.
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

/// Gives a complete file its name when it is the right one.
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
