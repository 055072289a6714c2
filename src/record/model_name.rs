//! Names of models as people and servers write them: the normal form, the date at the end, and whether the
//! model that answered is the one that was asked for.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// Endings of a gateway's name that say how a model is served, not which model it is.
const ROUTES: [&str; 4] = [":free", ":nitro", ":floor", ":beta"];

/// Revisions after `@` that name no version.
const MOVING: [&str; 4] = ["", "main", "default", "latest"];

/// A name in its normal form, with the date split off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelName {
    whole: String,
    base: String,
    /// The date's digits, in the order in which the name has them.
    date: Option<String>,
}

impl ModelName {
    /// Reads a name.
    pub fn parse(name: &str) -> Self {
        let whole = normal(name);
        let (base, date) = split(&whole);
        Self {
            base: base.to_owned(),
            date,
            whole,
        }
    }

    /// Whether both name the same model and version.
    pub fn is_same(&self, other: &Self) -> bool {
        self.whole == other.whole || (self.base == other.base && self.date == other.date)
    }

    /// Whether both cannot be the same: their bases differ, or both have a date and the dates differ.
    pub fn conflicts(&self, other: &Self) -> bool {
        let dates = self.date.as_ref().zip(other.date.as_ref());
        self.base != other.base || dates.is_some_and(|(one, other)| one != other)
    }
}

fn normal(name: &str) -> String {
    let lower = name.trim().to_lowercase();
    let name = lower.strip_prefix("models/").unwrap_or(&lower);
    let name = name.trim_end_matches('/');
    let name = name.rsplit('/').next().unwrap_or(name);
    let route = ROUTES.iter().find_map(|route| name.strip_suffix(route));
    let name = route.unwrap_or(name);
    match name.split_once('@') {
        Some((model, version)) if MOVING.contains(&version) => model.to_owned(),
        Some((model, version)) => format!("{model}-{version}"),
        None => name.to_owned(),
    }
}

/// The base, and the digits of the date at the end of a name in its normal form.
fn split(name: &str) -> (&str, Option<String>) {
    if let Some(base) = name.strip_suffix("-latest") {
        return (base, None);
    }
    let parts: Vec<&str> = name.split('-').collect();
    let dated = |count: usize| {
        let (base, end) = parts.split_at(parts.len().checked_sub(count)?);
        let digits = |part: &&str| part.bytes().all(|byte| byte.is_ascii_digit());
        let good = !base.is_empty() && end.iter().all(digits) && is_date(end);
        good.then(|| end.concat())
    };
    for count in [3, 2, 1] {
        if let Some(date) = dated(count) {
            // Each part has its hyphen.
            let base = &name[..name.len() - date.len() - count];
            return (base, Some(date));
        }
    }
    (name, None)
}

/// Whether digits between hyphens are one of the forms of a date.
fn is_date(parts: &[&str]) -> bool {
    let number = |text: &str| text.parse::<i16>().unwrap_or(-1);
    let year = |text: &str| text.len() == 4 && (2019..=2039).contains(&number(text));
    let month = |text: &str| text.len() == 2 && (1..=12).contains(&number(text));
    // A leap year has all days that a month can have.
    let day = |year: i16, month: &str, day: &str| {
        let [month, number] = [month, day].map(|text| text.parse::<i8>().unwrap_or(-1));
        day.len() == 2 && Date::new(year, month, number).is_ok()
    };
    match parts {
        [y, m, d] => year(y) && month(m) && day(number(y), m, d),
        [m, y] if y.len() == 4 => month(m) && year(y),
        [m, d] => month(m) && day(2020, m, d),
        [one] => match one.len() {
            8 => {
                year(&one[..4])
                    && month(&one[4..6])
                    && day(number(&one[..4]), &one[4..6], &one[6..])
            }
            4 => {
                let (first, second) = one.split_at(2);
                let month_and_day = month(first) && day(2020, first, second);
                month_and_day || ((19..=39).contains(&number(first)) && month(second))
            }
            length => length == 3,
        },
        _ => false,
    }
}

/// How the model that answered relates to the one that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// The same model and version.
    Same,
    /// A version of the model that was asked for without one.
    Pinned,
    /// The model without the version that was asked for.
    Unpinned,
    /// Another version.
    #[serde(rename = "other date")]
    OtherDate,
    /// Another model.
    Redirected,
    /// The server named no model.
    Unknown,
    /// One that the settings declare to be right.
    Declared,
}

impl Class {
    /// Compares the asked name with the answered one; `declared` are further names that are right.
    pub fn of_answer(asked: &str, answered: Option<&str>, declared: &[String]) -> Self {
        let Some(answered) = answered.filter(|name| !name.trim().is_empty()) else {
            return Self::Unknown;
        };
        let [asked, answered] = [asked, answered].map(ModelName::parse);
        let is_declared = |name: &String| ModelName::parse(name).is_same(&answered);
        match (&asked.date, &answered.date) {
            _ if asked.is_same(&answered) => Self::Same,
            _ if declared.iter().any(is_declared) => Self::Declared,
            _ if asked.base != answered.base => Self::Redirected,
            (None, _) => Self::Pinned,
            (_, None) => Self::Unpinned,
            _ => Self::OtherDate,
        }
    }

    /// Whether another model or version answered than the one asked for.
    pub fn is_another(self) -> bool {
        matches!(self, Self::OtherDate | Self::Redirected)
    }

    /// The word in records.
    pub fn word(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Pinned => "pinned",
            Self::Unpinned => "unpinned",
            Self::OtherDate => "other date",
            Self::Redirected => "redirected",
            Self::Unknown => "unknown",
            Self::Declared => "declared",
        }
    }
}

/// The note on an output of another model than the one asked for. `None` if the server names no model, or the
/// asked one.
pub fn another_model_note(asked: &str, answered: Option<&str>) -> Option<String> {
    let class = Class::of_answer(asked, answered, &[]);
    let answered = answered.filter(|_| class.is_another())?;
    Some(format!(
        "`{asked}` was asked, and the server says that `{answered}` answered"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(asked: &str, answered: &str) -> Class {
        Class::of_answer(asked, Some(answered), &[])
    }

    #[test]
    fn every_form_of_a_date_is_split_off() {
        for (name, base, date) in [
            ("gpt-4.1-2025-04-14", "gpt-4.1", "20250414"),
            ("claude-x-20250514", "claude-x", "20250514"),
            (
                "gemini-2.5-flash-preview-05-20",
                "gemini-2.5-flash-preview",
                "0520",
            ),
            (
                "gemini-2.5-flash-preview-09-2025",
                "gemini-2.5-flash-preview",
                "092025",
            ),
            ("gpt-4-0613", "gpt-4", "0613"),
            ("qwen-image-edit-2509", "qwen-image-edit", "2509"),
            ("gemini-1.5-pro-002", "gemini-1.5-pro", "002"),
            // The day that only leap years have, and Vertex's version.
            ("x-2024-02-29", "x", "20240229"),
            ("claude-sonnet-4@20250514", "claude-sonnet-4", "20250514"),
        ] {
            let read = ModelName::parse(name);
            assert_eq!(
                (read.base.as_str(), read.date.as_deref()),
                (base, Some(date)),
                "{name}"
            );
        }
    }

    #[test]
    fn what_is_no_date_belongs_to_the_model() {
        for name in [
            "gpt-4.1",
            "qwen3-vl-8b",
            "llama3:70b",
            "model-4096",
            "x-2018",
            "x-20250230",
            "x-20250",
            "x-13-45",
            "20250514",
            "-",
            "",
            "modell-٢٠٢٥",
        ] {
            let read = ModelName::parse(name);
            assert_eq!((read.base.as_str(), &read.date), (name, &None), "{name}");
        }
        // A year that no model of this kind has leaves a month and a day, and nothing is a day of February
        // alone.
        assert_eq!(ModelName::parse("x-1999-04-14").base, "x-1999");
        assert_eq!(ModelName::parse("x-2025-02-30").date, None);
        assert_eq!(ModelName::parse("gpt-4.1-latest").base, "gpt-4.1");
    }

    #[test]
    fn the_examples_of_each_class() {
        for (asked, answered, expected) in [
            ("GPT-4o", "openai/gpt-4o", Class::Same),
            ("x-2024-08-06", "x-20240806", Class::Same),
            (
                "Qwen/Qwen3-VL-8B-Instruct",
                "Qwen/Qwen3-VL-8B-Instruct@main",
                Class::Same,
            ),
            ("gemini-2.5-pro", "models/gemini-2.5-pro", Class::Same),
            (
                "google/gemini-2.5-pro:free",
                "gemini-2.5-pro@default",
                Class::Same,
            ),
            ("gpt-4o:nitro", " GPT-4o:floor ", Class::Same),
            ("/data/Qwen3-VL/", "/other/qwen3-vl", Class::Same),
            ("gpt-4.1-latest", "gpt-4.1", Class::Same),
            ("gpt-4.1", "gpt-4.1-2025-04-14", Class::Pinned),
            ("gpt-4.1-latest", "gpt-4.1-2025-04-14", Class::Pinned),
            ("claude-sonnet-4", "claude-sonnet-4@20250514", Class::Pinned),
            ("gpt-4o-2024-11-20", "gpt-4o", Class::Unpinned),
            ("gpt-4o-2024-08-06", "gpt-4o-2024-11-20", Class::OtherDate),
            ("gpt-4-0613", "gpt-4-1106", Class::OtherDate),
            ("gemini-1.5-pro-001", "gemini-1.5-pro-002", Class::OtherDate),
            ("gemini-2.5-pro", "gemini-3.8-flash", Class::Redirected),
            (
                "gemini-2.5-flash",
                "gemini-2.5-flash-preview-05-20",
                Class::Redirected,
            ),
            (
                "Qwen/Qwen3-VL-8B-Instruct",
                "Qwen/Qwen3-VL-8B-Thinking",
                Class::Redirected,
            ),
            ("gpt-4o", "gpt-4o:extended", Class::Redirected),
            ("gpt-4o", "gpt-4o-mini", Class::Redirected),
            ("qwen3-vl-8b", "qwen3-vl-32b", Class::Redirected),
            ("llama3:8b", "llama3:70b", Class::Redirected),
            ("my-deployment", "gpt-4.1-2025-04-14", Class::Redirected),
            ("gpt-4o", " ", Class::Unknown),
        ] {
            assert_eq!(class(asked, answered), expected, "{asked} → {answered}");
        }
        assert_eq!(Class::of_answer("gpt-4o", None, &[]), Class::Unknown);
    }

    #[test]
    fn declared_names_are_right_whatever_was_asked() {
        let declared = ["OpenAI/gpt-4.1-2025-04-14".to_owned()];
        let of = |asked, answered| Class::of_answer(asked, Some(answered), &declared);
        assert_eq!(of("my-deployment", "gpt-4.1-2025-04-14"), Class::Declared);
        assert_eq!(of("my-deployment", "gpt-4.1"), Class::Redirected);
        assert_eq!(of("my-deployment", "My-Deployment"), Class::Same);
        assert_eq!(Class::of_answer("gpt-4.1", None, &declared), Class::Unknown);
    }

    #[test]
    fn names_conflict_by_base_or_by_two_dates() {
        let conflict = |one, other| ModelName::parse(one).conflicts(&ModelName::parse(other));
        assert!(conflict("gpt-4o-2024-08-06", "gpt-4o-2024-11-20"));
        assert!(conflict("gpt-4o", "gpt-4.1"));
        assert!(!conflict("gpt-4o", "gpt-4o-2024-11-20"));
        assert!(!conflict("openai/gpt-4o", "GPT-4o@main"));
    }

    #[test]
    fn words_are_those_of_the_records() {
        for class in [
            Class::Same,
            Class::OtherDate,
            Class::Unpinned,
            Class::Declared,
        ] {
            assert_eq!(serde_json::to_value(class).unwrap(), class.word());
        }
    }
}
