//! JSON schemas of the definition files, for editors and for checks.

use crate::config::{ModelFile, PolicyFile, PublishedFile, RewardDefinition, StudyFile, SuiteFile};
use crate::train::TrainingFile;
use schemars::schema_for;

/// The name and the content of the schema of every type of definition, as they are in `schema/`.
pub fn all() -> Vec<(&'static str, String)> {
    [
        ("suite.json", schema_for!(SuiteFile)),
        ("model.json", schema_for!(ModelFile)),
        ("study.json", schema_for!(StudyFile)),
        ("policy.json", schema_for!(PolicyFile)),
        ("reward.json", schema_for!(RewardDefinition)),
        ("published.json", schema_for!(PublishedFile)),
        ("training.json", schema_for!(TrainingFile)),
    ]
    .into_iter()
    .map(|(name, schema)| (name, format!("{:#}\n", schema.to_value())))
    .collect()
}
