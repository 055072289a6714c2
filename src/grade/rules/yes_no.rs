//! `yes-no`: questions that are answered with yes or no, with POPE's measures.

use crate::grade::description::{Reads, RuleDescription};
use crate::grade::lack::Lack;
use crate::grade::reading::{self, From, quote};
use crate::grade::rule::{Board, Case, Rule, Verdict};
use crate::record::Grade;
use crate::record::Overall;
use crate::record::evidence::TextReading;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// How a reply is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Reading {
    /// Only what says yes or no counts. A reply that says neither, or both, is wrong.
    #[default]
    Strict,
    /// As in POPE's script: no if the first sentence has the word `no`, `No` or `not`. Any other reply is a
    /// yes.
    Official,
}

/// What the suite's one number is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Headline {
    /// The share of right answers.
    #[default]
    Accuracy,
    /// F1 of yes. It does not count right noes, only the items where yes was due or said.
    F1,
}

/// The description of `yes-no`.
pub(super) const RULE: RuleDescription = RuleDescription::new::<YesNoOptions>(
    "yes-no",
    "Questions that are answered with yes or no, with the measures of POPE.",
    &[Reads::Answer, Reads::Evidence(TextReading::KEY)],
    |options| Ok(Box::new(YesNo(options.read()?))),
);

/// Options of `yes-no`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct YesNoOptions {
    /// Whose words are graded. Default: the output's own.
    pub from: From,
    /// The OCR observer to use if there are several.
    pub observer: Option<String>,
    /// How a reply is read. Default: strictly.
    pub reading: Reading,
    /// What the suite's one number is. Default: the accuracy.
    pub headline: Headline,
    /// The tag whose groups are measured one by one. The headline number is then the mean over them.
    pub groups: Option<String>,
}

/// Yes is the positive class (Li et al., EMNLP 2023). A reply that says neither is wrong: it does not change
/// the precision, it lowers the recall if yes was due, and it is not a yes in the yes ratio. `correct` means
/// the answer that was due. Parts: one of `true_yes`, `false_yes`, `missed_yes`, `true_no` and, for a no that
/// was due and not said, `missed_no`.
pub(super) struct YesNo(pub YesNoOptions);

impl YesNo {
    fn verdict(&self, case: &Case<'_>) -> Result<Verdict, Lack> {
        let options = &self.0;
        let said = reading::model_words(case, options.from, options.observer.as_deref())?;
        let due = yes_is_due(case)?;
        let (found, how) = match options.reading {
            Reading::Strict => read_strictly(said),
            Reading::Official => read_officially(said),
        };
        let part = match (due, found) {
            (true, Some(true)) => "true_yes",
            (true, _) => "missed_yes",
            (false, Some(true)) => "false_yes",
            (false, Some(false)) => "true_no",
            (false, None) => "missed_no",
        };
        let correct = found == Some(due);
        let word = |yes| if yes { "yes" } else { "no" };
        let extracted = found.map_or("nothing", word);
        let reason = format!(
            "said {}, extracted {extracted} ({how}), expected {}",
            quote(said),
            word(due)
        );
        Ok(Verdict {
            parts: BTreeMap::from([(part.to_owned(), 1.0)]),
            ..Verdict::scored(f64::from(u8::from(correct)), correct, reason)
        })
    }
}

/// Whether yes is right.
fn yes_is_due(case: &Case<'_>) -> Result<bool, Lack> {
    let answers = reading::answers(case)?;
    match answers.as_slice() {
        [one] if one.trim().eq_ignore_ascii_case("yes") => Ok(true),
        [one] if one.trim().eq_ignore_ascii_case("no") => Ok(false),
        [other] => Err(Lack::of_record(format!(
            "the item's answer {} is neither yes nor no",
            quote(other)
        ))),
        _ => Err(Lack::of_record(
            "the item has several answers, where yes or no was expected",
        )),
    }
}

/// The first word if it is yes or no, else the only one of both words that occurs.
fn read_strictly(said: &str) -> (Option<bool>, &'static str) {
    let lower: String = said
        .chars()
        .map(to_ascii)
        .collect::<String>()
        .to_lowercase();
    let words: Vec<&str> = lower
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    match words.first() {
        None => return (None, "the reply has no words"),
        Some(&"yes") => return (Some(true), "first word"),
        Some(&"no") => return (Some(false), "first word"),
        Some(_) => {}
    }
    match (words.contains(&"yes"), words.contains(&"no")) {
        (true, false) => (Some(true), "the only yes or no in it"),
        (false, true) => (Some(false), "the only yes or no in it"),
        (true, true) => (None, "ambiguous: both yes and no occur"),
        (false, false) => (None, "neither yes nor no occurs"),
    }
}

fn read_officially(said: &str) -> (Option<bool>, &'static str) {
    let sentence = said.split('.').next().unwrap_or_default().replace(',', "");
    let no = sentence
        .split(' ')
        .any(|word| matches!(word, "No" | "not" | "no"));
    if no {
        (
            Some(false),
            "official reading: `no` or `not` in the first sentence",
        )
    } else {
        (
            Some(true),
            "official reading: no `no` in the first sentence",
        )
    }
}

/// Full-width letters as ASCII.
fn to_ascii(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xff01 + 0x21).unwrap_or(c),
        other => other,
    }
}

impl Rule for YesNo {
    fn grade(&self, case: &Case<'_>) -> Verdict {
        self.verdict(case).unwrap_or_else(Verdict::unscored)
    }

    /// F1 = 2 true yes / (2 true yes + false yes + missed yes), a ratio of sums.
    fn fraction(&self, grade: &Grade) -> Option<(f64, f64)> {
        let score = grade.score?;
        let has = |part: &str| grade.parts.get(part).is_some();
        Some(match self.0.headline {
            Headline::Accuracy => (score, 1.0),
            Headline::F1 if has("true_yes") => (2.0, 2.0),
            Headline::F1 if has("false_yes") || has("missed_yes") => (0.0, 1.0),
            Headline::F1 => (0.0, 0.0),
        })
    }

    fn overall(&self) -> Overall {
        match &self.0.groups {
            Some(tag) => Overall::MacroBy(tag.clone()),
            None => Overall::Micro,
        }
    }

    /// `accuracy`, `precision`, `recall`, `F1` and `yes ratio` of all outputs together, of each group (`F1
    /// popular`), and the mean of the groups' (`mean F1`), in 0..=1.
    fn metrics(&self, board: &Board<'_>) -> BTreeMap<String, f64> {
        let mut all = Counts::default();
        let mut groups: BTreeMap<String, Counts> = BTreeMap::new();
        for grade in board.grades.iter().filter(|grade| grade.score.is_some()) {
            all.add(grade);
            let key = self.0.groups.as_deref().and_then(|tag| grade.tags.get(tag));
            if let Some(key) = key {
                groups.entry(key.to_string()).or_default().add(grade);
            }
        }
        let mut metrics = BTreeMap::new();
        for (name, value) in all.measures() {
            metrics.insert(name.to_owned(), value);
            let means = groups.values().filter_map(|counts| {
                let measures = counts.measures();
                measures.into_iter().find(|(own, _)| *own == name)
            });
            let means: Vec<f64> = means.map(|(_, value)| value).collect();
            if !means.is_empty() {
                let mean = means.iter().sum::<f64>() / means.len() as f64;
                metrics.insert(format!("mean {name}"), mean);
            }
        }
        for (key, counts) in &groups {
            for (name, value) in counts.measures() {
                metrics.insert(format!("{name} {key}"), value);
            }
        }
        metrics
    }
}

#[derive(Debug, Default)]
struct Counts {
    true_yes: f64,
    false_yes: f64,
    missed_yes: f64,
    correct: f64,
    all: f64,
}

impl Counts {
    fn add(&mut self, grade: &Grade) {
        let part = |name: &str| grade.parts.get(name).copied().unwrap_or(0.0);
        self.true_yes += part("true_yes");
        self.false_yes += part("false_yes");
        self.missed_yes += part("missed_yes");
        self.correct += part("true_yes") + part("true_no");
        self.all += 1.0;
    }

    /// The measures as in POPE's script. A ratio whose denominator is 0 is 0.
    fn measures(&self) -> [(&'static str, f64); 5] {
        let ratio = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
        let said_yes = self.true_yes + self.false_yes;
        let precision = ratio(self.true_yes, said_yes);
        let recall = ratio(self.true_yes, self.true_yes + self.missed_yes);
        [
            ("accuracy", ratio(self.correct, self.all)),
            ("precision", precision),
            ("recall", recall),
            ("F1", ratio(2.0 * precision * recall, precision + recall)),
            ("yes ratio", ratio(said_yes, self.all)),
        ]
    }
}
