//! The items of a suite, from wherever its definition says.

use crate::config::{
    Format, ItemsSource, Loaded, Origin, PromptGenerator, SuiteFile, embedded_file,
};
use crate::record::{Item, Tags};
use crate::suite::error::{Problem, SuiteError};
use crate::suite::geneval;
use crate::suite::images::Images;
use crate::suite::map::Mapper;
use crate::suite::read::{self, Place, Raw};
use rayon::prelude::*;
use std::borrow::Cow;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

/// Records that are parsed at once: enough for every core, few enough to keep the peak of memory low.
const BATCH: usize = 16_384;

/// Gives the local path of a downloadable file.
pub trait AssetSource {
    /// # Errors
    /// When the asset is unknown, or neither there nor to be had.
    fn path(&self, asset: &str) -> Result<PathBuf, Box<dyn std::error::Error + Send + Sync>>;
}

/// The items of a suite as asked.
#[derive(Debug, Clone)]
pub struct ItemSet {
    pub items: Vec<Item>,
    /// The folder that relative `images` start from.
    pub base: PathBuf,
    /// Remarks for the manifest: where the items came from if not from where the suite says.
    pub notes: Vec<String>,
}

/// Makes or reads the items of a suite. `instead` is a file or folder that the user gives in place of the
/// suite's own source.
///
/// # Errors
/// When the source is absent or unreadable, or any record is broken: nothing is skipped silently.
pub fn items(
    suite: &Loaded<SuiteFile>,
    instead: Option<&Path>,
    assets: &dyn AssetSource,
) -> Result<ItemSet, SuiteError> {
    let source = &suite.definition.items;
    if let Some(generator) = source.generator {
        return generated(suite, generator, instead);
    }
    let content = content(suite, instead, assets)?;
    let records = match &content {
        Content::Text { text, .. } => {
            let text = text.trim_start_matches('\u{feff}');
            let format = content.format(source, instead.is_some())?;
            read::text(format, text).map_err(|problem| unreadable(content.path(), problem))?
        }
        Content::Folder(path) => read::folder(path)?,
    };
    let name = content.path().display().to_string();
    if records.is_empty() {
        let format = content.format(source, instead.is_some())?;
        return Err(SuiteError::Empty {
            source_name: name,
            expected: read::expected(format),
        });
    }
    let base = content.base();
    let mapper = Mapper::new(suite, Images::new(&base, source.allow_outside))?;
    let items = mapped(&mapper, records, &name)?;
    let notes = match instead {
        Some(_) => vec![format!(
            "items were read from {name} instead of the suite's own source"
        )],
        None => Vec::new(),
    };
    Ok(ItemSet { items, base, notes })
}

fn generated(
    suite: &Loaded<SuiteFile>,
    generator: PromptGenerator,
    instead: Option<&Path>,
) -> Result<ItemSet, SuiteError> {
    if let Some(path) = instead {
        return Err(SuiteError::Unreadable {
            path: path.to_owned(),
            problem: format!(
                "the suite `{}` makes its items itself and reads no file",
                suite.definition.name
            ),
            help: Some("leave the file out, or write a suite of your own that reads it".to_owned()),
        });
    }
    let items = match generator {
        PromptGenerator::Geneval => geneval::items(),
    };
    Ok(ItemSet {
        items,
        base: PathBuf::from("."),
        notes: Vec::new(),
    })
}

/// Maps all records, on all cores; every broken one and every repeated id is listed.
fn mapped(mapper: &Mapper<'_>, raws: Vec<Raw<'_>>, name: &str) -> Result<Vec<Item>, SuiteError> {
    let mut items = Vec::with_capacity(raws.len());
    let mut places = Vec::with_capacity(raws.len());
    let mut problems = Vec::new();
    let mut tags = HashSet::new();
    let mut raws = raws.into_iter().enumerate();
    loop {
        let batch: Vec<_> = raws.by_ref().take(BATCH).collect();
        if batch.is_empty() {
            break;
        }
        let results: Vec<_> = batch
            .into_par_iter()
            .map(|(index, raw)| item(mapper, index, raw))
            .collect();
        for result in results {
            match result {
                Ok((place, mut item)) => {
                    share(&mut tags, &mut item.tags);
                    places.push(place);
                    items.push(item);
                }
                Err(problem) => problems.push(problem),
            }
        }
    }
    repeated(&items, &places, &mut problems);
    if problems.is_empty() {
        Ok(items)
    } else {
        Err(SuiteError::broken(name, problems))
    }
}

fn item(mapper: &Mapper<'_>, index: usize, raw: Raw<'_>) -> Result<(Place, Item), Problem> {
    let record = raw.record()?;
    let place = record.place.clone();
    match mapper.item(index, record) {
        Ok(item) => Ok((place, item)),
        Err(message) => Err(Problem::new(place, message)),
    }
}

/// Most different sets of tags that are remembered for sharing.
const SHARED_TAGS: usize = 4096;

/// Lets items with the same tags share them: there are few sets of tags, and maybe a million items.
fn share(seen: &mut HashSet<Tags>, tags: &mut Tags) {
    match seen.get(tags) {
        Some(same) => *tags = same.clone(),
        None if seen.len() < SHARED_TAGS => {
            seen.insert(tags.clone());
        }
        None => {}
    }
}

/// Ids that an earlier item has, too.
fn repeated(items: &[Item], places: &[Place], problems: &mut Vec<Problem>) {
    let mut seen: HashMap<&str, &Place> = HashMap::with_capacity(items.len());
    for (Item { item, .. }, place) in items.iter().zip(places) {
        match seen.entry(item) {
            Entry::Vacant(entry) => {
                entry.insert(place);
            }
            Entry::Occupied(first) => {
                let message = format!("the id `{item}` was used before, at {}", first.get());
                problems.push(Problem::new(place.clone(), message));
            }
        }
    }
}

/// What a source holds before its records are read.
enum Content {
    Text {
        /// Where it was read from; the path in the repository for a built-in file.
        path: PathBuf,
        text: Cow<'static, str>,
        built_in: bool,
    },
    Folder(PathBuf),
}

impl Content {
    fn path(&self) -> &Path {
        match self {
            Self::Text { path, .. } | Self::Folder(path) => path,
        }
    }

    fn base(&self) -> PathBuf {
        let folder = match self {
            Self::Text { built_in: true, .. } => None,
            Self::Text { path, .. } => path.parent(),
            Self::Folder(path) => Some(path.as_path()),
        };
        match folder {
            Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
            _ => PathBuf::from("."),
        }
    }

    /// The suite's word goes first for its own source, the file's extension for one that the user gave.
    fn format(&self, source: &ItemsSource, given: bool) -> Result<Format, SuiteError> {
        if matches!(self, Self::Folder(_)) {
            return Ok(Format::TextFolder);
        }
        let extension = self
            .path()
            .extension()
            .and_then(|extension| extension.to_str());
        let by_name = match extension.map(str::to_ascii_lowercase).as_deref() {
            Some("jsonl" | "ndjson") => Some(Format::Jsonl),
            Some("json") => Some(Format::Json),
            Some("csv") => Some(Format::Csv),
            _ => None,
        };
        let format = if given {
            by_name.or(source.format)
        } else {
            source.format.or(by_name)
        };
        format.ok_or_else(|| SuiteError::Unreadable {
            path: self.path().to_owned(),
            problem: "its name does not say how it is written".to_owned(),
            help: Some("end it in .jsonl, .json or .csv, or set `format` under [items]".to_owned()),
        })
    }
}

fn content(
    suite: &Loaded<SuiteFile>,
    instead: Option<&Path>,
    assets: &dyn AssetSource,
) -> Result<Content, SuiteError> {
    let source = &suite.definition.items;
    if let Some(path) = instead {
        return open(path.to_owned());
    }
    if let Some(asset) = &source.asset {
        let path = assets.path(asset).map_err(|cause| SuiteError::Asset {
            asset: asset.clone(),
            cause,
        })?;
        return open(path);
    }
    let file = source.file.as_deref().unwrap_or_default();
    match &suite.origin {
        Origin::File(_) => open(suite.base().join(file)),
        Origin::BuiltIn(definition) => {
            let path = Path::new(definition).with_file_name(file);
            let text = embedded_file(&path.to_string_lossy().replace('\\', "/"));
            let text = text.ok_or_else(|| SuiteError::Unreadable {
                path: path.clone(),
                problem: "this suite brings no items of its own".into(),
                help: Some(format!(
                    "give a file of them with `--items FILE`. {}",
                    suite.definition.description
                )),
            })?;
            Ok(Content::Text {
                path,
                text: Cow::Borrowed(text),
                built_in: true,
            })
        }
    }
}

fn open(path: PathBuf) -> Result<Content, SuiteError> {
    if path.is_dir() {
        return Ok(Content::Folder(path));
    }
    let bytes = std::fs::read(&path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => unreadable(&path, "there is no such file".to_owned()),
        _ => unreadable(&path, format!("cannot be read ({error})")),
    })?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Content::Text {
            path,
            text: Cow::Owned(text),
            built_in: false,
        }),
        Err(error) => {
            let valid = error.utf8_error().valid_up_to();
            let line = error.as_bytes()[..valid]
                .split(|byte| *byte == b'\n')
                .count();
            Err(unreadable(&path, format!("line {line} is not UTF-8 text")))
        }
    }
}

fn unreadable(path: &Path, problem: String) -> SuiteError {
    SuiteError::Unreadable {
        path: path.to_owned(),
        problem,
        help: None,
    }
}
