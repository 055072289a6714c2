//! Which runs can be compared with each other.

use super::read::Run;
use serde_json::json;

/// What two runs must share to be comparable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Standing {
    version: String,
    asked: u64,
    observers: String,
    judges: String,
    grading: String,
}

impl Standing {
    /// The facts of a run.
    pub(super) fn assess(run: &Run) -> Self {
        let judges = run.summary.judges.iter();
        let mut judges: Vec<&str> = judges.map(|judge| judge.judge.as_str()).collect();
        judges.dedup();
        Self {
            version: run.summary.suite_version.clone(),
            asked: run.asked.hash,
            observers: json!(run.manifest.observers).to_string(),
            judges: judges.join(", "),
            grading: run.grading.to_string(),
        }
    }

    /// What differs from an earlier run.
    pub(super) fn marks(&self, earlier: &Self) -> Vec<String> {
        let mut marks = Vec::new();
        if self.version != earlier.version {
            marks.push(format!(
                "version {} of the suite, before {}",
                self.version, earlier.version
            ));
        }
        if self.asked != earlier.asked {
            marks.push("other items or prompts".to_owned());
        }
        if self.judges != earlier.judges {
            let named = |judges: &str| match judges {
                "" => "none".to_owned(),
                judges => judges.to_owned(),
            };
            let (now, before) = (named(&self.judges), named(&earlier.judges));
            marks.push(format!("judge {now}, before {before}"));
        } else if self.observers != earlier.observers {
            marks.push("other observers".to_owned());
        }
        if self.grading != earlier.grading {
            marks.push("graded in another way".to_owned());
        }
        marks
    }
}
