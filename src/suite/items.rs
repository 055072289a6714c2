//! The items of a suite, from the source that its definition names.

use crate::config::{Join, Loaded, Origin, SuiteFile};
use crate::formats::{Format, Place, Raw, Reading, Unreadable};
use crate::paths::expanded;
use crate::prompts::{Make, NoiseLadder, PromptGenerator};
use crate::record::{Item, Task};
use crate::suite::assets::AssetSource;
use crate::suite::collect::{Collected, Items};
use crate::suite::data_set;
use crate::suite::error::{Problem, SuiteError, Wrong};
use crate::suite::images::Images;
use crate::suite::join::Joined;
use crate::suite::map::Mapper;
use crate::suite::pictures::Pictures;
use crate::suite::source::Found;
use crate::suite::tables::{self, Tables};
use rayon::prelude::*;
use std::path::{Path, PathBuf};

/// How many records are parsed at once: enough for every core, and few enough to keep the peak of memory low.
const BATCH: usize = 16_384;

/// The items of a suite as asked.
#[derive(Debug, Clone)]
pub struct ItemSet {
    /// The items, in the order of the source.
    pub items: Vec<Item>,
    /// The folder that relative `images` start from.
    pub base: PathBuf,
    /// Remarks for the manifest, such as that the items come from a file of the user.
    pub notes: Vec<String>,
    /// How many records were left out and why, for the reader of the numbers.
    pub left_out: Vec<String>,
}

/// Makes or reads the items of a suite. `instead` is a file or folder that the user gives in place of the
/// suite's own source.
///
/// # Errors
/// Fails if the source is absent or unreadable, or any record is broken: nothing is skipped silently.
pub fn items(
    suite: &Loaded<SuiteFile>,
    instead: Option<&Path>,
    assets: &dyn AssetSource,
) -> Result<ItemSet, SuiteError> {
    let source = &suite.definition.items;
    let mut set = match source.generator {
        Some(generator) => generated(suite, generator, instead, assets)?,
        None => from_source(suite, instead, assets)?,
    };
    if let Some(ladder) = &source.noise {
        set.items = with_noise(suite, ladder, &set, assets)?;
    }
    Ok(set)
}

/// The items with noise on their pictures.
fn with_noise(
    suite: &Loaded<SuiteFile>,
    ladder: &NoiseLadder,
    set: &ItemSet,
    assets: &dyn AssetSource,
) -> Result<Vec<Item>, SuiteError> {
    let name = Path::new(&suite.definition.name);
    let pictures = Pictures::new(Some(picture_folder(assets, name)?));
    let keep = |bytes: &[u8]| pictures.keep(bytes).map_err(|wrong| wrong.message);
    let open = |path: &str| {
        let decoded = crate::image::decode_file(&set.base.join(path));
        decoded
            .map(|decoded| decoded.rgb)
            .map_err(|error| error.to_string())
    };
    let noisy = ladder.climb(&set.items, &open, &keep);
    noisy.map_err(|problem| Unreadable::new(name, problem).into())
}

/// The items of the source that a suite names, or of `instead`.
fn from_source(
    suite: &Loaded<SuiteFile>,
    instead: Option<&Path>,
    assets: &dyn AssetSource,
) -> Result<ItemSet, SuiteError> {
    let source = &suite.definition.items;
    let found = Found::of_suite(suite, instead, assets)?;
    let format = found.format(source.format, instead.is_some())?;
    let name = found.name().display().to_string();
    let base = match &source.image_folder {
        Some(folder) => found.base().join(expanded(Path::new(folder))),
        None => found.base(),
    };
    // What is downloaded, and what a benchmark of edits publishes, has no input images beside it.
    let published =
        source.asset.is_some() && instead.is_none() || matches!(suite.origin, Origin::BuiltIn(_));
    let within = matches!(found, Found::Files { .. }) && tables::are_in(format, source);
    let edits = suite.definition.task == Task::Edit && !within;
    let unseen = edits && published && source.image_folder.is_none();
    let images = if unseen {
        Images::unseen(&base)
    } else {
        Images::new(&base, source.allow_outside)
    };
    let joined = match (&source.join, instead) {
        (Some(join), None) => Some(second(suite, join, assets)?),
        _ => None,
    };
    let joined = joined.as_ref();
    let (Items { items, left_out }, records) = match &found {
        Found::Files { files, .. } if within => {
            // A table without pictures needs no folder for them.
            let folder = picture_folder(assets, found.name());
            let images = match &folder {
                Ok(folder) => images.with_written(folder),
                Err(_) => images,
            };
            let mapper = Mapper::new(suite, images)?;
            let tables = Tables {
                format,
                files,
                name: &name,
                pictures: Pictures::new(folder.as_ref().ok().cloned()),
            };
            match (tables.items(&mapper, source), folder) {
                (_, Err(error)) if tables.pictures.have_no_place() => return Err(error),
                (items, _) => items?,
            }
        }
        _ => {
            let mapper = Mapper::new(suite, images)?;
            if let (Found::Folder(path), Reading::Folder(read)) = (&found, &format.reading) {
                mapped(&mapper, joined, read(path)?, &name)?
            } else {
                let text = found.text(format)?;
                mapped(&mapper, joined, raws(&found, format, &text)?, &name)?
            }
        }
    };
    if records == 0 {
        return Err(SuiteError::Empty {
            source_name: name,
            expected: match &found {
                Found::Folder(path) => data_set::expected(path),
                _ => format.expected.to_owned(),
            },
        });
    }
    let mut notes = match instead {
        Some(_) => vec![format!(
            "items were read from {name} instead of the suite's own source"
        )],
        None => Vec::new(),
    };
    if unseen && items.iter().any(|item| !item.images.is_empty()) {
        tracing::warn!("{}: {UNSEEN}", suite.definition.name);
        notes.push(UNSEEN.to_owned());
    }
    Ok(ItemSet {
        items,
        base,
        notes,
        left_out,
    })
}

/// A remark on items whose input images may not be there.
const UNSEEN: &str = "the input images were not used, since their folder is unknown: --set items.image_folder=\"FOLDER\"";

/// The records of a text.
fn raws<'a>(found: &Found, format: Format, text: &'a str) -> Result<Vec<Raw<'a>>, Unreadable> {
    let records = format.read_text(text, found.stem());
    records.map_err(|problem| Unreadable::new(found.name(), problem))
}

/// The second source of a suite's items.
fn second(
    suite: &Loaded<SuiteFile>,
    join: &Join,
    assets: &dyn AssetSource,
) -> Result<Joined, SuiteError> {
    let found = Found::named(suite, join.asset.as_deref(), join.file.as_deref(), assets)?;
    let format = found.format(join.format, false)?;
    let text = found.text(format)?;
    let name = found.name().display().to_string();
    Joined::new(join, raws(&found, format, &text)?, &name)
}

/// The folder of the pictures that come with items, as a whole path, whatever folder the program is started
/// in.
fn picture_folder(assets: &dyn AssetSource, source: &Path) -> Result<PathBuf, SuiteError> {
    let folder = assets
        .pictures()
        .map_err(|cause| SuiteError::NoPictureFolder {
            path: source.to_owned(),
            cause,
        })?;
    Ok(std::path::absolute(&folder).unwrap_or(folder))
}

fn generated(
    suite: &Loaded<SuiteFile>,
    generator: PromptGenerator,
    instead: Option<&Path>,
    assets: &dyn AssetSource,
) -> Result<ItemSet, SuiteError> {
    if let Some(path) = instead {
        let problem = format!(
            "the suite `{}` generates its items itself and reads no file",
            suite.definition.name
        );
        return Err(Unreadable::new(path, problem)
            .with_help("leave out the file, or write a suite of your own that reads it")
            .into());
    }
    let items = match generator.make {
        Make::Items(make) => make(),
        Make::ItemsWithPictures(make) => {
            let name = &suite.definition.name;
            let pictures = Pictures::new(Some(picture_folder(assets, Path::new(name))?));
            let keep = |bytes: &[u8]| pictures.keep(bytes).map_err(|wrong| wrong.message);
            make(&keep).map_err(|problem| Unreadable::new(Path::new(name), problem))?
        }
    };
    Ok(ItemSet {
        items,
        base: PathBuf::from("."),
        notes: Vec::new(),
        left_out: Vec::new(),
    })
}

/// Maps all records, on all cores; every broken one and every repeated id is listed. Also the number of
/// records.
fn mapped(
    mapper: &Mapper<'_>,
    joined: Option<&Joined>,
    raws: Vec<Raw<'_>>,
    name: &str,
) -> Result<(Items, usize), SuiteError> {
    let records = raws.len();
    let mut collected = Collected::new(mapper.leave_out());
    let mut raws = raws.into_iter().enumerate();
    loop {
        let batch: Vec<_> = raws.by_ref().take(BATCH).collect();
        if batch.is_empty() {
            return Ok((collected.finish(name)?, records));
        }
        let results: Vec<_> = batch
            .into_par_iter()
            .map(|(index, raw)| (index, items_of(mapper, joined, index, raw)))
            .collect();
        for (index, result) in results {
            match result {
                Ok((place, items)) => collected.add(index, &place, items),
                Err(problem) => collected.problem(problem),
            }
        }
    }
}

/// The items of a record, and the place of the record.
fn items_of(
    mapper: &Mapper<'_>,
    joined: Option<&Joined>,
    index: usize,
    raw: Raw<'_>,
) -> Result<(Place, Vec<Item>), Problem> {
    let mut record = raw.record()?;
    let place = record.place.clone();
    let added = joined.map_or(Ok(()), |joined| joined.add(&mut record.fields));
    match added
        .map_err(Wrong::from)
        .and_then(|()| mapper.items(index, record))
    {
        Ok(items) => Ok((place, items)),
        Err(wrong) => Err(Problem::of_record(place, wrong)),
    }
}
