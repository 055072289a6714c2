//! A model with its settings for one suite.

use super::engines::{engines_phrase, is_place_setting};
use super::{SelectedSuite, Session, SessionError, locate_checkpoints};
use crate::config::{ModelFile, Settings};
use crate::generate::GeneratorKind;
use crate::observe::Observer;
use crate::run::ResolvedModel;
use crate::study::StudyModel;
use serde_json::Value;
use std::path::Path;

/// A model with its settings for a suite.
#[derive(Debug, Clone)]
pub struct ConfiguredModel {
    /// The definition.
    pub model: ModelFile,
    /// The generator that the definition names.
    pub generator: &'static GeneratorKind,
    /// The generator's options for the suite; checkpoints are named by their folders.
    pub settings: Settings,
    /// The settings as the manifest shows them.
    pub(super) resolved: Value,
    /// The suite's preset was applied.
    preset: bool,
}

impl ConfiguredModel {
    /// Loads a model; relative paths start from `from`.
    ///
    /// # Errors
    /// Fails if the definition or the settings have mistakes.
    pub fn load(
        session: &Session,
        model: &StudyModel,
        from: &Path,
        suite: &str,
    ) -> Result<Self, SessionError> {
        Self::new(session, model.load(from)?, suite)
    }

    /// Checks the settings of a model for a suite.
    ///
    /// # Errors
    /// Fails if the generator is unknown or the settings have mistakes.
    pub fn new(session: &Session, model: ModelFile, suite: &str) -> Result<Self, SessionError> {
        let settings = model.settings_for(suite);
        let generator = crate::generate::find(&model.generator)?;
        generator.check(&settings)?;
        Ok(Self {
            resolved: generator.resolved(&settings)?,
            generator,
            preset: model.presets.contains_key(suite),
            settings: locate_checkpoints(session, &settings)?,
            model,
        })
    }

    /// The definition as the manifest has it.
    pub(super) fn described(
        &self,
        selected: &SelectedSuite,
        weights: Option<&Value>,
        observers: &[Box<dyn Observer>],
    ) -> ResolvedModel {
        let suite = &selected.suite.name;
        ResolvedModel {
            name: self.model.name.clone(),
            title: self.title(selected, observers),
            generator: self.model.generator.clone(),
            settings: self.resolved.clone(),
            preset: self.preset.then(|| suite.clone()),
            notes: self.model.notes.get(suite).cloned(),
            weights: weights.cloned(),
        }
    }

    /// The title with what the selection changes, as a row of a table shows it.
    fn title(&self, selected: &SelectedSuite, observers: &[Box<dyn Observer>]) -> String {
        let read_by = selected.read_by.as_deref().map(engines_phrase);
        let mut changes: Vec<String> = read_by.iter().cloned().collect();
        let set = selected.changed.iter();
        changes.extend(
            set.filter(|set| read_by.is_none() || !is_place_setting(set))
                .cloned(),
        );
        // An observer that remarks on itself says all that a reader of the row must know about its options.
        for observer in observers {
            if let Some(remark) = observer.remark() {
                let prefix = format!("observe.{}.", observer.name());
                changes.retain(|changed| !changed.trim_start().starts_with(&prefix));
                changes.push(remark);
            }
        }
        match &changes[..] {
            [] => self.model.title.clone(),
            changes => format!("{} ({})", self.model.title, changes.join(", ")),
        }
    }
}
