//! Why a session cannot do what it is asked for. Every error says what to do about it.

use crate::config::ConfigError;
use crate::generate::folder::FolderError;
use crate::grade::RuleError;
use crate::grade::reward::RewardError;
use crate::hub::HubError;
use crate::report::ReportError;
use crate::run::RunError;
use crate::suite::SuiteError;
use crate::sync::SyncError;
use crate::{generate, observe};
use miette::Diagnostic;
use std::path::PathBuf;

/// An error of a session. The errors of the rooms below it keep their own messages and help texts.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum SessionError {
    /// A name was given to runs with several seeds.
    #[error("runs with {seeds} seeds cannot all have the name `{name}`")]
    #[diagnostic(help("leave out `--run`, or give one seed with `--seed`"))]
    SharedName {
        /// How many seeds the study has.
        seeds: usize,
        /// The name of the run.
        name: String,
    },
    /// Two models of one command have one name.
    #[error("two models have the name `{name}`, and so the same run folder")]
    #[diagnostic(help(
        "give one of them another name: `name` in its TOML file, or the name of its file"
    ))]
    SharedModel {
        /// The name of both.
        name: String,
    },
    /// Two rewards have one name.
    #[error("the reward `{name}` is given twice")]
    #[diagnostic(help("clients name rewards, so give each another name"))]
    SharedReward {
        /// The name of both.
        name: String,
    },
    /// A study compares networks that are not trained yet.
    #[error("{}", not_trained(first, *others))]
    #[diagnostic(help("train the networks of the study with `unigauge train {study}`"))]
    NotTrained {
        /// The folder of the first one.
        first: String,
        /// How many further ones there are.
        others: usize,
        /// The study.
        study: String,
    },
    /// A suite was named as the target, without a model.
    #[error("`{suite}` is a suite, which needs a model")]
    #[diagnostic(help(
        "give one: `unigauge run {suite} --model MODEL`; `unigauge list models` shows the models"
    ))]
    NoModel {
        /// The suite.
        suite: String,
    },
    /// The selection leaves no item.
    #[error("no item of `{suite}` is selected")]
    #[diagnostic(help("check `--limit` and `--only`, and see `unigauge items SUITE`"))]
    NothingSelected {
        /// The suite.
        suite: String,
    },
    /// The selection names items that the suite does not have.
    #[error("there is no item `{}`", items.join("`, `"))]
    UnknownItems {
        /// Their identifiers.
        items: Vec<String>,
        /// A name that is near, or where to look.
        #[help]
        help: String,
    },
    /// The name of a run cannot be the name of a folder.
    #[error("`{name}` cannot be the name of a run")]
    #[diagnostic(help("use letters, digits, `-`, `_` and `.`, and do not begin with `.`"))]
    RunName {
        /// The name.
        name: String,
    },
    /// A folder of a training cannot be listed.
    #[error("{}: {reason}", folder.display())]
    #[diagnostic(help(
        "give the folder into which the training writes a folder of samples for each checkpoint"
    ))]
    NotListed {
        /// The folder.
        folder: PathBuf,
        /// The reason, in words.
        reason: String,
    },
    /// A run folder has other pictures than those that are watched.
    #[error("{} has the pictures of {pictures}", run.display())]
    #[diagnostic(help(
        "give the checkpoints of another training another `--name` or another `--out`"
    ))]
    OtherPictures {
        /// The run folder.
        run: PathBuf,
        /// Where its pictures came from.
        pictures: String,
    },
    /// The suite has no OCR observer that another could replace.
    #[error("no OCR observer of the suite `{suite}` can be replaced")]
    NoEngine {
        /// The suite.
        suite: String,
        /// Which observers it has.
        #[help]
        help: String,
    },
    /// An observer that reads no text was named as an OCR engine.
    #[error("`{observer}` is not an OCR observer")]
    #[diagnostic(help("the observers that read texts are {readers}"))]
    NotAnEngine {
        /// The observer.
        observer: String,
        /// Those that read texts.
        readers: String,
    },
    /// It cannot be known which shard this process makes.
    #[error("{message}")]
    Shard {
        /// What is wrong.
        message: String,
        /// What to do about it.
        #[help]
        help: String,
    },
    /// A setting names a checkpoint that the program does not contain.
    #[error("`{key}`: the program has no checkpoint `{checkpoint}`")]
    #[diagnostic(help("give a folder, or one of the checkpoints in `shipped/` of the repository"))]
    NotShipped {
        /// The key of the setting.
        key: String,
        /// The checkpoint.
        checkpoint: String,
    },
    /// This version cannot read the suite in a manifest.
    #[error("the suite in the run's manifest cannot be read: {reason}")]
    #[diagnostic(help("give the suite: `unigauge grade RUN --suite NAME`"))]
    ManifestSuite {
        /// What is wrong with it.
        reason: String,
    },
    /// A run has no summary yet.
    #[error("`{}` is not graded yet", run.display())]
    #[diagnostic(help(
        "finish it with the command that started it, or grade it: `unigauge grade {}`", run.display()
    ))]
    NotGraded {
        /// The run folder.
        run: PathBuf,
    },
    /// There is nothing that could look at the outputs.
    #[error("the suite `{suite}` has no observers")]
    #[diagnostic(help("its rule reads the outputs themselves: `unigauge grade RUN`"))]
    NoObservers {
        /// The suite.
        suite: String,
    },
    /// The device cannot be opened.
    #[error("{reason}")]
    Device {
        /// Which device, and why.
        reason: String,
        /// What else to take.
        #[help]
        help: &'static str,
    },
    /// The network is needed and may not be used.
    #[error("{at} cannot be reached without the network")]
    #[diagnostic(help("leave out `--offline`"))]
    OfflineStore {
        /// The place in an object store.
        at: String,
    },
    /// A record has no form that a file can keep.
    #[error("{record} cannot be written: {reason}")]
    Unwritable {
        /// What the record describes.
        record: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A definition has a mistake.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Config(#[from] ConfigError),
    /// The items of a suite cannot be obtained.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Suite(#[from] SuiteError),
    /// A rule or its options have a mistake.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Rule(#[from] RuleError),
    /// A reward has a mistake.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Reward(#[from] RewardError),
    /// A generator or its settings have a mistake.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Generator(#[from] generate::BuildError),
    /// An observer cannot be made.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Observer(#[from] observe::BuildError),
    /// A folder of pictures cannot be listed.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Pictures(#[from] FolderError),
    /// An asset cannot be obtained.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Asset(#[from] HubError),
    /// The run folder or the engine failed.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Run(#[from] RunError),
    /// An object store refused, or cannot be reached.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Sync(#[from] SyncError),
    /// The report cannot be written.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Report(#[from] ReportError),
}

fn not_trained(first: &str, others: usize) -> String {
    if others == 0 {
        format!("{first} is not trained yet")
    } else {
        format!("{first} and {others} more are not trained yet")
    }
}
