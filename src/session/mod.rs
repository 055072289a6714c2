//! An evaluation from names to results: what the commands of the program do, for other programs too.
//!
//! A [`Session`] knows the cache of assets, the network, the flag that ends work, and who hears of progress.
//! It plans, prepares, executes and scores runs. Nothing here reads a command line or prints.
//!
//! ```no_run
//! use unigauge::session::{RunRequest, Session};
//!
//! # fn main() -> Result<(), unigauge::session::SessionError> {
//! let session = Session::default();
//! for run in session.run(&RunRequest::new("quick", "results"))? {
//!     if let Some(scored) = run.summary {
//!         println!("{}: {:?}", scored.model_title, scored.summary.overall.value);
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! | step | function |
//! |---|---|
//! | all of them | [`Session::run`] |
//! | check what a run needs | [`Session::check_suite`], [`Session::check_observer`], [`ModelCheckpoint`] |
//! | plan | [`PreparedRun::plan`] |
//! | prepare | [`RunTarget::load`], [`SelectedSuite::load`], [`ConfiguredModel::load`], [`PreparedRun::new`] |
//! | execute | [`PreparedRun::execute`] |
//! | look at what is there | [`Session::observe_run`], [`PictureFolder`], [`Session::watch`] |
//! | score | [`Session::grade_run`], [`Session::grade_loose`], [`Session::merge_shards`] |
//! | read what was scored | [`TitledSummary::read`], [`read_view`], [`read_outcomes`], [`read_export`] |
//! | see how far it is | [`RunStatus::find`] |
//! | copy it to object stores | [`SyncOptions`], [`Session::pull_runs`], [`Session::push_runs`] |
//! | score it there | [`Session::merge_stored`] |
//! | open rewards | [`reward_definitions`], [`Session::open_rewards`], [`Session::training_reward`] |
//! | compare it | [`ComparedRuns`], [`write_comparison`], [`note_agreement`], [`note_noise_pairs`], [`read_noise_pairs`] |

mod agreement;
mod check;
mod checkpoint;
mod comparison;
mod cost;
mod deviations;
mod device;
mod engines;
mod error;
mod execute;
mod exporting;
mod grading;
mod language;
mod listener;
mod loose;
mod model;
mod observing;
mod outcomes;
mod page;
mod pictures;
mod plan;
mod prepared;
mod probe;
mod pulse;
mod reward;
mod run;
mod sample_folders;
mod scheduler;
mod settings;
mod shard_choice;
mod shards;
mod status;
mod study;
mod suite;
mod summary;
mod sync;
mod target;
mod view;
mod watch;

pub use agreement::note_agreement;
pub use check::{
    CachedAssets, CheckedDefinition, CheckedObserver, free_space, is_reward, single_model,
};
pub use checkpoint::{ModelCheckpoint, RepositoryFiles, checkpoint_folder};
pub use comparison::{ComparedFolders, ComparedRuns, write_comparison};
pub use cost::{CARDS, Card, hours_on_cards};
pub use deviations::suite_deviations;
pub use device::DeviceChoice;
pub use engines::OcrEngine;
pub use error::SessionError;
pub use execute::{MadeRun, StageOptions};
pub use exporting::read_export;
pub use grading::GradeOverride;
pub use listener::{SessionListener, SilentSession};
pub use loose::LooseFiles;
pub use model::ConfiguredModel;
pub use observing::Observations;
pub use outcomes::{RecountedRun, read_outcomes};
pub use page::write_page;
pub use pictures::{PictureFolder, PictureRequest};
pub use plan::TimedOutputs;
pub use prepared::{PreparedRun, RunOptions, check_run_name, plain_run_name};
pub use probe::{note_noise_pairs, read_noise_pairs};
pub use reward::reward_definitions;
pub use run::RunRequest;
pub use scheduler::scheduler_words;
pub use settings::{locate_checkpoints, shipped_folder};
pub use shard_choice::{ShardChoice, is_scheduled};
pub use shards::MergedRun;
pub use status::{RunStatus, ShardState, ShardStatus};
pub use study::StudyRuns;
pub use suite::{ItemSelection, SelectedSuite};
pub use summary::{TitledSummary, open_graded, published_beside};
pub use sync::SyncOptions;
pub use target::{RunTarget, run_seeds};
pub use view::read_view;
pub use watch::{Hear, WatchRequest, Watched};

use crate::cancel::Cancel;
use crate::hub::{self, Hub, HubError, HubOptions};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

/// How a session works.
#[derive(Clone)]
pub struct SessionOptions {
    /// The folder of the asset cache, instead of the one that the environment gives.
    pub cache: Option<PathBuf>,
    /// Never use the network: what is not in the cache is an error.
    pub offline: bool,
    /// The flag that ends work before its end.
    pub cancel: Cancel,
    /// Hears how downloads go.
    pub downloads: Arc<dyn hub::Progress>,
    /// Hears how runs go.
    pub listener: Arc<dyn SessionListener>,
}

impl Default for SessionOptions {
    fn default() -> Self {
        Self {
            cache: None,
            offline: false,
            cancel: Cancel::default(),
            downloads: Arc::new(hub::Silent),
            listener: Arc::new(SilentSession),
        }
    }
}

/// Makes and scores runs. Clones of its parts are cheap, and one session serves many runs.
#[derive(Default)]
pub struct Session {
    options: SessionOptions,
    hub: OnceLock<Arc<Hub>>,
}

impl Session {
    /// Begins a session; nothing is read or written yet.
    pub fn new(options: SessionOptions) -> Self {
        Self {
            options,
            hub: OnceLock::new(),
        }
    }

    /// The flag that ends work before its end.
    pub fn cancel(&self) -> &Cancel {
        &self.options.cancel
    }

    /// Whether the network may not be used.
    pub fn is_offline(&self) -> bool {
        self.options.offline
    }

    /// The asset hub.
    ///
    /// # Errors
    /// Fails if a table of assets cannot be read.
    pub fn hub(&self) -> Result<Arc<Hub>, HubError> {
        if let Some(hub) = self.hub.get() {
            return Ok(hub.clone());
        }
        let hub = Hub::new(HubOptions {
            cache: self.options.cache.clone(),
            offline: self.options.offline,
            cancel: self.options.cancel.clone(),
            progress: self.options.downloads.clone(),
            ..HubOptions::default()
        })?;
        Ok(self.hub.get_or_init(|| Arc::new(hub)).clone())
    }

    /// Tells the listener what belongs to no single run.
    fn remark(&self, text: &str) {
        self.options.listener.remark(text);
    }
}
