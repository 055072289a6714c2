//! The `folder` generator: answers with finished pictures from elsewhere in an official layout, byte for
//! byte.

mod inventory;
mod names;
mod tile;

pub use inventory::Inventory;

use super::error::{BuildError, GenerateError};
use super::generator::{Answer, Generated, Generator, Request};
use super::kind::{Resources, SimpleGenerator};
use crate::cancel::Cancel;
use crate::image as decode;
use crate::layout::{Layout, Search, Sheet};
use crate::paths::{self, Bounds};
use crate::record::{Item, add_note};
use names::{Names, is_picture};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};
use tile::Tile;

/// Settings of the `folder` generator.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FolderSettings {
    /// The folder with the pictures; `~` is the home folder. The extensions are `png`, `apng`, `jpg`, `jpeg`,
    /// `jfif`, `jpe`, `webp`, `gif`, `bmp`, `tiff` and `tif`, in small letters or capitals. The bytes decide
    /// the format.
    pub path: PathBuf,
    /// How the pictures are named: one of the official layouts, or `flat` (`{item}.png`,
    /// `{item}_{repeat}.png`). Default `flat`.
    #[serde(default)]
    pub layout: Layout,
    /// `dpg`: side of one tile in pixels. Default: half of the side of the picture, which must then be a
    /// square, or the whole picture if `pic_num = 1`.
    #[serde(default)]
    pub resolution: Option<u32>,
    /// `dpg`: number of pictures of a grid that are used, 1 to 4, in the order top left, top right, bottom
    /// left, bottom right. Default 4.
    #[serde(default = "four")]
    pub pic_num: u32,
    /// `oneig`: number of columns and rows of a grid. Default `[2, 2]`.
    #[serde(default = "two_by_two")]
    pub grid: [u32; 2],
    /// Whether links that lead out of the folder are followed. Links within the folder, and links in a model
    /// hub's cache into the `blobs` of the same repository, are always followed. Default false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub follow_links: bool,
}

fn two_by_two() -> [u32; 2] {
    [2, 2]
}

fn four() -> u32 {
    4
}

/// Why a folder cannot be used.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum FolderError {
    /// The folder cannot be read.
    #[error("folder generator: `path` = {}: {reason}", path.display())]
    #[diagnostic(help("give the folder with the pictures"))]
    Path {
        /// Path of the folder.
        path: PathBuf,

        /// The reason, in words.
        reason: String,
    },
    /// The number of pictures in a grid is impossible.
    #[error("folder generator: `pic_num` = {found}, expected 1 to 4")]
    #[diagnostic(help("a DPG-Bench grid has four pictures"))]
    PicNum {
        /// The value in the settings.
        found: u32,
    },
    /// The side of a tile is zero.
    #[error("folder generator: `resolution` = 0, expected the side of one tile in pixels")]
    Resolution,
    /// The shape of a grid is impossible.
    #[error("folder generator: `grid` = {found:?}, expected columns and rows, 1 to 16 of each")]
    #[diagnostic(help("OneIG-Bench's own script makes grids of [2, 2]"))]
    Grid {
        /// The value in the settings.
        found: [u32; 2],
    },
}

/// A folder of pictures that was opened.
#[derive(Debug, Clone)]
pub struct Folder {
    settings: FolderSettings,
    /// The path of the folder without symbolic links.
    root: PathBuf,
    bounds: Bounds,
    names: Names,
}

impl SimpleGenerator for Folder {
    const NAME: &'static str = "folder";
    const ABOUT: &'static str =
        "answers with finished pictures from elsewhere in an official layout";
    type Settings = FolderSettings;

    fn open(settings: FolderSettings, _: &Resources) -> Result<Self, BuildError> {
        Self::open(settings).map_err(BuildError::own)
    }
}

/// Where the picture of an output is, or where it was expected.
enum Place {
    Found(Picture),
    Missing {
        /// Where it was expected.
        path: PathBuf,
        /// A file with that name whose extension is not that of a picture.
        beside: Option<PathBuf>,
    },
    Refused {
        kind: &'static str,
        reason: String,
    },
}

impl Place {
    fn is_found(&self) -> bool {
        matches!(self, Self::Found(_))
    }
}

/// A picture with the name of an output.
struct Picture {
    /// Relative to the root.
    path: PathBuf,
    /// The file itself, without links.
    real: PathBuf,
    /// Other pictures with the same name.
    others: Vec<PathBuf>,
}

impl Folder {
    /// # Errors
    /// Fails if the path is not a readable folder or a setting is out of range.
    pub fn open(settings: FolderSettings) -> Result<Self, FolderError> {
        let error = |reason: String| FolderError::Path {
            path: settings.path.clone(),
            reason,
        };
        if !(1..=4).contains(&settings.pic_num) {
            let found = settings.pic_num;
            return Err(FolderError::PicNum { found });
        }
        if settings.resolution == Some(0) {
            return Err(FolderError::Resolution);
        }
        let found = settings.grid;
        if !found.iter().all(|side| (1..=16).contains(side)) {
            return Err(FolderError::Grid { found });
        }
        let named = paths::expanded(&settings.path);
        let named = paths::cached_snapshot(&named).unwrap_or(named);
        let root = named.canonicalize().map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => error("no such folder".to_owned()),
            _ => error(e.to_string()),
        })?;
        if !root.is_dir() {
            return Err(error("this is a file, not a folder".to_owned()));
        }
        Ok(Self {
            settings,
            bounds: Bounds::of_folder(&root),
            names: Names::new(&root),
            root,
        })
    }

    /// Finds the picture of one output. Paths are relative to the root.
    fn find_picture(&self, item: &Item, repeat: u32) -> Place {
        if leaves_folder(&item.item) {
            return Place::Refused {
                kind: "path",
                reason: format!("{}: this item id leads out of the folder", item.item),
            };
        }
        if let Some(setting) = self.too_small(repeat) {
            let (number, name) = (repeat + 1, &item.item);
            return Place::Refused {
                kind: "missing",
                reason: format!("{name}: picture {number} is required, but {setting}"),
            };
        }
        let (stems, start) = match self.settings.layout.search(item, repeat) {
            Search::Numbered(folder) => return self.numbered_sample(&folder, repeat),
            Search::Stems(stems) => (stems, None),
            Search::StemsOrStart { stems, start } => (stems, Some(start)),
        };
        let named = stems.iter().map(|stem| self.names.pictures(stem));
        let mut places = named.filter_map(|pictures| self.first_usable(pictures));
        match (places.next(), places.find(Place::is_found)) {
            (Some(Place::Refused { .. }), Some(found)) | (Some(found), _) => return found,
            (None, _) => {}
        }
        match start {
            Some(start) => self.only_beginning(&start),
            None => Place::Missing {
                path: with_extension(&stems[0], names::EXTENSIONS[0]),
                beside: stems.iter().find_map(|stem| self.names.beside(stem)),
            },
        }
    }

    /// The setting because of which a picture has too few tiles for this output.
    fn too_small(&self, repeat: u32) -> Option<String> {
        let FolderSettings { pic_num, grid, .. } = &self.settings;
        let [columns, rows] = grid;
        match self.settings.layout.sheet() {
            Sheet::Squares if repeat >= *pic_num => Some(format!("`pic_num` is {pic_num}")),
            Sheet::Rectangles if repeat >= columns * rows => {
                Some(format!("`grid` is {columns}x{rows}"))
            }
            _ => None,
        }
    }

    /// The first picture that can be used among those with one name. `None` if there are no pictures.
    fn first_usable(&self, mut pictures: Vec<PathBuf>) -> Option<Place> {
        let mut refused = None;
        for at in 0..pictures.len() {
            match self.real_path(&pictures[at]) {
                Ok(real) => {
                    let path = pictures.remove(at);
                    let others = pictures;
                    return Some(Place::Found(Picture { path, real, others }));
                }
                Err((kind, reason)) => {
                    refused.get_or_insert(Place::Refused { kind, reason });
                }
            }
        }
        refused
    }

    /// The only picture whose name begins with `name`.
    fn only_beginning(&self, name: &str) -> Place {
        let start = paths::composed(name);
        let begins = |path: &PathBuf| paths::composed(&path.to_string_lossy()).starts_with(&*start);
        let pictures = self.names.pictures_in(Path::new(""));
        let mut found: Vec<PathBuf> = pictures.into_iter().filter(begins).collect();
        match (found.pop(), found.pop()) {
            (Some(one), Some(other)) => Place::Refused {
                kind: "missing",
                reason: format!(
                    "{name}: {} and {} both begin with the prompt's id, but one grid is expected",
                    other.display(),
                    one.display()
                ),
            },
            (only, _) => {
                let place = only.and_then(|only| self.first_usable(vec![only]));
                place.unwrap_or_else(|| Place::Missing {
                    path: format!("{name}.webp").into(),
                    beside: self.names.beside(Path::new(name)),
                })
            }
        }
    }

    /// The `repeat`-th of the files in a folder whose names are numbers, in the order of the numbers. Files
    /// with the same number are one sample.
    fn numbered_sample(&self, folder: &Path, repeat: u32) -> Place {
        let mut samples: BTreeMap<u64, Vec<PathBuf>> = BTreeMap::new();
        for path in self.names.pictures_in(folder) {
            let number = path.file_stem().and_then(OsStr::to_str);
            if let Some(number) = number.and_then(|digits| digits.parse().ok()) {
                samples.entry(number).or_default().push(path);
            }
        }
        let sample = samples.into_values().nth(repeat as usize);
        let place = sample.and_then(|pictures| self.first_usable(pictures));
        place.unwrap_or_else(|| {
            let stem = folder.join(format!("{repeat:05}"));
            Place::Missing {
                path: with_extension(&stem, names::EXTENSIONS[0]),
                beside: self.names.beside(&stem),
            }
        })
    }

    /// Whether a file belongs to a layout without being an output.
    fn is_companion(&self, path: &Path) -> bool {
        let stem = path.file_stem().and_then(OsStr::to_str).unwrap_or_default();
        self.settings.layout.is_companion(stem)
    }

    /// The file to which a relative path leads, without links.
    ///
    /// # Errors
    /// Fails if a link leads nowhere or out of the folder, with the kind of the failure and the reason.
    fn real_path(&self, path: &Path) -> Result<PathBuf, (&'static str, String)> {
        let full = self.root.join(path);
        let real = full
            .canonicalize()
            .map_err(|error| match full.read_link() {
                Ok(to) => {
                    let (full, to) = (full.display(), to.display());
                    (
                        "missing",
                        format!("{full}: a link to {to}, which does not exist"),
                    )
                }
                Err(_) => ("image", format!("{}: {error}", full.display())),
            })?;
        if self.settings.follow_links || self.bounds.hold(&real) {
            return Ok(real);
        }
        let message = format!(
            "{}: a link to {}, outside of the folder {}; copy the picture into the folder, or follow such links: \
             `--follow-links` of `observe`, `follow_links = true` in a model's settings",
            full.display(),
            real.display(),
            self.root.display()
        );
        Err(("path", message))
    }

    /// The picture, or its tile for the `repeat`-th output. `path` is the path of the picture.
    fn answer(
        &self,
        bytes: Vec<u8>,
        path: &Path,
        item: &Item,
        repeat: u32,
    ) -> Result<Generated, GenerateError> {
        let name = slashed(path);
        let size = decode::dimensions(&bytes, &name)?;
        let tile = self.tile(size, path, item, repeat);
        let tile = tile.map_err(|why| GenerateError::item("image", format!("{name}: {why}")))?;
        if let Some(tile) = tile {
            let (pixels, notes) = tile.cut(&bytes, &name)?;
            let mut generated = Generated::from(Answer::Pixels(pixels));
            for note in notes {
                add_note(&mut generated.extra, &note);
            }
            return Ok(generated);
        }
        match decode::sniff(&bytes) {
            Some(extension) => Ok(Answer::Encoded { bytes, extension }.into()),
            None => Err(GenerateError::item("image", format!("{name}: no picture"))),
        }
    }

    /// The tile of the output. `None` if the output is the whole picture.
    fn tile(
        &self,
        size: (u32, u32),
        path: &Path,
        item: &Item,
        repeat: u32,
    ) -> Result<Option<Tile>, String> {
        let settings = &self.settings;
        match settings.layout.sheet() {
            Sheet::Single => Ok(None),
            Sheet::Squares => Tile::of_dpg(size, settings.resolution, settings.pic_num, repeat),
            Sheet::Rectangles => {
                let single = format!("{}_{repeat}", settings.layout.item_name(item));
                let whole = path.file_stem() == Some(OsStr::new(&single));
                Ok((!whole).then(|| Tile::of_grid(size, settings.grid, repeat)))
            }
        }
    }
}

impl Generator for Folder {
    fn generate(
        &mut self,
        request: &Request<'_>,
        _cancel: &Cancel,
    ) -> Result<Generated, GenerateError> {
        let Picture { path, real, others } = match self.find_picture(request.item, request.repeat) {
            Place::Found(picture) => picture,
            Place::Missing { path, beside } => {
                let message = format!(
                    "{}: no such picture; the `{}` layout expects it there{}",
                    self.root.join(path).display(),
                    self.settings.layout,
                    beside.map_or(String::new(), |beside| format!(
                        "; {}",
                        why_no_picture(&beside)
                    ))
                );
                return Err(GenerateError::item("missing", message));
            }
            Place::Refused { kind, reason } => return Err(GenerateError::item(kind, reason)),
        };
        let bytes = decode::read_file(&real)?;
        let mut generated = self.answer(bytes, &path, request.item, request.repeat)?;
        generated
            .extra
            .insert("source".to_owned(), slashed(&path).into());
        if !others.is_empty() {
            add_note(&mut generated.extra, SEVERAL);
        }
        Ok(generated)
    }
}

/// The note for an output whose name several pictures have.
const SEVERAL: &str =
    "several pictures have the output's name; `source` in the record is the one that was used";

/// The reason why a file with this name is not a picture.
fn why_no_picture(beside: &Path) -> String {
    format!(
        "{} exists, but pictures must have one of the extensions {}",
        slashed(beside),
        names::EXTENSIONS.join(", ")
    )
}

/// Whether an id, as a path, has a part that is not a plain name, such as `..`, a root or a drive.
fn leaves_folder(id: &str) -> bool {
    id.contains('\\')
        || Path::new(id)
            .components()
            .any(|part| !matches!(part, Component::Normal(_)))
}

/// Appends an extension. `Path::with_extension` would replace the text after a dot in an id.
fn with_extension(stem: &Path, extension: &str) -> PathBuf {
    let mut path = stem.as_os_str().to_owned();
    path.push(".");
    path.push(extension);
    path.into()
}

/// A path with `/` on every system.
fn slashed(path: &Path) -> String {
    let parts: Vec<_> = path
        .components()
        .map(|part| part.as_os_str().to_string_lossy())
        .collect();
    parts.join("/")
}
