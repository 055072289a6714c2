//! `unigauge baseline`.

use super::cli::{
    AllowArgs, BaselineAcceptArgs, BaselineCommand, BaselineCompareArgs, BaselineSaveArgs, PairArgs,
};
use super::compare::{Done, allowed, options, page, print, refusal};
use super::context::Context;
use super::failure::Failure;
use super::progress::say;
use crate::compare;
use crate::exit::Exit;
use crate::gate::{Baseline, BaselineError};
use crate::record::Outcomes;
use crate::session::{RecountedRun, read_outcomes};
use std::path::Path;

/// Keeps, compares or replaces the scores of runs.
///
/// # Errors
/// Fails if a run or the baseline cannot be read, or they do not fit together.
pub(super) fn baseline(ctx: &Context, command: &BaselineCommand) -> Result<Exit, Failure> {
    match command {
        BaselineCommand::Save(args) => save(args),
        BaselineCommand::Compare(args) => compared(ctx, args),
        BaselineCommand::Accept(args) => accept(args),
    }
}

fn save(args: &BaselineSaveArgs) -> Result<Exit, Failure> {
    let mut baseline = if args.to.exists() {
        Baseline::read(&args.to)?
    } else {
        Baseline::default()
    };
    for run in &args.runs {
        let run = whole(run, args.allow_partial)?;
        if baseline.index_of(&run.facts).is_some() && !args.replace {
            let (suite, model) = (run.facts.suite, run.facts.model);
            let path = args.to.clone();
            return Err(BaselineError::Held { path, suite, model }.into());
        }
        baseline.insert(run);
    }
    write(&baseline, &args.to)
}

fn accept(args: &BaselineAcceptArgs) -> Result<Exit, Failure> {
    if args.reason.trim().is_empty() {
        return Err(Failure::usage(
            "the reason is empty",
            "say why the new scores are right, for readers of the file",
        ));
    }
    let mut baseline = Baseline::read(&args.baseline)?;
    let now = jiff::Timestamp::now();
    for run in &args.runs {
        let run = whole(run, args.allow_partial)?;
        if baseline.index_of(&run.facts).is_none() {
            let (suite, model) = (run.facts.suite, run.facts.model);
            let path = args.baseline.clone();
            return Err(BaselineError::NotHeld { path, suite, model }.into());
        }
        baseline.accept(run, args.reason.trim(), now);
    }
    write(&baseline, &args.baseline)
}

fn write(baseline: &Baseline, path: &Path) -> Result<Exit, Failure> {
    baseline.write(path)?;
    let runs = baseline.runs.iter().map(|run| {
        let value = run
            .facts
            .value
            .map_or("no score".into(), |value| format!("{value:.4}"));
        format!("{} by {} {value}", run.facts.suite, run.facts.model)
    });
    let runs: Vec<String> = runs.collect();
    say(format!("baseline: {}: {}", path.display(), runs.join(", ")));
    Ok(Exit::Ok)
}

/// A run that has all its scores.
fn whole(path: &Path, allow_partial: bool) -> Result<Outcomes, Failure> {
    let run = read_outcomes(path)?;
    let facts = &run.facts;
    if facts.partial() && !allow_partial {
        return Err(Failure::incomplete(
            format!(
                "`{}` is partial: {} of {} outputs scored",
                path.display(),
                facts.scored,
                facts.expected
            ),
            "finish the run; `--allow-partial` saves it as it is",
        ));
    }
    Ok(run)
}

fn compared(ctx: &Context, args: &BaselineCompareArgs) -> Result<Exit, Failure> {
    let baseline = Baseline::read(&args.baseline)?;
    let mut done = Vec::new();
    for (after, path) in args.runs.iter().enumerate() {
        let run = read_outcomes(path)?;
        let before = counterpart(&baseline.runs, &run).ok_or_else(|| BaselineError::NotHeld {
            path: args.baseline.clone(),
            suite: run.facts.suite.clone(),
            model: run.facts.model.clone(),
        })?;
        done.push(Done {
            before: None,
            after,
            comparison: one(
                before,
                (&run, &RecountedRun::open(path)?),
                &args.allow,
                &args.pair,
            )?,
        });
    }
    if ctx.json {
        ctx.print_json(&done)?;
    } else {
        print(&done, &args.pair);
    }
    if let Some(dir) = &args.out {
        page(dir, &args.runs, &done, &args.pair)?;
    }
    Ok(Exit::Ok)
}

fn one(
    before: &Outcomes,
    (after, rule): (&Outcomes, &RecountedRun),
    allow: &AllowArgs,
    pair: &PairArgs,
) -> Result<compare::Comparison, Failure> {
    compare::compare(before, after, allowed(allow), &options(pair), Some(rule))
        .map_err(|error| refusal(before, after, &error))
}

/// The run of the same suite and model, or else the only one of the suite.
pub(super) fn counterpart<'a>(runs: &'a [Outcomes], run: &Outcomes) -> Option<&'a Outcomes> {
    let of_suite = runs.iter().filter(|own| own.facts.suite == run.facts.suite);
    let of_suite: Vec<&Outcomes> = of_suite.collect();
    let same = |own: &&&Outcomes| own.facts.model == run.facts.model;
    match (of_suite.iter().find(same), &of_suite[..]) {
        (Some(own), _) => Some(own),
        (None, [only]) => Some(only),
        _ => None,
    }
}
