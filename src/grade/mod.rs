//! Grading: one file for each benchmark's rule, and aggregation. It is only arithmetic: it uses no model, no
//! network and no clock.
//!
//! A rule is one file in `rules/`: its code and a [`RuleDescription`], which `rules/mod.rs` lists.

mod answer;
mod apply;
mod by_name;
mod choice;
mod description;
mod error;
mod judge;
mod judges;
mod lack;
mod lookup;
mod outcomes;
mod pooled;
mod reading;
pub mod reward;
mod rule;
mod rules;
mod scale;
mod state;
mod summary;

pub use apply::grade_all;
pub use by_name::{build, build_from_note, rule_description};
pub use description::{OfficialResults, OptionAsset, Reads, RuleDescription};
pub use error::RuleError;
pub use judges::judges;
pub use lack::LackKind;
pub use outcomes::{asked_hash, outcomes};
pub use pooled::Pooled;
pub use rule::{Board, Case, OfficialFile, Rule, Verdict};
pub use rules::RULES;
pub use rules::noise::{NoisePair, excess_in_words, missed_sources, noise_pairs};
pub use summary::{SuiteFacts, summarize};
