//! The rules by name.

use super::{
    Rule, accuracy, anls, contains, dpg, edit_distance, edit_measures, exact_match, gedit, genai,
    geneval, imgedit, longtext, measure, mmmu, multiple_choice, numeric, object_edit, ocrbench,
    ocrbench_v2, oneig_text, page_ocr, relaxed_accuracy, text_recall, vqa_accuracy, wise, yes_no,
};
use crate::config::{ConfigError, Settings};
use crate::text::wordnet::WordNetError;
use serde_json::Value;

/// A mistake in a suite's choice of rule.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum RuleError {
    #[error("unknown grading rule {name:?}")]
    #[diagnostic(help("{help}"))]
    Unknown { name: String, help: String },
    #[error("options of grading rule {rule}: {source}")]
    Options {
        rule: String,
        #[diagnostic_source]
        source: ConfigError,
    },
    #[error("option `{option}` of grading rule {rule} is {value}; expected {expected}")]
    #[diagnostic(help("leave the option out to take the default"))]
    Value {
        rule: &'static str,
        option: &'static str,
        value: f64,
        expected: &'static str,
    },
    #[error("option `wordnet` of grading rule {rule}: {problem}")]
    #[diagnostic(help(
        "name the folder with WordNet's `index.noun` and the like, or the archive wordnet.zip of NLTK's data; `unigauge fetch wordnet` fetches it"
    ))]
    WordNet {
        rule: &'static str,
        problem: WordNetError,
    },
    #[error("option `{option}` of grading rule {rule} is {value:?}; expected {expected}")]
    #[diagnostic(help("leave the option out to take the default"))]
    Choice {
        rule: &'static str,
        option: &'static str,
        value: &'static str,
        expected: &'static str,
    },
}

impl RuleError {
    pub(super) fn wordnet(rule: &'static str, problem: WordNetError) -> Self {
        Self::WordNet { rule, problem }
    }

    pub(super) fn value(
        rule: &'static str,
        option: &'static str,
        value: f64,
        expected: &'static str,
    ) -> Self {
        Self::Value {
            rule,
            option,
            value,
            expected,
        }
    }
}

type Build = fn(&Settings) -> Result<Box<dyn Rule>, BuildError>;

/// What building from settings can run into; [`build`] adds the rule's name.
enum BuildError {
    Options(ConfigError),
    Rule(RuleError),
}

impl From<ConfigError> for BuildError {
    fn from(error: ConfigError) -> Self {
        Self::Options(error)
    }
}

impl From<RuleError> for BuildError {
    fn from(error: RuleError) -> Self {
        Self::Rule(error)
    }
}

struct Entry {
    name: &'static str,
    build: Build,
}

const RULES: &[Entry] = &[
    Entry {
        name: "accuracy",
        build: |s| Ok(Box::new(accuracy::Accuracy(s.read()?))),
    },
    Entry {
        name: "anls",
        build: |s| Ok(Box::new(anls::Anls::new(s.read()?)?)),
    },
    Entry {
        name: "contains",
        build: |s| Ok(Box::new(contains::Contains(s.read()?))),
    },
    Entry {
        name: "dpg-bench",
        build: |s| Ok(Box::new(dpg::Dpg(s.read()?))),
    },
    Entry {
        name: "edit-distance",
        build: |s| Ok(Box::new(edit_distance::EditDistance(s.read()?))),
    },
    Entry {
        name: "edit-measures",
        build: |s| Ok(Box::new(edit_measures::EditMeasures::new(s.read()?)?)),
    },
    Entry {
        name: "exact-match",
        build: |s| Ok(Box::new(exact_match::ExactMatch(s.read()?))),
    },
    Entry {
        name: "gedit",
        build: |s| Ok(Box::new(gedit::GEdit::new(s.read()?)?)),
    },
    Entry {
        name: "genai-bench",
        build: |s| Ok(Box::new(genai::GenAiBench(s.read()?))),
    },
    Entry {
        name: "geneval",
        build: |s| Ok(Box::new(geneval::GenEval::new(s.read()?)?)),
    },
    Entry {
        name: "imgedit",
        build: |s| Ok(Box::new(imgedit::ImgEdit(s.read()?))),
    },
    Entry {
        name: "longtext",
        build: |s| Ok(Box::new(longtext::LongText(s.read()?))),
    },
    Entry {
        name: "measure",
        build: |s| Ok(Box::new(measure::Measure(s.read()?))),
    },
    Entry {
        name: "mmmu",
        build: |s| Ok(Box::new(mmmu::Mmmu(s.read()?))),
    },
    Entry {
        name: "multiple-choice",
        build: |s| Ok(Box::new(multiple_choice::MultipleChoice(s.read()?))),
    },
    Entry {
        name: "numeric",
        build: |s| Ok(Box::new(numeric::Numeric::new(s.read()?)?)),
    },
    Entry {
        name: "object-edit",
        build: |s| Ok(Box::new(object_edit::ObjectEdit::new(s.read()?)?)),
    },
    Entry {
        name: "ocrbench",
        build: |s| Ok(Box::new(ocrbench::OcrBench(s.read()?))),
    },
    Entry {
        name: "ocrbench-v2",
        build: |s| Ok(Box::new(ocrbench_v2::OcrBenchV2::new(s.read()?)?)),
    },
    Entry {
        name: "oneig-text",
        build: |s| Ok(Box::new(oneig_text::OneIgText(s.read()?))),
    },
    Entry {
        name: "page-ocr",
        build: |s| Ok(Box::new(page_ocr::PageOcr::new(s.read()?)?)),
    },
    Entry {
        name: "relaxed-accuracy",
        build: |s| Ok(Box::new(relaxed_accuracy::RelaxedAccuracy::new(s.read()?)?)),
    },
    Entry {
        name: "text-recall",
        build: |s| Ok(Box::new(text_recall::TextRecall(s.read()?))),
    },
    Entry {
        name: "vqa-accuracy",
        build: |s| Ok(Box::new(vqa_accuracy::VqaAccuracy(s.read()?))),
    },
    Entry {
        name: "wise",
        build: |s| Ok(Box::new(wise::Wise::new(s.read()?)?)),
    },
    Entry {
        name: "yes-no",
        build: |s| Ok(Box::new(yes_no::YesNo(s.read()?))),
    },
];

/// The names that a suite's `grade.rule` may take.
pub fn names() -> impl Iterator<Item = &'static str> {
    RULES.iter().map(|rule| rule.name)
}

/// The options of a rule that take an asset's file when they are not set and the file is there: option and asset.
pub fn assets(name: &str) -> &'static [(&'static str, &'static str)] {
    match name {
        "page-ocr" => &[("wordnet", "wordnet")],
        _ => &[],
    }
}

/// Builds a rule from the options of its suite.
///
/// # Errors
/// When there is no such rule, an option is unknown or of the wrong type, or a value is out of range.
pub fn build(name: &str, options: &Settings) -> Result<Box<dyn Rule>, RuleError> {
    let rule = RULES
        .iter()
        .find(|rule| rule.name == name)
        .ok_or_else(|| unknown(name))?;
    (rule.build)(options).map_err(|error| match error {
        BuildError::Rule(error) => error,
        BuildError::Options(source) => RuleError::Options {
            rule: name.to_owned(),
            source,
        },
    })
}

/// Builds the rule of a note that a summary keeps: `{"rule", "options"}`.
///
/// # Errors
/// As [`build`].
pub fn noted(note: &Value) -> Result<Box<dyn Rule>, RuleError> {
    let name = note["rule"].as_str().unwrap_or_default();
    let options: toml::Table = serde_json::from_value(note["options"].clone()).unwrap_or_default();
    let options = Settings::from_table(&options).map_err(|source| RuleError::Options {
        rule: name.to_owned(),
        source,
    })?;
    build(name, &options)
}

fn unknown(name: &str) -> RuleError {
    let known: Vec<&str> = names().collect();
    let nearest = known
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .min()
        .filter(|(distance, candidate)| *distance <= candidate.len() / 2);
    let suggestion = match nearest {
        Some((_, candidate)) => format!("did you mean {candidate:?}? "),
        None => String::new(),
    };
    RuleError::Unknown {
        name: name.to_owned(),
        help: format!("{suggestion}the rules are {}", known.join(", ")),
    }
}
