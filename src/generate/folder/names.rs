//! The files of a folder by their names without extension. Each sub-folder is listed once.

use crate::paths::{as_spelled, composed};
use std::collections::HashMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// The extensions of pictures. Of several pictures with one name, that with the first extension is used.
pub(super) const EXTENSIONS: [&str; 11] = [
    "png", "jpg", "jpeg", "webp", "gif", "bmp", "tiff", "tif", "jfif", "jpe", "apng",
];

/// Extensions of files that may be meant as pictures but are not read.
const OTHERS: [&str; 14] = [
    "", "avif", "heic", "heif", "jxl", "jp2", "ppm", "pgm", "pnm", "tga", "exr", "svg", "psd",
    "dib",
];

/// The names in a folder and below it.
#[derive(Debug, Clone)]
pub(super) struct Names {
    root: PathBuf,
    /// The listings, by the path of the sub-folder below the root.
    listed: Arc<Mutex<HashMap<PathBuf, Arc<Listing>>>>,
}

/// The files of one folder.
#[derive(Debug, Default)]
struct Listing {
    /// The path below the root, as the file system spells it.
    folder: PathBuf,
    /// The names of pictures, by their stems in composed form.
    pictures: HashMap<String, Vec<String>>,
    /// The names of other files, by their stems in composed form.
    others: HashMap<String, String>,
}

impl Names {
    /// The names below a folder, which is not listed yet.
    pub(super) fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            listed: Arc::default(),
        }
    }

    /// The pictures with a name, relative to the root, with the one to use first. `stem` is a path without
    /// extension.
    pub(super) fn pictures(&self, stem: &Path) -> Vec<PathBuf> {
        let Some((listing, name)) = self.listing_and_name(stem) else {
            return Vec::new();
        };
        let mut names = listing
            .pictures
            .get(&*composed(name))
            .cloned()
            .unwrap_or_default();
        names.sort_by_key(|there| (!there.starts_with(name), order(there)));
        self.files(&listing, names)
    }

    /// All pictures of a sub-folder. Of those with one stem, the one to use comes first.
    pub(super) fn pictures_in(&self, folder: &Path) -> Vec<PathBuf> {
        let Some(listing) = self.listing(folder) else {
            return Vec::new();
        };
        let mut names: Vec<String> = listing.pictures.values().flatten().cloned().collect();
        names.sort_by_key(|name| order(name));
        self.files(&listing, names)
    }

    /// A file with this name whose extension is not that of a picture.
    pub(super) fn beside(&self, stem: &Path) -> Option<PathBuf> {
        let (listing, name) = self.listing_and_name(stem)?;
        let other = listing.others.get(&*composed(name))?;
        Some(listing.folder.join(other))
    }

    fn listing_and_name<'a>(&self, stem: &'a Path) -> Option<(Arc<Listing>, &'a str)> {
        let name = stem.file_name()?.to_str()?;
        let folder = stem.parent().unwrap_or(Path::new(""));
        Some((self.listing(folder)?, name))
    }

    /// Removes names that are not files. A link that leads nowhere stays, since it must be reported.
    fn files(&self, listing: &Listing, names: Vec<String>) -> Vec<PathBuf> {
        let paths = names.into_iter().map(|name| listing.folder.join(name));
        let file = |path: &PathBuf| {
            let path = self.root.join(path);
            path.metadata().map_or(true, |data| data.is_file())
        };
        paths.filter(file).collect()
    }

    fn listing(&self, folder: &Path) -> Option<Arc<Listing>> {
        let mut listed = self.listed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = listed.get(folder) {
            return Some(known.clone());
        }
        let listing = Arc::new(self.read(as_spelled(&self.root, folder)?)?);
        listed.insert(folder.to_owned(), listing.clone());
        Some(listing)
    }

    fn read(&self, folder: PathBuf) -> Option<Listing> {
        let entries = std::fs::read_dir(self.root.join(&folder)).ok()?;
        let mut listing = Listing {
            folder,
            ..Listing::default()
        };
        let names = entries.flatten().map(|entry| entry.file_name());
        for name in names.filter_map(|name| name.into_string().ok()) {
            let (stem, extension) = name.rsplit_once('.').unwrap_or((&name, ""));
            let stem = composed(stem).into_owned();
            if extension_rank(extension).is_some() {
                listing.pictures.entry(stem).or_default().push(name);
            } else if OTHERS
                .iter()
                .any(|other| other.eq_ignore_ascii_case(extension))
            {
                listing.others.insert(stem, name);
            }
        }
        Some(listing)
    }
}

/// Whether a file has the extension of a picture.
pub(super) fn is_picture(path: &Path) -> bool {
    let extension = path.extension().and_then(OsStr::to_str);
    extension.and_then(extension_rank).is_some()
}

/// The index of an extension in [`EXTENSIONS`].
fn extension_rank(extension: &str) -> Option<usize> {
    EXTENSIONS
        .iter()
        .position(|known| known.eq_ignore_ascii_case(extension))
}

/// The rank of a name among pictures of one stem: by the extension, with small letters before capitals.
fn order(name: &str) -> (usize, bool, String) {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let capitals = extension.contains(|c: char| c.is_ascii_uppercase());
    (
        extension_rank(extension).unwrap_or(EXTENSIONS.len()),
        capitals,
        name.to_owned(),
    )
}
