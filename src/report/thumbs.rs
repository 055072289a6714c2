//! Small pictures of a page: files beside it that later reports use again, or data inside it.

use super::error::ReportError;
use super::folder::{PageFolder, THUMBS};
use crate::files::sha256_hex;
use crate::image::{decode_bytes, read_file, thumbnail};
use base64::Engine;
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::UNIX_EPOCH;

/// Where the small pictures of a page are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Files in `thumbs/`.
    Beside,
    /// `data:` URIs.
    Inside,
}

/// A small picture, and the size of the picture that it was made from.
#[derive(Debug, Clone)]
pub(crate) struct Thumb {
    /// The address in the page.
    pub src: String,
    /// Pixels of the original, upright as the observers saw it.
    pub width: u32,
    /// The height of the original, in pixels.
    pub height: u32,
    /// Whether an earlier report made it.
    pub kept: bool,
}

/// A picture as a page shows it.
#[derive(Debug, Clone)]
pub(crate) struct Pictured {
    /// The address of the original. `None` if a link cannot name it, and in a page that is alone.
    pub link: Option<String>,
    /// The small picture, or a sentence that says why there is none.
    pub thumb: Result<Thumb, String>,
}

/// Raised when the same picture gets another thumbnail, so that those of earlier programs are not used.
const VERSION: u32 = 1;
/// Hexadecimal digits of a key.
const KEY: usize = 24;

/// The small pictures of one page. Several threads can ask it at the same time.
pub(crate) struct Thumbs<'a> {
    folder: &'a PageFolder,
    side: u32,
    place: Place,
    /// The names of the files that are there, by key.
    known: HashMap<String, String>,
    used: Mutex<HashSet<String>>,
}

impl<'a> Thumbs<'a> {
    /// Small pictures whose longer side has at most `side` pixels.
    pub(crate) fn new(folder: &'a PageFolder, side: u32, place: Place) -> Self {
        let names = folder.names(THUMBS.0).into_iter();
        let keyed = names.filter_map(|name| Some((name.get(..KEY)?.to_owned(), name)));
        Self {
            folder,
            side,
            place,
            known: keyed.collect(),
            used: Mutex::default(),
        }
    }

    /// The picture of a file as the page shows it. A picture that cannot be decoded is no error.
    ///
    /// # Errors
    /// Fails if the thumbnail cannot be written or read again.
    pub(crate) fn pictured(&self, path: &Path) -> Result<Pictured, ReportError> {
        let link = self.folder.link(path);
        let key = self.key(path, link.as_deref());
        let kept = key.as_ref().and_then(|key| self.kept(key));
        let thumb = match (kept, key) {
            (Some(thumb), _) => Ok(thumb),
            (None, Some(key)) => match small_jpeg(path, self.side) {
                Ok(made) => Ok(self.place(&key, &made)?),
                Err(problem) => Err(problem),
            },
            // The file is not there, or its folder cannot be looked into. Reading says which.
            (None, None) => match small_jpeg(path, self.side) {
                Ok(_) => Err("the picture's file cannot be looked at".to_owned()),
                Err(problem) => Err(problem),
            },
        };
        let link = link.filter(|_| self.place == Place::Beside);
        Ok(Pictured { link, thumb })
    }

    /// The files that the page needs, relative to its folder.
    pub(crate) fn into_used(self) -> HashSet<String> {
        self.used
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// What tells a thumbnail from all others: the picture's place relative to the page, the length and time
    /// of its file, and the size. `None` if the file cannot be looked at.
    fn key(&self, path: &Path, link: Option<&str>) -> Option<String> {
        let file = std::fs::metadata(path).ok()?;
        let changed = file.modified().ok()?;
        let changed = changed.duration_since(UNIX_EPOCH).map_or_else(
            |before| format!("-{}", before.duration().as_nanos()),
            |after| after.as_nanos().to_string(),
        );
        let (length, side) = (file.len(), self.side);
        let place = link.map_or_else(|| path.display().to_string(), str::to_owned);
        let mut key = sha256_hex(format!("{VERSION} {side} {length} {changed} {place}"));
        key.truncate(KEY);
        Some(key)
    }

    /// The thumbnail that an earlier report made.
    fn kept(&self, key: &str) -> Option<Thumb> {
        let name = self.known.get(key)?;
        let (width, height) = size_in(name)?;
        let path = format!("{}/{name}", THUMBS.0);
        // A crash of the machine may have left a file without content.
        if self.folder.length(&path) == 0 {
            return None;
        }
        let src = match self.place {
            Place::Beside => path.clone(),
            Place::Inside => data_uri(&std::fs::read(self.folder.path(&path)).ok()?),
        };
        self.note(path);
        Some(Thumb {
            src,
            width,
            height,
            kept: true,
        })
    }

    /// Puts a new thumbnail where the page has it.
    fn place(&self, key: &str, made: &Small) -> Result<Thumb, ReportError> {
        let (width, height) = (made.width, made.height);
        let src = match self.place {
            Place::Inside => data_uri(&made.jpeg),
            Place::Beside => {
                let path = format!("{}/{key}-{width}x{height}{}", THUMBS.0, THUMBS.1);
                self.folder.add(&path, &made.jpeg)?;
                self.note(path.clone());
                path
            }
        };
        Ok(Thumb {
            src,
            width,
            height,
            kept: false,
        })
    }

    fn note(&self, path: String) {
        if self.place == Place::Beside {
            let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
            used.insert(path);
        }
    }
}

/// The size of the original in the name of a thumbnail, `KEY-WIDTHxHEIGHT.jpg`.
fn size_in(name: &str) -> Option<(u32, u32)> {
    let size = name.get(KEY..)?.strip_prefix('-')?;
    let (width, height) = size.strip_suffix(THUMBS.1)?.split_once('x')?;
    Some((width.parse().ok()?, height.parse().ok()?))
}

fn data_uri(jpeg: &[u8]) -> String {
    let mut uri = "data:image/jpeg;base64,".to_owned();
    base64::engine::general_purpose::STANDARD.encode_string(jpeg, &mut uri);
    uri
}

/// A small JPEG and the size of the picture it was made from.
struct Small {
    jpeg: Vec<u8>,
    width: u32,
    height: u32,
}

/// Shrinks a picture. Transparency becomes white. Where that fails, a sentence for the card says why.
fn small_jpeg(path: &Path, side: u32) -> Result<Small, String> {
    let bytes =
        read_file(path).map_err(|error| format!("the picture's file cannot be read: {error}"))?;
    let picture = decode_bytes(&bytes, &path.display().to_string())
        .map_err(|error| format!("the picture cannot be decoded: {error}"))?
        .rgb;
    let jpeg = thumbnail(&picture, side).map_err(|error| error.to_string())?;
    Ok(Small {
        jpeg,
        width: picture.width(),
        height: picture.height(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_the_size_of_the_original() {
        let key = "0123456789abcdef01234567";
        assert_eq!(size_in(&format!("{key}-1024x768.jpg")), Some((1024, 768)));
        for other in [
            "000017-320.jpg",
            "-1x1.jpg",
            "0123456789abcdef01234567-320.jpg",
        ] {
            assert_eq!(size_in(other), None, "{other}");
        }
    }

    #[test]
    fn a_thumbnail_is_kept_until_its_picture_changes() {
        let folder = tempfile::tempdir().unwrap();
        let picture = folder.path().join("outputs/a.png");
        std::fs::create_dir(folder.path().join("outputs")).unwrap();
        image::RgbImage::new(90, 70).save(&picture).unwrap();
        let made = || {
            let page = PageFolder::open(&folder.path().join("report")).unwrap();
            let thumbs = Thumbs::new(&page, 40, Place::Beside);
            let shown = thumbs.pictured(&picture).unwrap();
            assert_eq!(shown.link.as_deref(), Some("../outputs/a.png"));
            let used = thumbs.into_used();
            page.finish("", &used).unwrap();
            shown.thumb.unwrap()
        };
        let first = made();
        assert!(!first.kept && (first.width, first.height) == (90, 70));
        let again = made();
        assert!(again.kept && again.src == first.src, "{again:?}");
        image::RgbImage::new(80, 70).save(&picture).unwrap();
        let other = made();
        assert!(!other.kept && other.src != first.src && other.width == 80);
        let there = |thumb: &Thumb| folder.path().join("report").join(&thumb.src).is_file();
        assert!(there(&other) && !there(&first));
    }
}
