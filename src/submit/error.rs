//! Why jobs cannot be made or sent.

use crate::files::FileError;
use std::path::PathBuf;

/// Jobs cannot be made or sent.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum SubmitError {
    /// A template cannot be read or filled in.
    #[error("the template {template}: {reason}")]
    #[diagnostic(help(
        "`unigauge submit … --dry-run` without `--templates` prints what the built-in templates make"
    ))]
    Template {
        /// Its name or path.
        template: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The scheduler refuses a job, or does not answer.
    #[error("{program}: {reason}")]
    #[diagnostic(help("the scripts are in {}; they can be sent by hand with `sbatch`", scripts.display()))]
    Refused {
        /// The scheduler's program.
        program: &'static str,
        /// What it says.
        reason: String,
        /// The folder of the scripts.
        scripts: PathBuf,
    },
    /// A process cannot be started.
    #[error("cannot start shard {shard}: {reason}")]
    #[diagnostic(help("start the shards by hand: `unigauge submit local … --dry-run` prints how"))]
    NotStarted {
        /// The shard, counted from 0.
        shard: usize,
        /// What the system says.
        reason: String,
    },
    /// A script or a log cannot be written.
    #[error(transparent)]
    File(#[from] FileError),
}
