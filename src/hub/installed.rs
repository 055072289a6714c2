//! Files of Python packages that are installed on this machine already.

use super::assets::Hub;
use super::environment::Environment;
use super::table::{Asset, Source};
use std::fs;
use std::path::{Path, PathBuf};

impl Hub {
    /// The file of an asset in a package that a Python environment has. Only a file with the pinned checksum
    /// counts, so another version of the package does not.
    pub(super) fn installed(&self, asset: &Asset) -> Option<PathBuf> {
        let Source::Package { file, .. } = &asset.source else {
            return None;
        };
        asset.pinned_sha256()?;
        let member = asset.member(file).ok()?;
        let folders = package_folders(&self.options.environment).into_iter();
        let mut files = folders
            .map(|folder| folder.join(member))
            .filter(|path| path.is_file());
        files.find_map(|path| self.verified(asset, path).ok())
    }

    /// Says that a file of an installed package is used, once for each asset.
    pub(super) fn tell_installed(&self, asset: &Asset, path: &Path) {
        if !matches!(asset.source, Source::Package { .. }) {
            return;
        }
        let folders = package_folders(&self.options.environment);
        if !folders.iter().any(|folder| path.starts_with(folder)) {
            return;
        }
        let is_new = (self.told.lock()).is_ok_and(|mut told| told.insert(asset.id.clone()));
        if is_new {
            let note = format!("using {} of the installed package", path.display());
            self.options.progress.note(&asset.id, &note);
        }
    }
}

/// The folders with the packages of the Python that `UNIGAUGE_PYTHON` names, of the active virtual
/// environment, and of the one that this program is installed in.
fn package_folders(environment: &Environment) -> Vec<PathBuf> {
    let chosen = environment.get("UNIGAUGE_PYTHON");
    let chosen = chosen.and_then(|python| program_path(python, environment));
    let active = environment.get("VIRTUAL_ENV").map(PathBuf::from);
    let own = std::env::current_exe().ok();
    let own = own.as_deref().and_then(prefix);
    let own = own.filter(|prefix| prefix.join("pyvenv.cfg").is_file());
    let mut folders = Vec::new();
    for prefix in [chosen.as_deref().and_then(prefix), active, own]
        .into_iter()
        .flatten()
    {
        for folder in folders_below(&prefix) {
            if !folders.contains(&folder) {
                folders.push(folder);
            }
        }
    }
    folders
}

/// The folder that has the folder with a program: that of `bin/python` or `Scripts\python.exe`.
fn prefix(program: &Path) -> Option<PathBuf> {
    Some(program.parent()?.parent()?.to_owned())
}

/// The path of a program, which is sought on the PATH if it is only a name.
fn program_path(program: &str, environment: &Environment) -> Option<PathBuf> {
    let path = PathBuf::from(program);
    if path.components().count() > 1 {
        return Some(path);
    }
    let folders = std::env::split_paths(environment.get("PATH")?);
    folders
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
}

/// The folders of packages below the prefix of a Python, as Unix, Debian and Windows have them.
fn folders_below(prefix: &Path) -> Vec<PathBuf> {
    let mut folders = vec![prefix.join("Lib").join("site-packages")];
    for library in ["lib", "lib64", "local/lib"] {
        let entries = fs::read_dir(prefix.join(library)).into_iter().flatten();
        let mut versions: Vec<PathBuf> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| {
                let name = path.file_name().and_then(|name| name.to_str());
                name.is_some_and(|name| name.starts_with("python3"))
            })
            .collect();
        versions.sort();
        for version in versions {
            folders.extend(["site-packages", "dist-packages"].map(|name| version.join(name)));
        }
    }
    folders.retain(|folder| folder.is_dir());
    folders
}
