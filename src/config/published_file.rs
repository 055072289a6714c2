//! The numbers that papers printed for a suite.

use crate::config::document::Document;
use crate::config::error::ConfigError;
use crate::config::library::{Kind, Loaded, Origin, find, list};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// Published results on one suite (`results/published/SUITE.toml`), shown beside measured rows.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PublishedFile {
    /// The suite's name, and the file's.
    pub suite: String,
    /// The tag whose keys the rows' `groups` have.
    #[serde(default)]
    pub by: Option<String>,
    /// What a perfect score is in these numbers. Default: 1.
    #[serde(default = "one")]
    pub full_mark: f64,
    /// What a perfect score is as the suite's rule grades here. Default: 1.
    #[serde(default = "one")]
    pub full_mark_here: f64,
    /// Who judged, as printed, where judges did.
    #[serde(default)]
    pub judge: Option<String>,
    /// The judge's prompts, such as "gedit official".
    #[serde(default)]
    pub prompts: Option<String>,
    #[schemars(length(min = 1))]
    pub rows: Vec<PublishedRow>,
}

/// One row of a printed table.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PublishedRow {
    pub model: String,
    /// What sets this row apart, such as "rewritten prompts".
    #[serde(default)]
    pub setting: String,
    /// The paper and its table.
    pub source: String,
    /// Who judged, where it is not the file's judge.
    #[serde(default)]
    pub judge: Option<String>,
    /// The judge's prompts, where they are not the file's.
    #[serde(default)]
    pub prompts: Option<String>,
    /// As printed.
    pub overall: f64,
    /// As printed, by group.
    #[serde(default)]
    pub groups: BTreeMap<String, f64>,
    /// What a reader of the number must know.
    #[serde(default)]
    pub notes: Vec<String>,
}

impl PublishedFile {
    /// A printed value on the scale of the grades made here.
    pub fn here(&self, value: f64) -> f64 {
        value / self.full_mark * self.full_mark_here
    }
}

fn one() -> f64 {
    1.0
}

/// The published rows of a suite; None when there are none.
///
/// # Errors
/// When the file has a mistake.
pub fn published(suite: &str) -> Result<Option<PublishedFile>, ConfigError> {
    if !list(Kind::Published)
        .iter()
        .any(|known| known.name == suite)
    {
        return Ok(None);
    }
    let (document, origin) = find(Kind::Published, suite, Path::new(""))?;
    Ok(Some(checked(document, origin)?.definition))
}

/// The checks that go beyond types.
pub(super) fn checked(
    document: Document,
    origin: Origin,
) -> Result<Loaded<PublishedFile>, ConfigError> {
    let file: PublishedFile = document.typed()?;
    for (key, mark) in [
        ("full_mark", file.full_mark),
        ("full_mark_here", file.full_mark_here),
    ] {
        if !(mark > 0.0 && mark.is_finite()) {
            let message = format!("`{key}` must be positive");
            return Err(document.mistake(&[key], message, None));
        }
    }
    for (index, row) in file.rows.iter().enumerate() {
        let mut values = row.groups.values().chain([&row.overall]);
        if let Some(value) = values.find(|value| !(0.0..=file.full_mark).contains(*value)) {
            let message = format!(
                "{value} does not lie within 0 and `full_mark` = {}",
                file.full_mark
            );
            let help = Some("numbers in percent need `full_mark = 100`".to_owned());
            return Err(document.mistake(&["rows", &index.to_string()], message, help));
        }
    }
    Ok(Loaded {
        definition: file,
        document,
        origin,
    })
}
