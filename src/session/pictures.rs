//! Scores a folder of pictures that another program made.

use super::prepared::suite_observers;
use super::run::jobs_or_cores;
use super::{
    ConfiguredModel, DeviceChoice, ItemSelection, MadeRun, PreparedRun, RunOptions, SelectedSuite,
    Session, SessionError, ShardChoice, StageOptions,
};
use crate::config::{ModelFile, Settings};
use crate::generate::SimpleGenerator;
use crate::generate::folder::{Folder, FolderSettings, Inventory};
use crate::observe::Observer;
use crate::run::RunError;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Which pictures to score, and how.
#[derive(Debug, Clone)]
pub struct PictureRequest {
    /// The suite that the pictures answer: a name or a path. They are in its official layout.
    pub suite: String,
    /// The folder with the pictures.
    pub pictures: PathBuf,
    /// The name of the model that made them, for tables and for the run folder.
    pub model: String,
    /// The run folder is `OUT/SUITE/MODEL/RUN`.
    pub out: PathBuf,
    /// The name of the run. `None` makes one from the selection.
    pub run_name: Option<String>,
    /// A file or folder to read the items from, instead of the suite's own source.
    pub items: Option<PathBuf>,
    /// Which items, and what is changed of the suite.
    pub select: ItemSelection,
    /// Whether links that lead out of the folder are followed. Otherwise only links into the cache of a hub
    /// are.
    pub follow_links: bool,
    /// The number of pictures that are observed at the same time. `None` uses the number of cores.
    pub jobs: Option<usize>,
    /// Where the networks of the observers run.
    pub device: DeviceChoice,
}

impl PictureRequest {
    /// Scores all pictures of a suite. The results are written below `out`.
    pub fn new(
        suite: impl Into<String>,
        pictures: impl Into<PathBuf>,
        model: impl Into<String>,
        out: impl Into<PathBuf>,
    ) -> Self {
        Self {
            suite: suite.into(),
            pictures: pictures.into(),
            model: model.into(),
            out: out.into(),
            run_name: None,
            items: None,
            select: ItemSelection::default(),
            follow_links: false,
            jobs: None,
            device: DeviceChoice::Auto,
        }
    }
}

/// A folder of pictures, compared with what its suite asks for.
pub struct PictureFolder<'a> {
    request: &'a PictureRequest,
    selected: SelectedSuite,
    settings: Settings,
    inventory: Inventory,
}

impl<'a> PictureFolder<'a> {
    /// Loads the suite and lists the folder.
    ///
    /// # Errors
    /// Fails if the suite or its items have mistakes, or the folder cannot be listed.
    pub fn open(session: &Session, request: &'a PictureRequest) -> Result<Self, SessionError> {
        let items = request.items.as_deref();
        let selected = SelectedSuite::load(
            session,
            &request.suite,
            Path::new(""),
            items,
            &request.select,
        )?;
        (selected.left_out.iter()).for_each(|remark| session.remark(remark));
        let layout = toml::Value::try_from(selected.suite.layout)
            .map_err(|error| RunError::Invalid(error.to_string()))?;
        let mut table = toml::Table::new();
        let path = request.pictures.display().to_string();
        table.insert("path".into(), path.into());
        table.insert("layout".into(), layout);
        if request.follow_links {
            table.insert("follow_links".into(), true.into());
        }
        let settings = Settings::from_table(&table)?;
        let folder = Folder::open(settings.read::<FolderSettings>()?)?;
        Ok(Self {
            inventory: folder.inventory(&selected.items, selected.suite.repeats),
            request,
            selected,
            settings,
        })
    }

    /// How many pictures of the suite are there, and which files are something else.
    pub fn inventory(&self) -> &Inventory {
        &self.inventory
    }

    /// Makes the pictures the outputs of a run, byte for byte, observes them and grades them.
    ///
    /// # Errors
    /// Fails if an observer cannot be made, another process holds the run folder, or the disk refuses.
    pub fn score(&self, session: &Session) -> Result<MadeRun, SessionError> {
        let observers = suite_observers(session, &self.selected.suite, self.request.device)?;
        self.score_by(session, &observers)
    }

    /// The same, by the observers of the suite that the caller has.
    ///
    /// # Errors
    /// Fails if another process holds the run folder, or the disk refuses.
    pub(super) fn score_by(
        &self,
        session: &Session,
        observers: &[Box<dyn Observer>],
    ) -> Result<MadeRun, SessionError> {
        let Self {
            request, selected, ..
        } = self;
        let configured = ConfiguredModel::new(session, self.model(), &selected.suite.name)?;
        let options = RunOptions {
            out: request.out.clone(),
            run_name: request.run_name.clone(),
            repeats: None,
            seed: 0,
            device: DeviceChoice::Cpu,
        };
        let prepared = PreparedRun::new(selected, configured, &options)?;
        let stages = StageOptions {
            shard: ShardChoice::Whole,
            wait_lock: Duration::ZERO,
            sync: None,
            jobs: jobs_or_cores(request.jobs),
            device: DeviceChoice::Cpu,
            vram_budget: None,
            observe: true,
        };
        prepared.execute(session, observers, &stages)
    }

    /// A model that answers with the pictures of the folder.
    fn model(&self) -> ModelFile {
        let request = self.request;
        ModelFile {
            name: request.model.clone(),
            title: request.model.clone(),
            description: format!("images from {}", request.pictures.display()),
            generator: Folder::NAME.into(),
            languages: Vec::new(),
            price_per_output: None,
            settings: self.settings.clone(),
            notes: Default::default(),
            presets: Default::default(),
            repositories: Vec::new(),
            cost: None,
        }
    }
}
