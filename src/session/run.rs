//! All stages: a suite with models, or a study, from names to reports.

use super::language::foreign_prompts;
use super::prepared::suite_observers;
use super::{
    ConfiguredModel, DeviceChoice, ItemSelection, MadeRun, PreparedRun, RunOptions, RunTarget,
    SelectedSuite, Session, SessionError, ShardChoice, StageOptions, SyncOptions, run_seeds,
};
use crate::run::RunFolder;
use std::path::PathBuf;
use std::time::Duration;

/// What to run, and how.
#[derive(Debug, Clone)]
pub struct RunRequest {
    /// A study, or a suite if there are models: a name, or the path of a TOML file.
    pub target: String,
    /// Names of models, or the paths of their TOML files.
    pub models: Vec<String>,
    /// A file or folder to read the items from, instead of the suite's own source.
    pub items: Option<PathBuf>,
    /// Which items, and what is changed of the suite.
    pub select: ItemSelection,
    /// Run folders are `OUT/SUITE/MODEL/RUN`.
    pub out: PathBuf,
    /// The name of the run. `None` makes one from the seed and the selection.
    pub run_name: Option<String>,
    /// The number of outputs for each item. `None` uses the number of the study, or else that of the suite.
    pub repeats: Option<u32>,
    /// The seed that the seeds of all outputs derive from. `None` uses the seeds of the study, or else 0.
    pub seed: Option<u64>,
    /// The part of the items that is run.
    pub shard: ShardChoice,
    /// How long another process that writes into the folder of a run is waited for.
    pub wait_lock: Duration,
    /// Where the runs are copied to while they are made. `None` copies nothing.
    pub sync: Option<SyncOptions>,
    /// The number of outputs that are made and observed at the same time. `None` uses the number of cores.
    pub jobs: Option<usize>,
    /// Where networks of this process run.
    pub device: DeviceChoice,
    /// Bytes of device memory for the weights of networks in this process. `None` keeps all of them in
    /// memory.
    pub vram_budget: Option<u64>,
    /// Whether outputs are observed and graded. Otherwise they are only made.
    pub observe: bool,
}

impl RunRequest {
    /// Runs a study with its own settings; results go below `out`.
    pub fn new(target: impl Into<String>, out: impl Into<PathBuf>) -> Self {
        Self {
            target: target.into(),
            models: Vec::new(),
            items: None,
            select: ItemSelection::default(),
            out: out.into(),
            run_name: None,
            repeats: None,
            seed: None,
            shard: ShardChoice::Whole,
            wait_lock: Duration::ZERO,
            sync: None,
            jobs: None,
            device: DeviceChoice::Auto,
            vram_budget: None,
            observe: true,
        }
    }

    /// The same request with these models, for a suite.
    #[must_use]
    pub fn with_models(mut self, models: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.models = models.into_iter().map(Into::into).collect();
        self
    }

    fn stages(&self, device: DeviceChoice) -> StageOptions {
        StageOptions {
            shard: self.shard,
            wait_lock: self.wait_lock,
            sync: self.sync.clone(),
            jobs: jobs_or_cores(self.jobs),
            device,
            vram_budget: self.vram_budget,
            observe: self.observe,
        }
    }

    /// The options of the runs, one for each seed.
    ///
    /// # Errors
    /// [`SessionError::SharedName`]
    pub fn run_options(&self, target: &RunTarget) -> Result<Vec<RunOptions>, SessionError> {
        let study_repeats = target.study.as_ref().and_then(|study| study.repeats);
        let seeds = run_seeds(target.study.as_ref(), self.seed, self.run_name.as_deref())?;
        let options = seeds.into_iter().map(|seed| RunOptions {
            out: self.out.clone(),
            run_name: self.run_name.clone(),
            repeats: self.repeats.or(study_repeats),
            seed,
            device: self.device,
        });
        Ok(options.collect())
    }
}

impl Session {
    /// Runs a study, or a suite with models. Makes what is left to make; what is finished is kept.
    ///
    /// It stops after the run that was interrupted, which is the last of the result.
    ///
    /// # Errors
    /// Fails if a definition has a mistake, something that is needed cannot be obtained, or a run cannot
    /// continue.
    pub fn run(&self, request: &RunRequest) -> Result<Vec<MadeRun>, SessionError> {
        self.run_target(&RunTarget::load(&request.target, &request.models)?, request)
    }

    /// The folders of the runs that a request makes. The items are read; nothing is written.
    ///
    /// # Errors
    /// Fails if a definition has a mistake, or the items cannot be obtained.
    pub fn run_folders(
        &self,
        target: &RunTarget,
        request: &RunRequest,
    ) -> Result<Vec<RunFolder>, SessionError> {
        let options = request.run_options(target)?;
        let selections = target.selections(&request.select);
        let each = |suite| selections.iter().map(move |select| (suite, select));
        let mut folders = Vec::new();
        for ((suite, models), select) in target.suites().flat_map(each) {
            let items = request.items.as_deref();
            let selected = SelectedSuite::load(self, suite, &target.from, items, select)?;
            for model in models {
                let model = ConfiguredModel::load(self, model, &target.from, &selected.suite.name)?;
                for options in &options {
                    folders.push(PreparedRun::new(&selected, model.clone(), options)?.folder);
                }
            }
        }
        Ok(folders)
    }

    /// The same as [`Session::run`], for a target that is loaded already.
    ///
    /// # Errors
    /// Fails when [`Session::run`] fails.
    pub fn run_target(
        &self,
        target: &RunTarget,
        request: &RunRequest,
    ) -> Result<Vec<MadeRun>, SessionError> {
        target.check_trained(&request.target)?;
        let stages = request.stages(request.device.resolve_for_run()?);
        let options = request.run_options(target)?;
        let selections = target.selections(&request.select);
        let each = |suite| selections.iter().map(move |select| (suite, select));
        let mut made = Vec::new();
        for ((suite, models), select) in target.suites().flat_map(each) {
            let items = request.items.as_deref();
            let selected = SelectedSuite::load(self, suite, &target.from, items, select)?;
            selected.tell_remarks(self);
            let models: Vec<ConfiguredModel> = models
                .iter()
                .map(|model| ConfiguredModel::load(self, model, &target.from, &selected.suite.name))
                .collect::<Result<_, _>>()?;
            refuse_shared_names(&models)?;
            let observers = if request.observe {
                suite_observers(self, &selected.suite, stages.device)?
            } else {
                Vec::new()
            };
            for model in models {
                if let Some(warning) = foreign_prompts(&model.model, &selected.items) {
                    self.remark(&warning);
                }
                for options in &options {
                    let prepared = PreparedRun::new(&selected, model.clone(), options)?;
                    made.push(prepared.execute(self, &observers, &stages)?);
                    if self.cancel().is_raised() {
                        return Ok(made);
                    }
                }
            }
        }
        Ok(made)
    }
}

/// Refuses two models with one name, whose runs would replace each other. The same model twice is only made
/// once.
///
/// # Errors
/// [`SessionError::SharedModel`]
fn refuse_shared_names(models: &[ConfiguredModel]) -> Result<(), SessionError> {
    for (at, model) in models.iter().enumerate() {
        let is_other = |other: &&ConfiguredModel| {
            other.model.name == model.model.name
                && (other.generator.name != model.generator.name
                    || other.resolved != model.resolved)
        };
        if models[..at].iter().any(|other| is_other(&other)) {
            return Err(SessionError::SharedModel {
                name: model.model.name.clone(),
            });
        }
    }
    Ok(())
}

/// The number of jobs that is asked for, or the cores of the machine.
pub(super) fn jobs_or_cores(asked: Option<usize>) -> usize {
    asked.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
}
