//! Requests to a store. Callers wait for them; several files are on their way at the same time.

use super::address::{Address, Service};
use super::error::SyncError;
use super::listed::{Listed, write_copy};
use crate::files::FileError;
use crate::http::client::provide_cryptography;
use crate::run::RunFolder;
use bytes::Bytes;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use object_store::aws::AmazonS3Builder;
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::{
    Error, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload, RetryConfig, UpdateVersion,
};
use std::fmt;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::runtime::Runtime;

/// How many files are on their way at the same time.
const TOGETHER: usize = 16;
/// How long a request is tried again.
const PATIENCE: Duration = Duration::from_secs(60);

/// A place in an object store. Copies share their connections.
#[derive(Clone)]
pub struct Store {
    objects: Arc<dyn ObjectStore>,
    runtime: Arc<Runtime>,
    at: Address,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.at)
    }
}

/// An object with what identifies this state of it.
#[derive(Debug)]
pub(super) struct Content {
    pub bytes: Bytes,
    pub version: UpdateVersion,
    pub modified: SystemTime,
}

impl Store {
    /// Opens a place. Who may do so is told by environment variables alone. No request is sent.
    ///
    /// # Errors
    /// Fails if a variable has no meaning, or one is missing.
    pub fn open(at: &Address) -> Result<Self, SyncError> {
        provide_cryptography();
        let retry = RetryConfig {
            retry_timeout: PATIENCE,
            ..RetryConfig::default()
        };
        let bucket = at.bucket.as_str();
        let built: Result<Arc<dyn ObjectStore>, Error> = match at.service {
            Service::S3 => s3_of_environment()
                .with_bucket_name(bucket)
                .with_retry(retry)
                .build()
                .map(|store| Arc::new(store) as _),
            Service::Google => GoogleCloudStorageBuilder::from_env()
                .with_bucket_name(bucket)
                .with_retry(retry)
                .build()
                .map(|store| Arc::new(store) as _),
            Service::Azure => MicrosoftAzureBuilder::from_env()
                .with_container_name(bucket)
                .with_retry(retry)
                .build()
                .map(|store| Arc::new(store) as _),
        };
        Self::with(built.map_err(SyncError::of_request("open", at))?, at)
    }

    pub(super) fn with(objects: Arc<dyn ObjectStore>, at: &Address) -> Result<Self, SyncError> {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(2).enable_all().build();
        let failed = FileError::of_action("cannot start threads for", Path::new("."));
        Ok(Self {
            objects,
            runtime: Arc::new(runtime.map_err(failed)?),
            at: at.clone(),
        })
    }

    /// The place.
    pub fn address(&self) -> &Address {
        &self.at
    }

    /// The place below this one.
    ///
    /// # Errors
    /// Fails if a part of the name has no form as an object's name.
    pub fn below(&self, relative: &str) -> Result<Self, SyncError> {
        Ok(Self {
            at: self.at.below(relative)?,
            ..self.clone()
        })
    }

    fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// The object's full name, and what an error calls it.
    fn object(&self, name: &str) -> Result<Address, SyncError> {
        self.at.below(name)
    }

    /// All objects below this place, by their names from here, sorted.
    ///
    /// # Errors
    /// Fails if the store refuses.
    pub(super) fn list(&self) -> Result<Vec<Listed>, SyncError> {
        let prefix = (!self.at.prefix.is_root()).then_some(&self.at.prefix);
        let listed = self.objects.list(prefix).try_collect::<Vec<_>>();
        let listed = self
            .wait(listed)
            .map_err(SyncError::of_request("list", &self.at))?;
        let mut found: Vec<Listed> = listed
            .into_iter()
            .filter_map(|about| {
                let parts = about.location.prefix_match(&self.at.prefix)?;
                let parts: Vec<String> = parts.map(|part| part.as_ref().to_owned()).collect();
                (!parts.is_empty()).then(|| Listed {
                    name: parts.join("/"),
                    size: about.size,
                    modified: about.last_modified.into(),
                })
            })
            .collect();
        found.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(found)
    }

    /// The runs below this place, or the one that is here: their places, and their names as those of folders,
    /// `SUITE/MODEL/RUN`.
    ///
    /// # Errors
    /// Fails if the store refuses, or there is no run.
    pub fn runs(&self) -> Result<Vec<(Self, String)>, SyncError> {
        let mut runs = Vec::new();
        for listed in self.list()? {
            let parent = match listed.name.rsplit_once('/') {
                Some((parent, "manifest.json")) => parent,
                None if listed.name == "manifest.json" => "",
                _ => continue,
            };
            let place = self.below(parent)?;
            let name = place.at.last_parts(3).join("/");
            runs.push((place, name));
        }
        if runs.is_empty() {
            return Err(SyncError::NoRun {
                at: self.at.to_string(),
            });
        }
        Ok(runs)
    }

    /// Fetches what says into how many shards a run is divided, if it is there.
    ///
    /// # Errors
    /// Fails if the store refuses, or the file cannot be written.
    pub fn fetch_division(&self, folder: &RunFolder) -> Result<(), SyncError> {
        let name = "division.json";
        if let Some(content) = self.get(name)? {
            write_copy(&folder.root().join(name), &content.bytes, content.modified)?;
        }
        Ok(())
    }

    /// Reads an object. `None` if there is none.
    ///
    /// # Errors
    /// Fails if the store refuses.
    pub(super) fn get(&self, name: &str) -> Result<Option<Content>, SyncError> {
        let at = self.object(name)?;
        self.wait(read(self.objects.as_ref(), &at))
    }

    /// Writes an object that is not there yet. `None` if it is.
    ///
    /// # Errors
    /// Fails if the store refuses.
    pub(super) fn create(
        &self,
        name: &str,
        bytes: &[u8],
    ) -> Result<Option<UpdateVersion>, SyncError> {
        self.put_if(name, bytes, PutMode::Create)
    }

    /// Writes an object anew, if it is still in the known state. `None` if somebody else wrote or removed it.
    ///
    /// # Errors
    /// Fails if the store refuses.
    pub(super) fn replace(
        &self,
        name: &str,
        bytes: &[u8],
        known: &UpdateVersion,
    ) -> Result<Option<UpdateVersion>, SyncError> {
        self.put_if(name, bytes, PutMode::Update(known.clone()))
    }

    fn put_if(
        &self,
        name: &str,
        bytes: &[u8],
        mode: PutMode,
    ) -> Result<Option<UpdateVersion>, SyncError> {
        let at = self.object(name)?;
        let payload = PutPayload::from(bytes.to_vec());
        let put = self
            .objects
            .put_opts(&at.prefix, payload, PutOptions::from(mode));
        match self.wait(put) {
            Ok(put) => Ok(Some(UpdateVersion {
                e_tag: put.e_tag,
                version: put.version,
            })),
            Err(
                Error::AlreadyExists { .. } | Error::Precondition { .. } | Error::NotFound { .. },
            ) => Ok(None),
            Err(error) => Err(SyncError::of_request("write", &at)(error)),
        }
    }

    /// Writes objects, several at the same time.
    ///
    /// # Errors
    /// Fails if the store refuses one of them. Others may be written then.
    pub(super) fn put_all(&self, objects: Vec<(String, Source)>) -> Result<(), SyncError> {
        let each = objects.into_iter().map(|(name, source)| async move {
            let at = self.object(&name)?;
            let bytes = source.read().await?;
            let put = self.objects.put(&at.prefix, PutPayload::from(bytes));
            put.await.map_err(SyncError::of_request("write", &at))?;
            Ok::<(), SyncError>(())
        });
        self.wait(stream::iter(each).buffer_unordered(TOGETHER).try_collect())
    }

    /// Reads objects into files, several at the same time. An object that is gone is left out.
    ///
    /// # Errors
    /// Fails if the store refuses one of them, or a file cannot be written.
    pub(super) fn get_all(&self, objects: Vec<(Listed, PathBuf)>) -> Result<(), SyncError> {
        let each = objects.into_iter().map(|(listed, path)| async move {
            let Listed { name, modified, .. } = listed;
            let at = self.object(&name)?;
            let Some(content) = read(self.objects.as_ref(), &at).await? else {
                return Ok(());
            };
            let written =
                tokio::task::spawn_blocking(move || write_copy(&path, &content.bytes, modified));
            written
                .await
                .map_err(|error| SyncError::name(&name, error))??;
            Ok::<(), SyncError>(())
        });
        self.wait(stream::iter(each).buffer_unordered(TOGETHER).try_collect())
    }
}

/// What an object gets.
#[derive(Debug)]
pub(super) enum Source {
    /// These bytes.
    Bytes(Vec<u8>),
    /// The content of a file.
    File(PathBuf),
}

impl Source {
    async fn read(self) -> Result<Vec<u8>, SyncError> {
        let path = match self {
            Self::Bytes(bytes) => return Ok(bytes),
            Self::File(path) => path,
        };
        let name = path.display().to_string();
        let read = tokio::task::spawn_blocking(move || {
            std::fs::read(&path).map_err(FileError::of_action("cannot read", &path))
        });
        let bytes = read.await.map_err(|error| SyncError::name(&name, error))?;
        Ok(bytes?)
    }
}

async fn read(objects: &dyn ObjectStore, at: &Address) -> Result<Option<Content>, SyncError> {
    let failed = SyncError::of_request("read", at);
    let found = match objects.get(&at.prefix).await {
        Ok(found) => found,
        Err(Error::NotFound { .. }) => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let about = found.meta.clone();
    Ok(Some(Content {
        bytes: found.bytes().await.map_err(failed)?,
        version: UpdateVersion {
            e_tag: about.e_tag,
            version: about.version,
        },
        modified: about.last_modified.into(),
    }))
}

/// Amazon's service, or another server. One that the user gives as `http://` is spoken to without TLS.
fn s3_of_environment() -> AmazonS3Builder {
    let endpoint = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok());
    let builder = AmazonS3Builder::from_env();
    match endpoint {
        Some(endpoint) if endpoint.starts_with("http://") => builder.with_allow_http(true),
        _ => builder,
    }
}
