//! TOML files of suites, models, studies, policies, rewards and trainings: reading them, finding them by
//! name, and locating errors.

mod adds_up;
mod document;
mod error;
mod library;
mod metric;
mod model_file;
mod policy_file;
mod published_file;
mod python_model;
mod repository;
mod reward;
mod reward_check;
mod settings;
mod study_check;
mod study_factor;
mod study_file;
mod suite_file;
mod text;
mod value;
mod whole_counts;

pub use crate::text::nearest::nearest;
pub use adds_up::Mismatch;
pub use document::Document;
pub use error::ConfigError;
pub use library::{Kind, Listed, Loaded, Origin, list};
pub use metric::Metric;
pub use model_file::{ModelCost, ModelFile, model};
pub use policy_file::{Correction, PartialRuns, PolicyFile, PolicyRule, TestChoice, Tier, policy};
pub use published_file::{
    OverallOf, PublishedFile, PublishedRow, all_published, published, published_file,
};
pub use python_model::RUN_MODEL;
pub use repository::Repository;
pub use reward::{
    Combine, Effect, Expects, PatternOf, PromptClass, RewardComponent, RewardDefinition, reward,
};
pub use settings::Settings;
pub use study_check::study;
pub use study_factor::{Cost, CostOf, Curves, Factor, Level};
pub use study_file::{StudyEngine, StudyFile, StudyPart};
pub use suite_file::{
    ChoiceMapping, Expect, FieldOrValue, Flaw, GradeSection, ItemsSource, Join, Mapping, Names,
    Prepare, ReportSection, SuiteFile, Wanted, set_options, suite,
};
pub use whole_counts::Impossible;

pub(crate) use library::{check_name, embedded_file, find};
