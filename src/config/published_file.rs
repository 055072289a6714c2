//! The numbers that papers printed for a suite.

use crate::config::document::Document;
use crate::config::error::ConfigError;
use crate::config::library::{Kind, Loaded, Origin, find, list};
use crate::text::decimal::Decimal;
use crate::text::nearest::nearest;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Published results on one suite (`results/published/SUITE.toml`), shown next to measured rows.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PublishedFile {
    /// The suite's name, and the file's.
    pub suite: String,
    /// The name of the benchmark, if there is no suite with that name here.
    #[serde(default)]
    pub title: Option<String>,
    /// Other suites with the same questions, so that their tables show these rows too.
    #[serde(default)]
    pub also_for: Vec<String>,
    /// The tag with the keys of the rows' `groups`.
    #[serde(default)]
    pub by: Option<String>,
    /// The keys of `groups` in the order of printing. Default: alphabetical.
    #[serde(default)]
    pub columns: Vec<String>,
    /// Columns that are among the further numbers in the summary of a run, under these names and on the
    /// printed scale.
    #[serde(default)]
    pub metrics: BTreeMap<String, String>,
    /// How the overall number follows from the columns, for a check of every row. Default: it does not.
    #[serde(default)]
    pub overall_of: Option<OverallOf>,
    /// Number of printed digits after the point. Default: the largest number in the row.
    #[serde(default)]
    pub decimals: Option<u32>,
    /// The perfect score in these numbers. Default: 1.
    #[serde(default = "full_mark_of_one")]
    pub full_mark: f64,
    /// The perfect score by the rule of the suite. Default: 1.
    #[serde(default = "full_mark_of_one")]
    pub full_mark_here: f64,
    /// The perfect score of a column, if it is not `full_mark`.
    #[serde(default)]
    pub marks: BTreeMap<String, f64>,
    /// Number of right-or-wrong answers (or pictures) of a column, or of `overall`. Every printed number is
    /// then checked to be a whole number of them. Default: not stated, or scores are partial.
    #[serde(default)]
    pub out_of: BTreeMap<String, u64>,
    /// The `setting` of the rows that equals the suite's own, such as "rewritten prompts".
    #[serde(default)]
    pub setting: Option<String>,
    /// The judge as printed, if there was one.
    #[serde(default)]
    pub judge: Option<String>,
    /// The judge's prompts, such as "gedit official".
    #[serde(default)]
    pub prompts: Option<String>,
    /// The OCR engine that read the texts in the pictures, if there was one.
    #[serde(default)]
    pub reader: Option<String>,
    /// What a reader of all these numbers must know.
    #[serde(default)]
    pub notes: Vec<String>,
    /// The published rows.
    #[schemars(length(min = 1))]
    pub rows: Vec<PublishedRow>,
}

/// How an overall number follows from its columns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OverallOf {
    /// The unweighted mean.
    Mean,
    /// The unweighted mean of these columns.
    MeanOf(Vec<String>),
    /// The sum of counts, which are not rounded.
    Sum,
    /// The sum of the columns, each multiplied by its weight.
    Weights(BTreeMap<String, f64>),
}

/// One row of a printed table.
#[derive(Debug, Clone, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PublishedRow {
    /// The model's name, as printed.
    pub model: String,
    /// The definition (`configs/models`) of this model; its runs are shown next to this row.
    #[serde(default)]
    pub definition: Option<String>,
    /// Further definitions of this model, such as one with other settings.
    #[serde(default)]
    pub more_definitions: Vec<String>,
    /// What distinguishes this row, such as "rewritten prompts".
    #[serde(default)]
    pub setting: String,
    /// The paper and its table.
    pub source: String,
    /// Further papers with the same numbers.
    #[serde(default)]
    pub also: Vec<String>,
    /// Whether the numbers were not checked against their source.
    #[serde(default)]
    pub unverified: bool,
    /// Number of printed digits after the point, if it differs from the file's.
    #[serde(default)]
    pub decimals: Option<u32>,
    /// The judge, if it differs from the file's.
    #[serde(default)]
    pub judge: Option<String>,
    /// The judge's prompts, if they differ from the file's.
    #[serde(default)]
    pub prompts: Option<String>,
    /// As printed.
    pub overall: f64,
    /// As printed, by group.
    #[serde(default)]
    pub groups: BTreeMap<String, f64>,
    /// Number of answers of this row, if it differs from the file's `out_of`.
    #[serde(default)]
    pub out_of: BTreeMap<String, u64>,
    /// What a reader of the number must know.
    #[serde(default)]
    pub notes: Vec<String>,
}

impl PublishedFile {
    /// A printed value on the scale of the grades of this program. `column` is `None` for the overall number.
    pub fn to_own_scale(&self, column: Option<&str>, value: f64) -> f64 {
        value / self.full_mark_of(column) * self.full_mark_here
    }

    /// A value of this program on the scale of the paper's.
    pub fn to_printed_scale(&self, column: Option<&str>, value: f64) -> f64 {
        value / self.full_mark_here * self.full_mark_of(column)
    }

    pub(super) fn full_mark_of(&self, column: Option<&str>) -> f64 {
        let own = column.and_then(|column| self.marks.get(column));
        *own.unwrap_or(&self.full_mark)
    }

    /// Whether the table of a suite shows these rows.
    pub fn covers(&self, suite: &str) -> bool {
        self.suite == suite || self.also_for.iter().any(|other| other == suite)
    }

    /// The keys of the rows' groups, in the order of printing.
    pub fn keys(&self) -> Vec<String> {
        if !self.columns.is_empty() {
            return self.columns.clone();
        }
        let keys = self.rows.iter().flat_map(|row| row.groups.keys().cloned());
        keys.collect::<BTreeSet<String>>().into_iter().collect()
    }
}

impl PublishedRow {
    /// The model, with what distinguishes the row.
    pub fn label(&self) -> String {
        match self.setting.as_str() {
            "" => self.model.clone(),
            setting => format!("{} ({setting})", self.model),
        }
    }

    /// The papers that print this row.
    pub fn sources(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.source.as_str()).chain(self.also.iter().map(String::as_str))
    }
}

fn full_mark_of_one() -> f64 {
    1.0
}

/// The published rows of a suite. `None` if there are none.
///
/// # Errors
/// Fails if the file has a mistake.
pub fn published(suite: &str) -> Result<Option<PublishedFile>, ConfigError> {
    if list(Kind::Published)
        .iter()
        .any(|known| known.name == suite)
    {
        return published_file(suite).map(Some);
    }
    let files = all_published()?;
    Ok(files.into_iter().find(|file| file.covers(suite)))
}

/// All published rows, by suite.
///
/// # Errors
/// Fails if a file has a mistake.
pub fn all_published() -> Result<Vec<PublishedFile>, ConfigError> {
    let known = list(Kind::Published);
    known
        .iter()
        .map(|known| published_file(&known.name))
        .collect()
}

/// The published rows of one file, by its name.
///
/// # Errors
/// Fails if there is no such file or it has a mistake.
pub fn published_file(name: &str) -> Result<PublishedFile, ConfigError> {
    let (document, origin) = find(Kind::Published, name, Path::new(""))?;
    Ok(checked(document, origin)?.definition)
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
    check_columns(&file, &document)?;
    for (index, row) in file.rows.iter().enumerate() {
        let place = index.to_string();
        let place = ["rows", &place];
        let decimals = row.decimals.or(file.decimals);
        for (column, value) in values(row) {
            let mark = file.full_mark_of(column);
            if !(0.0..=mark).contains(&value) {
                let message = format!("{value} is not between 0 and `full_mark` = {mark}");
                let help = Some("numbers in percent need `full_mark = 100`".to_owned());
                return Err(document.mistake(&place, message, help));
            }
            if decimals
                .is_some_and(|told| Decimal::from_f64(value).is_none_or(|v| v.decimals() > told))
            {
                let message = format!("{value} has more digits than `decimals` states");
                let help =
                    Some("set `decimals` in the rows that are printed with more digits".to_owned());
                return Err(document.mistake(&place, message, help));
            }
        }
        let unknown = row.groups.keys().find(|key| !file.columns.contains(key));
        if let Some(key) = unknown.filter(|_| !file.columns.is_empty()) {
            let near = nearest(key, file.columns.iter().map(String::as_str));
            let help = near.map(|near| format!("did you mean `{near}`?"));
            let message = format!("`{key}` is not among the file's `columns`");
            return Err(document.mistake(&["rows", &index.to_string(), "groups"], message, help));
        }
    }
    Ok(Loaded {
        definition: file,
        document,
        origin,
    })
}

/// The name of the overall number in `out_of`.
pub(super) const OVERALL: &str = "overall";

/// The largest number of digits that a table prints.
const MOST_DECIMALS: u32 = 9;

/// Checks that the settings of columns concern existing columns and are possible.
fn check_columns(file: &PublishedFile, document: &Document) -> Result<(), ConfigError> {
    let known = file.keys();
    let weights = match &file.overall_of {
        Some(OverallOf::Weights(weights)) => Some(weights),
        _ => None,
    };
    let of: Vec<&String> = match &file.overall_of {
        Some(OverallOf::MeanOf(names)) => names.iter().collect(),
        _ => weights
            .into_iter()
            .flat_map(|weights| weights.keys())
            .collect(),
    };
    let columns = counts(file).map(|(name, _)| name);
    let columns = columns.filter(|name| *name != OVERALL);
    for (place, names) in [
        ("overall_of", of),
        ("marks", file.marks.keys().collect()),
        ("metrics", file.metrics.keys().collect()),
        ("out_of", columns.collect()),
    ] {
        if let Some(name) = names.into_iter().find(|name| !known.contains(name)) {
            let near = nearest(name, known.iter().map(String::as_str));
            let help = near.map(|near| format!("did you mean `{near}`?"));
            let message = format!("no row has the column `{name}`");
            return Err(document.mistake(&[place], message, help));
        }
    }
    if let Some((name, _)) = counts(file).find(|(_, answers)| **answers == 0) {
        let message = format!("`{name}` = 0 must be positive");
        return Err(document.mistake(&["out_of"], message, None));
    }
    let positive = |value: &f64| *value > 0.0 && value.is_finite();
    let mut told = weights
        .into_iter()
        .flatten()
        .map(|pair| ("overall_of", pair));
    let mut marks = file.marks.iter().map(|pair| ("marks", pair));
    let wrong = told.find(|(_, (_, value))| !positive(value));
    if let Some((place, (name, value))) = wrong.or_else(|| marks.find(|(_, (_, v))| !positive(v))) {
        let message = format!("`{name}` = {value} must be positive");
        return Err(document.mistake(&[place], message, None));
    }
    let decimals = file.rows.iter().map(|row| row.decimals);
    let most = decimals.chain([file.decimals]).flatten().max();
    if most.is_some_and(|most| most > MOST_DECIMALS) {
        let message = format!("`decimals` must be at most {MOST_DECIMALS}");
        Err(document.mistake(&["decimals"], message, None))
    } else {
        Ok(())
    }
}

/// All counts of answers, of the file and of its rows.
fn counts(file: &PublishedFile) -> impl Iterator<Item = (&String, &u64)> {
    let rows = file.rows.iter().flat_map(|row| &row.out_of);
    file.out_of.iter().chain(rows)
}

/// The overall number, then the groups'.
pub(super) fn values(row: &PublishedRow) -> impl Iterator<Item = (Option<&str>, f64)> {
    let groups = row.groups.iter();
    let groups = groups.map(|(key, value)| (Some(key.as_str()), *value));
    std::iter::once((None, row.overall)).chain(groups)
}
