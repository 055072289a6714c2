//! The runs of a study as its page reads them.

use super::probe::noise_notes;
use super::{RecountedRun, SessionError, read_outcomes};
use crate::compare::{Allowed, DifferenceOptions};
use crate::config::{self, CostOf, Factor, Level, Metric, StudyFile};
use crate::record::Output;
use crate::report::chart::Width;
use crate::run::{RunFolder, Stream, read_all};
use crate::study::{LevelRun, LevelRuns, Section, Series, Study, StudySettings, SuiteRuns};
use crate::train::CURVE;
use std::path::{Path, PathBuf};

/// Where the runs of a study are, and how its numbers are made.
pub struct StudyRuns<'a> {
    /// The study.
    pub study: &'a StudyFile,
    /// The folder that paths in the study start from.
    pub from: &'a Path,
    /// The folder of the results, with the subfolders SUITE/MODEL/RUN.
    pub results: &'a Path,
    /// The names of the runs, one for each seed.
    pub names: &'a [String],
    /// How wide charts are printed.
    pub width: Width,
    /// What may differ between runs apart from the model.
    pub allowed: Allowed,
    /// How differences are computed.
    pub options: DifferenceOptions,
}

impl StudyRuns<'_> {
    /// Reads runs and curves, and computes the numbers of the levels of a factor.
    ///
    /// # Errors
    /// A suite, a model or a training that the study names has a mistake. A run that is missing is no error:
    /// the study says so.
    pub fn read(&self, factor: &Factor) -> Result<Study, SessionError> {
        let file = self.study;
        let is_control = |level: &Level| level.name == factor.control;
        let settings = StudySettings {
            primary: file.primary.clone().unwrap_or(Metric::Overall),
            control: factor.levels.iter().position(is_control).unwrap_or(0),
            measured_cost: file
                .cost
                .as_ref()
                .is_some_and(|cost| cost.of == CostOf::Seconds),
            allowed: self.allowed,
            options: self.options,
        };
        let given = factor.levels.iter().any(|level| level.cost.is_some());
        let mut notes = Vec::new();
        let suites = suites(self, factor, &mut notes)?;
        notes.extend(noise_pairs(&suites)?);
        Ok(Study {
            name: file.name.clone(),
            title: file.title.clone(),
            description: file.description.clone(),
            factor: factor.title.clone(),
            cost: match &file.cost {
                Some(cost) => Some(cost.title().to_owned()),
                None => given.then(|| "cost".to_owned()),
            },
            sections: suites
                .iter()
                .filter_map(|runs| Section::from_runs(runs, &settings))
                .collect(),
            series: series(self, factor)?,
            notes,
            width: self.width,
        })
    }
}

/// The runs of every suite and level.
fn suites(
    runs: &StudyRuns<'_>,
    factor: &Factor,
    notes: &mut Vec<String>,
) -> Result<Vec<SuiteRuns>, SessionError> {
    let mut suites = Vec::new();
    for name in &runs.study.suites {
        let suite = config::suite(name, runs.from)?.definition.name;
        let mut levels = Vec::new();
        for level in &factor.levels {
            let mut of_level = LevelRuns {
                title: level.title().to_owned(),
                cost: level.cost,
                ..LevelRuns::default()
            };
            for model in runs.study.models_of(level) {
                let model = model.load(runs.from)?.name;
                let folder = runs.results.join(&suite).join(&model);
                for _ in 0..seeds_beside(runs.study, factor, level) {
                    let read = runs.names.iter().map(|run| read(folder.join(run)));
                    of_level.runs.extend(read);
                }
            }
            levels.push(of_level);
        }
        suites.push(SuiteRuns { suite, levels });
    }
    for (at, level) in factor.levels.iter().enumerate() {
        for run in &level.runs {
            elsewhere(runs, level, at, run, &mut suites, notes);
        }
    }
    Ok(suites)
}

/// What the levels that restore pictures from noise share with those that read the same pictures.
///
/// # Errors
/// Fails if a run's records are damaged.
fn noise_pairs(suites: &[SuiteRuns]) -> Result<Vec<String>, SessionError> {
    let levels = suites.iter().flat_map(|suite| &suite.levels);
    let runs = levels.flat_map(|level| level.runs.iter().flatten().map(move |run| (level, run)));
    let runs: Vec<(&LevelRuns, &LevelRun)> = runs.collect();
    let folders: Vec<PathBuf> = runs.iter().map(|(_, run)| run.dir.clone()).collect();
    let notes = noise_notes(&folders)?.into_iter();
    let named = notes.map(|(place, note)| match runs.get(place) {
        Some((level, _)) => format!("{}: {note}", level.title),
        None => note,
    });
    Ok(named.collect())
}

/// How many training seeds of other levels each model of a level stands beside: one run of a network that is
/// not trained is paired with every seed of those that are.
fn seeds_beside(study: &StudyFile, factor: &Factor, level: &Level) -> usize {
    let others = factor.levels.iter().any(|other| other.training.is_some());
    if level.training.is_none() && others {
        study.training_seeds.len().max(1)
    } else {
        1
    }
}

/// Reads a run that a level names by its folder, and puts it to its suite.
fn elsewhere(
    runs: &StudyRuns<'_>,
    level: &Level,
    at: usize,
    run: &str,
    suites: &mut [SuiteRuns],
    notes: &mut Vec<String>,
) {
    let read = match read(runs.from.join(run)) {
        Ok(read) => read,
        Err(why) => {
            // Nobody knows which suite it was of.
            let levels = suites
                .iter_mut()
                .filter_map(|suite| suite.levels.get_mut(at));
            levels.for_each(|level| level.runs.push(Err(why.clone())));
            return;
        }
    };
    let found = &read.outcomes.facts.suite;
    let suite = suites.iter_mut().find(|suite| suite.suite == *found);
    match suite.and_then(|suite| suite.levels.get_mut(at)) {
        Some(level) => level.runs.push(Ok(read)),
        None => notes.push(format!(
            "{}: {run} is a run of {found}, which is not a suite of the study.",
            level.title()
        )),
    }
}

/// Reads a run, or says why there is none.
fn read(dir: PathBuf) -> Result<LevelRun, String> {
    if !dir.is_dir() {
        return Err(format!("there is no {}", dir.display()));
    }
    let text = |error: SessionError| error.to_string();
    Ok(LevelRun {
        outcomes: read_outcomes(&dir).map_err(text)?,
        rule: Box::new(RecountedRun::open(&dir).map_err(text)?),
        seconds: seconds(&dir),
        dir,
    })
}

/// Mean seconds that an output took to be made; None where none was timed.
fn seconds(dir: &Path) -> Option<f64> {
    let stream = RunFolder::at(dir).stream(Stream::Outputs, None);
    let outputs: Vec<Output> = read_all(&stream).ok()?;
    let timed: Vec<f64> = outputs
        .iter()
        .filter(|output| output.error.is_none())
        .filter_map(|output| output.timings.get("generate").copied())
        .collect();
    (!timed.is_empty()).then(|| timed.iter().sum::<f64>() / timed.len() as f64)
}

/// The curves that the study names, and those of its trainings.
fn series(runs: &StudyRuns<'_>, factor: &Factor) -> Result<Vec<Series>, SessionError> {
    let mut series = Vec::new();
    for curves in &runs.study.curves {
        let level = factor.levels.iter().position(|l| l.name == curves.level);
        let files: Vec<PathBuf> = curves
            .files
            .iter()
            .map(|file| runs.from.join(file))
            .collect();
        for value in &curves.values {
            series.push(Series::read(
                level.unwrap_or(0),
                &files,
                &curves.step,
                value,
            ));
        }
    }
    series.extend(training_series(runs, factor)?);
    Ok(series)
}

/// The curves of the trainings that the study names. A level that trains nothing has none, and neither has
/// one whose task does not log the value, unless no level has it.
fn training_series(runs: &StudyRuns<'_>, factor: &Factor) -> Result<Vec<Series>, SessionError> {
    let (mut known, mut lacking) = (Vec::new(), Vec::new());
    for (at, level) in factor.levels.iter().enumerate() {
        let trainings = runs.study.trainings_of(level, runs.from)?;
        let folders = trainings.iter().map(|training| training.folder());
        let files: Vec<PathBuf> = folders.map(|folder| folder.join(CURVE)).collect();
        let drawn = runs.study.training_curves.iter();
        for value in drawn.filter(|_| !files.is_empty()) {
            let series = Series::read(at, &files, "step", value);
            if series.files == 0 && files.iter().all(|file| file.is_file()) {
                lacking.push(series);
            } else {
                known.push(series);
            }
        }
    }
    lacking.retain(|lacking| !known.iter().any(|known| known.value == lacking.value));
    Ok(known.into_iter().chain(lacking).collect())
}
