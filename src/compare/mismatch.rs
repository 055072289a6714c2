//! Why two runs should not be compared.

use super::pairing::Pairing;
use crate::record::{RunFacts, judged};
use crate::text::count::counted;
use serde::Serialize;
use serde_json::Value;

/// What differs apart from the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The suite's version.
    Version,
    /// The prompts or the items.
    Prompts,
    /// The observers.
    Observers,
    /// The judges that were asked, or that are named in evidence of other programs.
    Judges,
    /// Another judge answered than the one that was asked, or several judges answered.
    Answering,
    /// The rule, or its options.
    Grading,
    /// Outputs without a score.
    Partial,
}

impl Kind {
    /// The option of the command line that allows it.
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

/// One reason why two runs should not be compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mismatch {
    /// What differs.
    pub kind: Kind,
    /// The difference in words.
    pub text: String,
}

impl Mismatch {
    /// Whether the observers have other settings, which explains other judges.
    fn is_of_observers(&self) -> bool {
        matches!(self.kind, Kind::Observers | Kind::Judges)
    }
}

/// What the user allows to differ.
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
    /// All kinds of mismatches are allowed.
    pub const EVERYTHING: Self = Self {
        version: true,
        prompts: true,
        observers: true,
        judges: true,
        grading: true,
        partial: true,
    };

    /// Whether a mismatch of this kind is allowed.
    pub fn lets(self, kind: Kind) -> bool {
        match kind {
            Kind::Version => self.version,
            Kind::Prompts => self.prompts,
            Kind::Observers => self.observers,
            // Other observers may have other judges, but not a judge that nobody asked.
            Kind::Judges => self.observers || self.judges,
            Kind::Answering => self.judges,
            Kind::Grading => self.grading,
            Kind::Partial => self.partial,
        }
    }
}

/// All reasons why two runs should not be compared. There are none if only the models differ.
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
            if changed == 1 {
                format!("1 of {} has a different prompt", counted(all, "item"))
            } else {
                format!("{changed} of {all} items have different prompts")
            },
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
            _ => add(
                Kind::Observers,
                format!("only one run was observed by {name}"),
            ),
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
                "{} in both runs, {one} only in the first, {other} only in the second",
                if both == 1 {
                    "1 item is".to_owned()
                } else {
                    format!("{both} items are")
                }
            ),
        );
    }
    found
}

/// Whether two settings of a judge differ only in the judge that is asked.
fn only_judges_differ(one: &Value, other: &Value) -> bool {
    let (Some(mut one), Some(mut other)) = (one.as_object().cloned(), other.as_object().cloned())
    else {
        return false;
    };
    let own = [one.remove("judge"), other.remove("judge")];
    own.iter().all(Option::is_some) && one == other
}

/// How the judges of two runs differ. `found` is how the settings of the runs differ.
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
        let names = |run: &RunFacts| judged::judge_names(&run.judges);
        all.push(Mismatch {
            // If both runs asked the same judge, the difference was not intended.
            kind: if before.observers.contains_key("judge") {
                Kind::Answering
            } else {
                Kind::Judges
            },
            text: format!("judged by {} and by {}", names(before), names(after)),
        });
    }
    all
}

/// The keys that differ between two objects, with the beginning of their values.
fn differing(one: &Value, other: &Value) -> String {
    const LISTED: usize = 3;
    let (Some(a), Some(b)) = (one.as_object(), other.as_object()) else {
        return format!(": {one} and {other}");
    };
    let keys = a.keys().chain(b.keys().filter(|key| !a.contains_key(*key)));
    let keys: Vec<&String> = keys.filter(|key| a.get(*key) != b.get(*key)).collect();
    let listed = keys.iter().take(LISTED).map(|key| {
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
    let listed: Vec<String> = listed.collect();
    let more = if keys.len() > LISTED { ", …" } else { "" };
    format!(": {}{more}", listed.join(", "))
}
