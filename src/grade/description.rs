//! The description of a rule: all that the program knows of it besides its code, in one value.

use crate::config::Settings;
use crate::grade::error::{OptionError, RuleError};
use crate::grade::rule::Rule;
use crate::record::{Evidence, Item, Object};
use schemars::{JsonSchema, Schema, SchemaGenerator};

/// A rule, described. Each rule's file has one such value, and [`RULES`](super::RULES) lists them.
#[derive(Debug)]
pub struct RuleDescription {
    /// The name that a suite's `grade.rule` takes.
    pub name: &'static str,
    /// What the rule does, in one sentence, for `unigauge list rules`.
    pub about: &'static str,
    /// What the rule reads of an output. A rule with an option that chooses among several names all of them.
    pub reads: &'static [Reads],
    /// Options that name the file of an asset. Such an option takes that file if it is not set and the file
    /// was fetched.
    pub assets: &'static [OptionAsset],
    /// The files that the rule writes as the benchmark's own scripts do. Words in capitals stand for names.
    pub official_files: &'static [&'static str],
    /// How the rule reads the results that the benchmark's own script writes. `None` if it does not read
    /// them.
    pub official_results: Option<OfficialResults>,
    /// Increases when the rule grades the same evidence otherwise.
    pub version: u32,
    options: fn() -> Schema,
    build: Build,
}

/// What a rule reads of an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reads {
    /// The output's own text.
    Answer,
    /// The evidence with this key, such as `detections`.
    Evidence(&'static str),
    /// The evidence with the key that an option names.
    EvidenceOfOption(&'static str),
}

/// An option that takes an asset's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OptionAsset {
    /// The option's name.
    pub option: &'static str,
    /// The asset's id in the hub.
    pub asset: &'static str,
}

/// How a rule reads the results of the benchmark's own script, one JSON object on each line, instead of
/// evidence.
#[derive(Debug, Clone, Copy)]
pub struct OfficialResults {
    /// Whether a line is from such a file.
    pub recognise: fn(&Object) -> bool,
    /// A line as evidence. The error says why the line belongs to none of the items.
    pub read: fn(&Object, &[Item]) -> Result<Evidence, String>,
    /// What such a file has on every line, for the help of an error.
    pub format: &'static str,
}

/// Builds a rule from the options of a suite.
type Build = fn(&Settings) -> Result<Box<dyn Rule>, OptionError>;

impl RuleDescription {
    /// A rule with options of type `O`. It reads no asset and no file of the benchmark's own script, and it
    /// writes no such file.
    pub(super) const fn new<O: JsonSchema>(
        name: &'static str,
        about: &'static str,
        reads: &'static [Reads],
        build: Build,
    ) -> Self {
        Self {
            name,
            about,
            reads,
            assets: &[],
            official_files: &[],
            official_results: None,
            version: 1,
            options: schema::<O>,
            build,
        }
    }

    /// The same with options that take an asset's file.
    pub(super) const fn with_assets(mut self, assets: &'static [OptionAsset]) -> Self {
        self.assets = assets;
        self
    }

    /// The same for a rule that writes files of the benchmark's own scripts.
    pub(super) const fn with_official_files(
        mut self,
        official_files: &'static [&'static str],
    ) -> Self {
        self.official_files = official_files;
        self
    }

    /// The same for a rule that reads the results of the benchmark's own script.
    pub(super) const fn with_official_results(mut self, official_results: OfficialResults) -> Self {
        self.official_results = Some(official_results);
        self
    }

    /// The JSON schema of the rule's options.
    pub fn options_schema(&self) -> Schema {
        (self.options)()
    }

    /// Builds the rule from a suite's options.
    ///
    /// # Errors
    /// Fails if an option is unknown or of the wrong type, or a value is out of range.
    pub fn build(&self, options: &Settings) -> Result<Box<dyn Rule>, RuleError> {
        (self.build)(options).map_err(|error| error.with_rule(self.name))
    }
}

fn schema<O: JsonSchema>() -> Schema {
    SchemaGenerator::default().into_root_schema_for::<O>()
}
