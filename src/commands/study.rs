//! `unigauge study`.

use super::cli::StudyArgs;
use super::compare::{allowed, options};
use super::context::Context;
use super::failure::Failure;
use super::progress::say;
use crate::compare::{Allowed, DifferenceOptions};
use crate::config::{self, CostOf, Factor, Level, Metric, StudyFile};
use crate::exit::Exit;
use crate::record::Output;
use crate::report::chart::Width;
use crate::run::{RunFolder, Stream, read_all};
use crate::session::{RecountedRun, SessionError, plain_run_name, read_outcomes, run_seeds};
use crate::study::{self, LevelRun, LevelRuns, Series, Study, StudySettings, SuiteRuns};
use crate::table::Window;
use crate::train::CURVE;
use std::path::{Path, PathBuf};

/// Where a study's runs are, and how its page is made.
pub struct Paging<'a> {
    pub study: &'a StudyFile,
    /// The folder that paths in the study start from.
    pub from: &'a Path,
    pub results: &'a Path,
    /// Names of runs, one a seed.
    pub runs: &'a [String],
    pub out: Option<&'a Path>,
    pub width: Width,
    pub allowed: Allowed,
    pub options: DifferenceOptions,
}

/// Makes the page of a study from the runs that are there.
///
/// # Errors
/// When the study has mistakes or no factor, no run of it is there, or the page cannot be written.
pub fn study(ctx: &Context, args: &StudyArgs) -> Result<Exit, Failure> {
    let loaded = config::study(&args.study, Path::new(""))?;
    let study = &loaded.definition;
    let limit = args.limit.or(study.limit);
    let seeds = run_seeds(Some(study), None, None)?.into_iter();
    let runs: Vec<String> = seeds.map(|seed| plain_run_name(seed, limit)).collect();
    page(
        ctx,
        &Paging {
            study,
            from: loaded.base(),
            results: &args.results,
            runs: &runs,
            out: args.out.as_deref(),
            width: args.width.into(),
            allowed: allowed(&args.allow),
            options: options(&args.pair),
        },
    )
}

/// Writes the page, prints the table and where the page is.
///
/// # Errors
/// As [`study`].
pub fn page(ctx: &Context, paging: &Paging<'_>) -> Result<Exit, Failure> {
    let file = paging.study;
    let Some(factor) = &file.factor else {
        return Err(Failure::usage(
            format!(
                "the study `{}` has no `[factor]`, so it has no levels to compare",
                file.name
            ),
            format!("`unigauge run {}` makes its page", file.name),
        ));
    };
    let study = gather(paging, factor)?;
    if study.sections.is_empty() {
        return Err(Failure::incomplete(
            format!(
                "no run of the study `{}` is in {}",
                file.name,
                paging.results.display()
            ),
            format!("make them: `unigauge run {}`", file.name),
        ));
    }
    let default = paging.results.join("studies").join(&file.name);
    let titles: Vec<String> = factor.levels.iter().map(|l| l.title().to_owned()).collect();
    let written = study::write(paging.out.unwrap_or(&default), &study, &titles)?;
    if ctx.json {
        ctx.print_json(&study)?;
    } else {
        print!("{}", study.terminal(Window::detect()));
    }
    say(format!("report: {}", written.page.display()));
    Ok(if study.incomplete() {
        Exit::Incomplete
    } else {
        Exit::Ok
    })
}

/// Reads runs and curves, and computes the numbers.
fn gather(paging: &Paging<'_>, factor: &Factor) -> Result<Study, Failure> {
    let file = paging.study;
    let is_control = |level: &Level| level.name == factor.control;
    let settings = StudySettings {
        primary: file.primary.clone().unwrap_or(Metric::Overall),
        control: factor.levels.iter().position(is_control).unwrap_or(0),
        measured_cost: file
            .cost
            .as_ref()
            .is_some_and(|cost| cost.of == CostOf::Seconds),
        allowed: paging.allowed,
        options: paging.options,
    };
    let given = factor.levels.iter().any(|level| level.cost.is_some());
    let mut notes = Vec::new();
    let suites = suites(paging, factor, &mut notes)?;
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
            .filter_map(|runs| study::Section::from_runs(runs, &settings))
            .collect(),
        series: series(paging, factor)?,
        notes,
        width: paging.width,
    })
}

/// The runs of every suite and level.
fn suites(
    paging: &Paging<'_>,
    factor: &Factor,
    notes: &mut Vec<String>,
) -> Result<Vec<SuiteRuns>, Failure> {
    let mut suites = Vec::new();
    for name in &paging.study.suites {
        let suite = config::suite(name, paging.from)?.definition.name;
        let mut levels = Vec::new();
        for level in &factor.levels {
            let mut runs = LevelRuns {
                title: level.title().to_owned(),
                cost: level.cost,
                ..LevelRuns::default()
            };
            for model in paging.study.models_of(level) {
                let model = model.load(paging.from)?.name;
                let folder = paging.results.join(&suite).join(&model);
                let read = paging.runs.iter().map(|run| read(folder.join(run)));
                runs.runs.extend(read);
            }
            levels.push(runs);
        }
        suites.push(SuiteRuns { suite, levels });
    }
    for (at, level) in factor.levels.iter().enumerate() {
        for run in &level.runs {
            elsewhere(paging, level, at, run, &mut suites, notes);
        }
    }
    Ok(suites)
}

/// Reads a run that a level names by its folder, and puts it to its suite.
fn elsewhere(
    paging: &Paging<'_>,
    level: &Level,
    at: usize,
    run: &str,
    suites: &mut [SuiteRuns],
    notes: &mut Vec<String>,
) {
    let read = match read(paging.from.join(run)) {
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
    let told = |error: SessionError| error.to_string();
    Ok(LevelRun {
        outcomes: read_outcomes(&dir).map_err(told)?,
        rule: Box::new(RecountedRun::open(&dir).map_err(told)?),
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
fn series(paging: &Paging<'_>, factor: &Factor) -> Result<Vec<Series>, Failure> {
    let mut series = Vec::new();
    for curves in &paging.study.curves {
        let level = factor.levels.iter().position(|l| l.name == curves.level);
        let files: Vec<PathBuf> = curves
            .files
            .iter()
            .map(|file| paging.from.join(file))
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
    for (at, level) in factor.levels.iter().enumerate() {
        let trainings = paging.study.trainings_of(level, paging.from)?;
        let folders = trainings.iter().map(|training| training.folder());
        let files: Vec<PathBuf> = folders.map(|folder| folder.join(CURVE)).collect();
        let drawn = paging.study.training_curves.iter();
        // A level that trains nothing has no curve.
        for value in drawn.filter(|_| !files.is_empty()) {
            series.push(Series::read(at, &files, "step", value));
        }
    }
    Ok(series)
}
