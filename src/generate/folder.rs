//! The `folder` generator: somebody else's finished pictures in an official layout, answered with byte for byte.

mod tile;

use super::{Answer, GenerateError, Generated, Generator, Request};
use crate::cancel::Cancel;
use crate::image::{self as decode, ImageError};
use crate::layout::{self, Layout};
use crate::record::{Item, add_note};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};
use tile::Tile;

/// Extensions looked for, in this order.
const EXTENSIONS: [&str; 7] = ["png", "jpg", "jpeg", "webp", "gif", "bmp", "tiff"];

/// Settings of the `folder` generator.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FolderSettings {
    /// The folder that holds the pictures.
    pub path: PathBuf,
    /// How they are named: `geneval` (`NNNNN/samples/*.png`), `dpg` (`{stem}.png`, a 2x2 grid), `longtext`
    /// (`{prompt_id:04}_{k}.png`, k from 1), `imgedit` (`{key}.png`), `gedit`
    /// (`[fullset/]{task}/{lang}/{key}.png`), `wise` (`{prompt_id}.png`), `oneig` (`{prompt_id}.webp`, a grid),
    /// `genai` (`{id:09}.jpg`) or `flat` (`{item}.png`, `{item}_{repeat}.png`). Default `flat`.
    #[serde(default)]
    pub layout: Layout,
    /// `dpg`: side of one tile in pixels. Default: half of each side of the picture, which must be a square then, or with
    /// `pic_num = 1` the whole picture.
    #[serde(default)]
    pub resolution: Option<u32>,
    /// `dpg`: pictures in a grid that count, 1 to 4, in the order top left, top right, bottom left, bottom right.
    /// Default 4.
    #[serde(default = "four")]
    pub pic_num: u32,
    /// `oneig`: columns and rows of a grid. Default `[2, 2]`.
    #[serde(default = "two_by_two")]
    pub grid: [u32; 2],
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
    #[error("folder generator: `path` = {}: {reason}", path.display())]
    #[diagnostic(help("give the folder that holds the pictures"))]
    Path { path: PathBuf, reason: String },
    #[error("folder generator: `pic_num` = {found}, expected 1 to 4")]
    #[diagnostic(help("a DPG-Bench grid holds four pictures"))]
    PicNum { found: u32 },
    #[error("folder generator: `resolution` = 0, expected the side of one tile in pixels")]
    Resolution,
    #[error("folder generator: `grid` = {found:?}, expected columns and rows, 1 to 16 of each")]
    #[diagnostic(help("OneIG-Bench's own script makes grids of [2, 2]"))]
    Grid { found: [u32; 2] },
}

/// What a folder holds of what a suite asks for. Paths are relative to the folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Inventory {
    /// Outputs asked for.
    pub expected: usize,
    pub found: usize,
    /// Where absent pictures were looked for.
    pub missing: Vec<String>,
    /// Pictures that no item asks for; grids and source images of the official layouts don't count.
    pub extra: Vec<String>,
}

/// An opened folder of pictures.
#[derive(Debug, Clone)]
pub struct Folder {
    settings: FolderSettings,
    /// Without symlinks.
    root: PathBuf,
}

/// Where an output's picture was found, or would be.
enum Place {
    Found(PathBuf),
    Missing(PathBuf),
    Refused { kind: &'static str, reason: String },
}

impl Folder {
    /// # Errors
    /// When the path is no readable folder or a setting is out of range.
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
        let root = settings.path.canonicalize().map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => error("no such folder".to_owned()),
            _ => error(e.to_string()),
        })?;
        if !root.is_dir() {
            return Err(error("this is a file, not a folder".to_owned()));
        }
        Ok(Self { settings, root })
    }

    /// Compares the folder with what `items`, each `repeats` times, ask for.
    pub fn inventory(&self, items: &[Item], repeats: u32) -> Inventory {
        let mut used = BTreeSet::new();
        let mut missing = Vec::new();
        let mut found = 0;
        for item in items {
            for repeat in 0..repeats {
                match self.place(item, repeat) {
                    Place::Found(path) => {
                        found += 1;
                        used.insert(path);
                    }
                    Place::Missing(path) => missing.push(slashed(&path)),
                    Place::Refused { reason, .. } => missing.push(reason),
                }
            }
        }
        let mut extra = Vec::new();
        list_pictures(&self.root, Path::new(""), &mut extra);
        extra.retain(|path| !used.contains(path) && !self.is_companion(path));
        extra.sort();
        Inventory {
            expected: items.len() * repeats as usize,
            found,
            missing,
            extra: extra.iter().map(|path| slashed(path)).collect(),
        }
    }

    /// Looks for one output's picture; paths are relative to the root.
    fn place(&self, item: &Item, repeat: u32) -> Place {
        if leaves_folder(&item.item) {
            return Place::Refused {
                kind: "path",
                reason: format!("{}: this item id leads out of the folder", item.item),
            };
        }
        if self.settings.layout == Layout::Dpg && repeat >= self.settings.pic_num {
            let (number, pic_num) = (repeat + 1, self.settings.pic_num);
            return Place::Refused {
                kind: "missing",
                reason: format!(
                    "{}: picture {number} is asked for, but `pic_num` is {pic_num}",
                    item.item
                ),
            };
        }
        if self.settings.layout == Layout::Geneval {
            return self.sample(item, repeat);
        }
        let [columns, rows] = self.settings.grid;
        if self.settings.layout == Layout::Oneig && repeat >= columns * rows {
            let (number, name) = (repeat + 1, &item.item);
            return Place::Refused {
                kind: "missing",
                reason: format!(
                    "{name}: picture {number} is asked for, but `grid` is {columns}x{rows}"
                ),
            };
        }
        let stems = self.stems(item, repeat);
        for stem in &stems {
            for extension in EXTENSIONS {
                let path = with_extension(stem, extension);
                if self.root.join(&path).is_file() {
                    return Place::Found(path);
                }
            }
        }
        match self.settings.layout {
            Layout::Oneig => self.only_beginning(&self.settings.layout.name(item)),
            _ => Place::Missing(with_extension(&stems[0], EXTENSIONS[0])),
        }
    }

    /// OneIG-Bench: the one picture whose name begins so.
    fn only_beginning(&self, name: &str) -> Place {
        let entries = std::fs::read_dir(&self.root)
            .into_iter()
            .flatten()
            .flatten();
        let mut found = entries
            .map(|entry| PathBuf::from(entry.file_name()))
            .filter(|path| is_picture(path) && path.to_string_lossy().starts_with(name));
        match (found.next(), found.next()) {
            (Some(only), None) => Place::Found(only),
            (None, _) => Place::Missing(format!("{name}.webp").into()),
            (Some(one), Some(other)) => Place::Refused {
                kind: "missing",
                reason: format!(
                    "{name}: {} and {} both begin with the prompt's id; one grid is expected",
                    one.display(),
                    other.display()
                ),
            },
        }
    }

    /// The picture's possible paths without extension, the documented one first.
    fn stems(&self, item: &Item, repeat: u32) -> Vec<PathBuf> {
        let layout = self.settings.layout;
        let name = layout.name(item);
        let single = |name: &str| match repeat {
            0 => name.to_owned(),
            _ => format!("{name}_{repeat}"),
        };
        match layout {
            Layout::Longtext => vec![format!("{name}_{}", repeat + 1).into()],
            Layout::Dpg => vec![name.into()],
            Layout::Oneig => vec![name.clone().into(), format!("{name}_{repeat}").into()],
            Layout::Gedit => {
                let tail = PathBuf::from(layout::gedit_task(item))
                    .join(layout::gedit_language(item))
                    .join(single(&name));
                vec![Path::new("fullset").join(&tail), tail]
            }
            // The id may name sub-folders; the safe name is what we write ourselves.
            Layout::Flat => {
                let plain = [item.item.clone(), name.clone()];
                let numbered = plain.clone().map(|stem| format!("{stem}_{repeat}"));
                let plain = plain.into_iter().filter(|_| repeat == 0);
                plain.chain(numbered).map(PathBuf::from).collect()
            }
            Layout::Imgedit | Layout::Wise | Layout::Genai | Layout::Geneval => {
                vec![single(&name).into()]
            }
        }
    }

    /// GenEval: the `repeat`-th of the files whose name is digits, in the order of these numbers.
    fn sample(&self, item: &Item, repeat: u32) -> Place {
        let folder = PathBuf::from(self.settings.layout.name(item)).join("samples");
        let mut samples: Vec<(u64, PathBuf)> = std::fs::read_dir(self.root.join(&folder))
            .into_iter()
            .flatten()
            .filter_map(|entry| {
                let path = folder.join(entry.ok()?.file_name());
                let number = path.file_stem()?.to_str()?.parse().ok()?;
                is_picture(&path).then_some((number, path))
            })
            .collect();
        samples.sort();
        match samples.into_iter().nth(repeat as usize) {
            Some((_, path)) => Place::Found(path),
            None => Place::Missing(folder.join(format!("{repeat:05}.png"))),
        }
    }

    /// Files that belong to a layout without being outputs.
    fn is_companion(&self, path: &Path) -> bool {
        let stem = path.file_stem().and_then(OsStr::to_str).unwrap_or_default();
        match self.settings.layout {
            Layout::Geneval => stem == "grid",
            Layout::Gedit => stem.ends_with("_SRCIMG"),
            _ => false,
        }
    }

    /// The file behind a relative path, provided that it lies in the folder once symlinks are followed.
    fn inside(&self, path: &Path) -> Result<PathBuf, GenerateError> {
        let full = self.root.join(path);
        let real = full.canonicalize().map_err(|error| {
            GenerateError::item("image", format!("{}: {error}", full.display()))
        })?;
        if real.starts_with(&self.root) {
            return Ok(real);
        }
        let message = format!(
            "{}: a link to {}, outside of the folder {}; copy the picture into the folder",
            full.display(),
            real.display(),
            self.root.display()
        );
        Err(GenerateError::item("path", message))
    }

    /// The picture, or the tile of it that is the `repeat`-th output; `path` is where it was found.
    fn answer(
        &self,
        bytes: Vec<u8>,
        path: &Path,
        item: &Item,
        repeat: u32,
    ) -> Result<Generated, GenerateError> {
        let name = slashed(path);
        let size = decode::dimensions(&bytes, &name).map_err(image_error)?;
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

    /// The tile to cut, or none when the picture is the output.
    fn tile(
        &self,
        size: (u32, u32),
        path: &Path,
        item: &Item,
        repeat: u32,
    ) -> Result<Option<Tile>, String> {
        let settings = &self.settings;
        match settings.layout {
            Layout::Dpg => Tile::of_dpg(size, settings.resolution, settings.pic_num, repeat),
            Layout::Oneig => {
                let single = format!("{}_{repeat}", settings.layout.name(item));
                let whole = path.file_stem() == Some(OsStr::new(&single));
                Ok((!whole).then(|| Tile::of_grid(size, settings.grid, repeat)))
            }
            _ => Ok(None),
        }
    }
}

impl Generator for Folder {
    fn generate(
        &mut self,
        request: &Request<'_>,
        _cancel: &Cancel,
    ) -> Result<Generated, GenerateError> {
        let path = match self.place(request.item, request.repeat) {
            Place::Found(path) => path,
            Place::Missing(path) => {
                let message = format!(
                    "{}: no such picture; the `{}` layout expects it there",
                    self.root.join(path).display(),
                    self.settings.layout
                );
                return Err(GenerateError::item("missing", message));
            }
            Place::Refused { kind, reason } => return Err(GenerateError::item(kind, reason)),
        };
        let real = self.inside(&path)?;
        let bytes = decode::read_file(&real).map_err(image_error)?;
        let mut generated = self.answer(bytes, &path, request.item, request.repeat)?;
        generated
            .extra
            .insert("source".to_owned(), slashed(&path).into());
        Ok(generated)
    }
}

/// Whether an id, read as a path, has a part that is not a plain name: `..`, a root, a drive.
fn leaves_folder(id: &str) -> bool {
    id.contains('\\')
        || Path::new(id)
            .components()
            .any(|part| !matches!(part, Component::Normal(_)))
}

fn image_error(error: ImageError) -> GenerateError {
    GenerateError::item("image", error.to_string())
}

/// Appends, where `Path::with_extension` would replace what follows a dot in an id.
fn with_extension(stem: &Path, extension: &str) -> PathBuf {
    let mut path = stem.as_os_str().to_owned();
    path.push(".");
    path.push(extension);
    path.into()
}

fn is_picture(path: &Path) -> bool {
    path.extension()
        .and_then(OsStr::to_str)
        .is_some_and(|extension| EXTENSIONS.contains(&extension.to_ascii_lowercase().as_str()))
}

/// A path with `/` on every system.
fn slashed(path: &Path) -> String {
    let parts: Vec<_> = path
        .components()
        .map(|part| part.as_os_str().to_string_lossy())
        .collect();
    parts.join("/")
}

/// Adds the pictures below `root/relative`; links to folders are not followed.
fn list_pictures(root: &Path, relative: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(root.join(relative)) else {
        return;
    };
    for entry in entries.flatten() {
        let path = relative.join(entry.file_name());
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => list_pictures(root, &path, found),
            Ok(_) if is_picture(&path) => found.push(path),
            _ => {}
        }
    }
}
