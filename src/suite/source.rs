//! Where the records of a suite lie: a built-in text, files, or a folder, and how they are written.

use crate::config::{Loaded, Origin, SuiteFile, embedded_file};
use crate::formats::{self, Format, FormatDescription, Several, Unreadable};
use crate::paths::{cached_snapshot, expanded};
use crate::record::Object;
use crate::suite::assets::AssetSource;
use crate::suite::data_set;
use crate::suite::error::SuiteError;
use crate::suite::listing::{files, fits};
use crate::text::json;
use serde_json::Value;
use std::borrow::Cow;
use std::path::{Path, PathBuf};

/// A source that is found and not yet read.
pub(super) enum Found {
    BuiltIn {
        /// Its path in the repository.
        path: PathBuf,
        text: &'static str,
    },
    /// A folder of `.txt` prompts.
    Folder(PathBuf),
    /// One file, or several of one kind that make one source.
    Files { name: PathBuf, files: Vec<PathBuf> },
}

impl Found {
    /// Finds the source of a suite, or `instead`, the user's own.
    ///
    /// # Errors
    /// Fails if an asset is not available, or there is no such file.
    pub(super) fn of_suite(
        suite: &Loaded<SuiteFile>,
        instead: Option<&Path>,
        assets: &dyn AssetSource,
    ) -> Result<Self, SuiteError> {
        let source = &suite.definition.items;
        match instead {
            Some(path) => Ok(found_at(expanded(path))?),
            None => Self::named(
                suite,
                source.asset.as_deref(),
                source.file.as_deref(),
                assets,
            ),
        }
    }

    /// Finds an asset, or a file beside the suite.
    ///
    /// # Errors
    /// Fails when [`Self::of_suite`] fails.
    pub(super) fn named(
        suite: &Loaded<SuiteFile>,
        asset: Option<&str>,
        file: Option<&str>,
        assets: &dyn AssetSource,
    ) -> Result<Self, SuiteError> {
        if let Some(asset) = asset {
            let files = assets.paths(asset).map_err(|cause| SuiteError::Asset {
                asset: asset.to_owned(),
                cause,
            })?;
            return match <[PathBuf; 1]>::try_from(files) {
                Ok([one]) => Ok(found_at(one)?),
                Err(files) => Ok(Self::Files {
                    name: PathBuf::from(asset),
                    files,
                }),
            };
        }
        let file = file.unwrap_or_default();
        match &suite.origin {
            Origin::File(_) => Ok(found_at(suite.base().join(expanded(Path::new(file))))?),
            Origin::BuiltIn(definition) => {
                let path = Path::new(definition).with_file_name(file);
                let text = embedded_file(&path.to_string_lossy().replace('\\', "/"));
                match text {
                    Some(text) => Ok(Self::BuiltIn { path, text }),
                    None => Err(Unreadable::new(&path, "this suite has no items of its own")
                        .with_help(format!(
                            "give your copy of the items: `--items FILE`. {}",
                            suite.definition.description
                        ))
                        .into()),
                }
            }
        }
    }

    /// The name of the source in messages.
    pub(super) fn name(&self) -> &Path {
        match self {
            Self::BuiltIn { path, .. } | Self::Folder(path) => path,
            Self::Files { name, .. } => name,
        }
    }

    /// The name of its file without the extension.
    pub(super) fn stem(&self) -> &str {
        stem(self.name())
    }

    /// The folder that relative paths in it start from.
    pub(super) fn base(&self) -> PathBuf {
        let folder = match self {
            Self::BuiltIn { .. } => None,
            Self::Folder(path) => Some(path.as_path()),
            Self::Files { files, .. } => files.first().and_then(|file| file.parent()),
        };
        match folder {
            Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
            _ => PathBuf::from("."),
        }
    }

    /// How the source is written. For the suite's own source, the format that the suite states decides. For a
    /// file that the user gives, the extension decides.
    ///
    /// # Errors
    /// Fails if neither is known.
    pub(super) fn format(&self, stated: Option<Format>, given: bool) -> Result<Format, Unreadable> {
        let named = match self {
            Self::Folder(_) => return Ok(formats::of_folders()),
            Self::BuiltIn { path, .. } => path,
            Self::Files { name, files } => files.first().unwrap_or(name),
        };
        let by_name = formats::by_extension(named);
        // Files with a JSON form of their own end in .json too.
        let own = stated.is_some_and(|format| format.own_json.is_some()) && is_json(named);
        let format = if given && !own {
            by_name.or(stated)
        } else {
            stated.or(by_name)
        };
        format.ok_or_else(|| {
            let endings = formats::usual_endings(|_| true);
            Unreadable::new(named, "its name does not show its format").with_help(format!(
                "give it a name that ends in {endings}, or set `format` under [items]"
            ))
        })
    }

    /// The text of a source that is read as a whole.
    ///
    /// # Errors
    /// Fails if it cannot be read, or is not UTF-8.
    pub(super) fn text(&self, format: Format) -> Result<Cow<'static, str>, Unreadable> {
        match self {
            Self::BuiltIn { text, .. } => Ok(Cow::Borrowed(text)),
            Self::Folder(path) => Err(Unreadable::new(path, "this is a folder")),
            Self::Files { name, files } => match files.as_slice() {
                [one] => Ok(Cow::Owned(read(one)?)),
                many if many.iter().all(|file| is_json(file)) => {
                    let how = format.own_json.unwrap_or(Several::Array);
                    Ok(Cow::Owned(joined(many, how)?))
                }
                _ => {
                    let endings = formats::usual_endings(FormatDescription::takes_several_files);
                    let problem = "these files cannot make one source together";
                    Err(Unreadable::new(name, problem).with_help(format!(
                        "give one file, or several files whose names all end in {endings}"
                    )))
                }
            },
        }
    }
}

fn read(path: &Path) -> Result<String, Unreadable> {
    let bytes = std::fs::read(path)
        .map_err(|error| Unreadable::new(path, format!("cannot be read ({error})")))?;
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let before = error.as_bytes().get(..valid).unwrap_or_default();
        let line = before.split(|byte| *byte == b'\n').count();
        Unreadable::new(path, format!("line {line} is not UTF-8 text"))
    })
}

/// The values of several JSON files as one value.
fn joined(files: &[PathBuf], how: Several) -> Result<String, Unreadable> {
    let mut all = Vec::new();
    let mut by_name = Object::new();
    for path in files {
        let text = read(path)?;
        let value = json::read(text.as_bytes());
        let value =
            value.map_err(|error| Unreadable::new(path, format!("this is not JSON: {error}")))?;
        match (how, value) {
            (Several::ByName, value) => {
                by_name.insert(stem(path).to_owned(), value);
            }
            (Several::Array, Value::Array(values)) => all.extend(values),
            (Several::Array, value) => all.push(value),
        }
    }
    let joined = match how {
        Several::ByName => Value::Object(by_name),
        Several::Array => Value::Array(all),
    };
    Ok(joined.to_string())
}

fn stem(path: &Path) -> &str {
    let stem = path.file_stem().and_then(|stem| stem.to_str());
    stem.unwrap_or_default()
}

fn is_json(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("json"))
}

/// The source at a path: a file, a folder of prompts, a folder of tables, or the files that a `*` in the
/// last part of the path names.
fn found_at(path: PathBuf) -> Result<Found, Unreadable> {
    if path.is_dir() {
        let path = cached_snapshot(&path).unwrap_or(path);
        return match data_set::tables(&path)? {
            Some(files) => Ok(Found::Files { name: path, files }),
            None => Ok(Found::Folder(path)),
        };
    }
    let last = path.file_name().and_then(|name| name.to_str());
    if let Some(pattern) = last.filter(|name| name.contains('*') && !path.exists()) {
        let folder = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let files = files(folder, &|name| fits(pattern, name))?;
        return if files.is_empty() {
            Err(Unreadable::new(
                &path,
                "no file has a name that fits this pattern",
            ))
        } else {
            Ok(Found::Files {
                name: folder.to_owned(),
                files,
            })
        };
    }
    if !path.exists() {
        return Err(Unreadable::new(&path, "there is no such file"));
    }
    Ok(Found::Files {
        name: path.clone(),
        files: vec![path],
    })
}
