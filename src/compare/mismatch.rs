//! Why two runs should not be compared.

use super::pairing::Pairing;
use crate::record::{RunFacts, judged};
use serde::Serialize;
use serde_json::Value;

/// What differs beside the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The suite's version.
    Version,
    /// What was asked.
    Prompts,
    /// What looked at the outputs.
    Observers,
    /// Other judges were asked, or named by evidence that others made.
    Judges,
    /// Another judge answered than the one asked for, or several did.
    Answering,
    /// The rule or its options.
    Grading,
    /// Outputs without a score.
    Partial,
}

impl Kind {
    /// The option that lets it pass.
    pub fn option(self) -> &'static str {
        match self {
            Self::Version => "--allow-version",
            Self::Prompts => "--allow-prompts",
            Self::Observers => "--allow-observers",
            Self::Judges | Self::Answering => "--allow-judges",
            Self::Grading => "--allow-grading",
            Self::Partial => "--allow-partial",
        }
    }
}

/// One reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mismatch {
    /// What differs.
    pub kind: Kind,
    /// The difference in words.
    pub text: String,
}

impl Mismatch {
    /// Whether the observers were set in other ways, which explains other judges.
    fn is_of_observers(&self) -> bool {
        matches!(self.kind, Kind::Observers | Kind::Judges)
    }
}

/// What the user lets pass.
#[derive(Debug, Clone, Copy, Default)]
pub struct Allowed {
    /// Versions of the suite.
    pub version: bool,
    /// The words of prompts, and suites that share their items.
    pub prompts: bool,
    /// Observers and judges.
    pub observers: bool,
    /// Judges, regardless of the reason.
    pub judges: bool,
    /// Rules and their options.
    pub grading: bool,
    /// Missing, failed and unscored outputs, and other items.
    pub partial: bool,
}

impl Allowed {
    /// Whether a mismatch of this kind is allowed.
    pub fn lets(self, kind: Kind) -> bool {
        match kind {
            Kind::Version => self.version,
            Kind::Prompts => self.prompts,
            Kind::Observers => self.observers,
            // Who lets other observers pass lets other judges pass, but not one that nobody asked for.
            Kind::Judges => self.observers || self.judges,
            Kind::Answering => self.judges,
            Kind::Grading => self.grading,
            Kind::Partial => self.partial,
        }
    }
}

/// All reasons, none for runs that differ in nothing but what made their outputs.
pub fn mismatches(pairing: &Pairing<'_>) -> Vec<Mismatch> {
    let (before, after) = (pairing.before, pairing.after);
    let mut found = Vec::new();
    let mut add = |kind, text| found.push(Mismatch { kind, text });
    if before.suite != after.suite {
        let text = format!("different suites: {} and {}", before.suite, after.suite);
        add(Kind::Prompts, text);
    } else if before.suite_version != after.suite_version {
        let (one, other) = (&before.suite_version, &after.suite_version);
        add(
            Kind::Version,
            format!("different versions of the suite: {one} and {other}"),
        );
    }
    let asked = |item: &&super::Paired<'_>| item.before.asked != item.after.asked;
    let changed = pairing.items.iter().filter(asked).count();
    if changed > 0 {
        let all = pairing.items.len();
        add(
            Kind::Prompts,
            format!("{changed} of {all} items have different prompts"),
        );
    }
    let names = before.observers.keys().chain(after.observers.keys());
    let mut names: Vec<&String> = names.collect();
    names.sort();
    names.dedup();
    for name in names {
        match (before.observers.get(name), after.observers.get(name)) {
            (Some(one), Some(other)) if one == other => {}
            (Some(one), Some(other)) => {
                let what = differing(one, other);
                let kind = if only_judges_differ(one, other) {
                    Kind::Judges
                } else {
                    Kind::Observers
                };
                add(kind, format!("the observer {name} differs{what}"));
            }
            _ => add(Kind::Observers, format!("only one run was seen by {name}")),
        }
    }
    found.extend(judges(before, after, &found));
    let mut add = |kind, text| found.push(Mismatch { kind, text });
    if before.grading != after.grading {
        let what = differing(&before.grading, &after.grading);
        add(Kind::Grading, format!("graded in different ways{what}"));
    }
    for run in [before, after].into_iter().filter(|run| run.partial()) {
        let (name, scored, expected) = (&run.run, run.scored, run.expected);
        let text = format!(
            "{} ({name}) is partial: {scored} of {expected} outputs scored",
            run.model
        );
        add(Kind::Partial, text);
    }
    if pairing.only_before + pairing.only_after > 0 {
        let (one, other) = (pairing.only_before, pairing.only_after);
        let both = pairing.items.len();
        add(
            Kind::Partial,
            format!(
                "{both} items are in both runs, {one} only in the first, {other} only in the second"
            ),
        );
    }
    found
}

/// Whether two judges differ in who is asked alone.
fn only_judges_differ(one: &Value, other: &Value) -> bool {
    let (Some(mut one), Some(mut other)) = (one.as_object().cloned(), other.as_object().cloned())
    else {
        return false;
    };
    let own = [one.remove("judge"), other.remove("judge")];
    own.iter().all(Option::is_some) && one == other
}

/// What the judges of two runs do not share; `found` is what their settings do not.
fn judges(before: &RunFacts, after: &RunFacts, found: &[Mismatch]) -> Vec<Mismatch> {
    let doubts = [before, after].into_iter().filter_map(|run| {
        let what = judged::judge_doubt(&run.judges)?;
        Some(Mismatch {
            kind: Kind::Answering,
            text: format!("{} ({}): {what}", run.model, run.run),
        })
    });
    let mut all: Vec<Mismatch> = doubts.collect();
    let known = !before.judges.is_empty() && !after.judges.is_empty();
    if known
        && judged::judges_differ(&before.judges, &after.judges)
        && !found.iter().any(Mismatch::is_of_observers)
    {
        let told = |run: &RunFacts| judged::judge_names(&run.judges);
        all.push(Mismatch {
            // Where both asked the same judge, it was not meant to differ.
            kind: if before.observers.contains_key("judge") {
                Kind::Answering
            } else {
                Kind::Judges
            },
            text: format!("judged by {} and by {}", told(before), told(after)),
        });
    }
    all
}

/// The keys that differ between two objects, with their values where these are short.
fn differing(one: &Value, other: &Value) -> String {
    const LISTED: usize = 3;
    let (Some(a), Some(b)) = (one.as_object(), other.as_object()) else {
        return format!(": {one} and {other}");
    };
    let keys = a.keys().chain(b.keys().filter(|key| !a.contains_key(*key)));
    let keys: Vec<&String> = keys.filter(|key| a.get(*key) != b.get(*key)).collect();
    let told = keys.iter().take(LISTED).map(|key| {
        let show = |object: &serde_json::Map<String, Value>| {
            let text = object.get(*key).map_or("none".to_owned(), Value::to_string);
            if text.chars().count() > 40 {
                text.chars().take(40).chain(['…']).collect()
            } else {
                text
            }
        };
        format!("{key} {} and {}", show(a), show(b))
    });
    let told: Vec<String> = told.collect();
    let more = if keys.len() > LISTED { ", …" } else { "" };
    format!(": {}{more}", told.join(", "))
}
