//! The models of a study: as their files define them, or changed by a level of the factor.

use crate::config::{ConfigError, Level, ModelFile, Settings, StudyFile, model};
use crate::train::{TrainingChange, TrainingFile, training};
use std::path::{Path, PathBuf};

/// Models and the suites that all of them are run on.
#[derive(Debug, Clone)]
pub struct Part {
    /// The models.
    pub models: Vec<StudyModel>,
    /// The suites that each model is run on.
    pub suites: Vec<String>,
}

/// A model, and what a study changes of it.
#[derive(Debug, Clone)]
pub struct StudyModel {
    /// Name, or path of its file.
    pub model: String,
    change: Option<Change>,
}

/// What a level changes of a model.
#[derive(Debug, Clone)]
struct Change {
    /// The model's name in the study.
    name: String,
    title: String,
    settings: Settings,
    trained: Option<Trained>,
}

impl Change {
    /// The change by a level, and by one seed of its training if it has one.
    fn by_level(level: &Level, name: &str, trained: Option<Trained>) -> Self {
        let seed = trained.as_ref().and_then(|trained| trained.seed);
        let marked = |text: &str, mark: &str| match seed {
            Some(seed) => format!("{text}{mark}{seed}"),
            None => text.to_owned(),
        };
        Self {
            name: marked(name, "-seed"),
            title: marked(level.title(), ", training seed "),
            settings: level.settings.clone(),
            trained,
        }
    }
}

/// A training of a level.
#[derive(Debug, Clone)]
struct Trained {
    name: String,
    seed: Option<u64>,
}

impl Trained {
    fn load(&self, from: &Path) -> Result<TrainingFile, ConfigError> {
        let change = TrainingChange {
            seed: self.seed,
            ..TrainingChange::default()
        };
        training(&self.name, from, change)
    }
}

impl StudyModel {
    /// Models as their files define them.
    pub fn plain(models: &[String]) -> Vec<Self> {
        let plain = |model: &String| Self {
            model: model.clone(),
            change: None,
        };
        models.iter().map(plain).collect()
    }

    /// The definition with the changes. A relative path starts from `from`.
    ///
    /// # Errors
    /// Fails if there is no such model or training, or a definition has a mistake.
    pub fn load(&self, from: &Path) -> Result<ModelFile, ConfigError> {
        let mut file = model(&self.model, from)?.definition;
        let Some(change) = &self.change else {
            return Ok(file);
        };
        file.name.clone_from(&change.name);
        file.title = format!("{}, {}", file.title, change.title);
        let mut over = change.settings.clone();
        if let Some(folder) = self.checkpoint(from)? {
            let folder = folder.to_string_lossy().into_owned();
            let checkpoint = toml::Table::from_iter([("checkpoint".to_owned(), folder.into())]);
            over = Settings::from_table(&checkpoint)?.merged(&over);
        }
        file.settings = file.settings.merged(&over);
        // The preset of a suite would hide what the study varies.
        for preset in file.presets.values_mut() {
            *preset = preset.merged(&over);
        }
        Ok(file)
    }

    /// The folder that the study's training leaves, below the current one. `None` if nothing is trained for
    /// it.
    ///
    /// # Errors
    /// Fails if there is no such training, or its definition has a mistake.
    pub fn checkpoint(&self, from: &Path) -> Result<Option<PathBuf>, ConfigError> {
        let change = self.change.as_ref();
        let Some(trained) = change.and_then(|change| change.trained.as_ref()) else {
            return Ok(None);
        };
        Ok(Some(trained.load(from)?.folder()))
    }
}

impl StudyFile {
    /// All parts of the study: its own models, with those of the levels, on its suites, and then the parts of
    /// `more`.
    pub fn parts(&self) -> Vec<Part> {
        let levels = self.factor.iter().flat_map(|factor| &factor.levels);
        let mut models = StudyModel::plain(&self.models);
        models.extend(levels.flat_map(|level| self.models_of(level)));
        let own = Part {
            models,
            suites: self.suites.clone(),
        };
        let more = self.more.iter().map(|part| Part {
            models: StudyModel::plain(&part.models),
            suites: part.suites.clone(),
        });
        std::iter::once(own).chain(more).collect()
    }

    /// The models of a level. All seeds of the training of a model come before the next model.
    pub fn models_of(&self, level: &Level) -> Vec<StudyModel> {
        if !level.changes_models() {
            return StudyModel::plain(&level.models);
        }
        let mut models = Vec::new();
        for model in &level.models {
            let mut name = format!("{}-{}", self.name, level.name);
            if level.models.len() > 1 {
                name = format!("{name}-{}", stem(model));
            }
            for trained in self.trained(level) {
                models.push(StudyModel {
                    model: model.clone(),
                    change: Some(Change::by_level(level, &name, trained)),
                });
            }
        }
        models
    }

    /// The trainings of all levels, each once. Relative paths start from `from`.
    ///
    /// # Errors
    /// Fails if there is no such training, or its definition has a mistake.
    pub fn trainings(&self, from: &Path) -> Result<Vec<TrainingFile>, ConfigError> {
        let levels = self.factor.iter().flat_map(|factor| &factor.levels);
        let mut trainings: Vec<TrainingFile> = Vec::new();
        for level in levels {
            for training in self.trainings_of(level, from)? {
                if !trainings.iter().any(|known| known.name == training.name) {
                    trainings.push(training);
                }
            }
        }
        Ok(trainings)
    }

    /// The trainings of a level. Relative paths start from `from`.
    ///
    /// # Errors
    /// Fails when [`Self::trainings`] fails.
    pub fn trainings_of(
        &self,
        level: &Level,
        from: &Path,
    ) -> Result<Vec<TrainingFile>, ConfigError> {
        let trained = self.trained(level).into_iter().flatten();
        trained.map(|trained| trained.load(from)).collect()
    }

    /// The trained networks of a level, one for each seed. A level that trains nothing gives one `None`.
    fn trained(&self, level: &Level) -> Vec<Option<Trained>> {
        let trained = |seed| {
            let name = level.training.clone()?;
            Some(Trained { name, seed })
        };
        match (&level.training, &self.training_seeds[..]) {
            (None, _) | (_, []) => vec![trained(None)],
            (_, seeds) => seeds.iter().map(|seed| trained(Some(*seed))).collect(),
        }
    }
}

/// The name of a model for the name of another model.
fn stem(model: &str) -> String {
    let stem = Path::new(model).file_stem();
    stem.map_or_else(
        || model.to_owned(),
        |stem| stem.to_string_lossy().into_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Kind, list, study};
    use std::collections::HashSet;

    #[test]
    fn every_built_in_study_names_what_there_is() {
        let here = Path::new("");
        let names = |kind| -> HashSet<String> {
            list(kind).into_iter().map(|listed| listed.name).collect()
        };
        let (suites, models) = (names(Kind::Suite), names(Kind::Model));
        let studies = names(Kind::Study);
        assert!(studies.len() >= 5);
        for name in studies {
            let study = study(&name, here).unwrap().definition;
            for part in study.parts() {
                assert!(part.suites.iter().all(|name| suites.contains(name)));
                for model in &part.models {
                    assert!(models.contains(&model.model));
                    model.load(here).unwrap();
                }
            }
        }
    }
}
