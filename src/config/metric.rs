//! The names of the numbers by which two runs are compared.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A number of a run that is computed from the outcomes of items.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Metric {
    /// `overall`: the suite's official number.
    Overall,
    /// `correct`: the share of outputs that are right by the rule.
    Correct,
    /// `TAG=KEY`: one group, such as `tag=counting`.
    Group {
        /// The tag.
        by: String,
        /// Its value.
        key: String,
    },
    /// `TAG=*`: every group of a tag, each by itself.
    Groups(String),
    /// `part:NAME`: the mean of one part of the score.
    Part(String),
    /// Any other name: a further number of the summary, such as `recall`.
    Named(String),
}

impl TryFrom<String> for Metric {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let named = |name: &str| !name.trim().is_empty();
        match (
            text.as_str(),
            text.split_once('='),
            text.strip_prefix("part:"),
        ) {
            ("overall", ..) => Ok(Self::Overall),
            ("correct", ..) => Ok(Self::Correct),
            (_, _, Some(name)) if named(name) => Ok(Self::Part(name.to_owned())),
            (_, Some((by, "*")), _) if named(by) => Ok(Self::Groups(by.to_owned())),
            (_, Some((by, key)), _) if named(by) && named(key) => Ok(Self::Group {
                by: by.to_owned(),
                key: key.to_owned(),
            }),
            (_, None, None) if named(&text) && !is_misspelt(&text) => Ok(Self::Named(text)),
            _ => Err(format!(
                "`{text}` is not a metric; expected `overall`, `correct`, `TAG=KEY`, `TAG=*`, `part:NAME` or a name in the summary's `metrics`"
            )),
        }
    }
}

/// Whether a name looks like one of the fixed ones.
fn is_misspelt(name: &str) -> bool {
    let near = |fixed| strsim::damerau_levenshtein(&name.to_lowercase(), fixed) <= 2;
    near("overall") || near("correct")
}

impl From<Metric> for String {
    fn from(metric: Metric) -> Self {
        metric.to_string()
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Overall => formatter.write_str("overall"),
            Self::Correct => formatter.write_str("correct"),
            Self::Group { by, key } => write!(formatter, "{by}={key}"),
            Self::Groups(by) => write!(formatter, "{by}=*"),
            Self::Part(name) => write!(formatter, "part:{name}"),
            Self::Named(name) => formatter.write_str(name),
        }
    }
}

impl schemars::JsonSchema for Metric {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Metric".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "`overall`, `correct`, `TAG=KEY` (one group), `TAG=*` (every group of a tag), `part:NAME`, or the name of a number in the summary's `metrics`.",
            "minLength": 1
        })
    }
}
