//! `unigauge baseline`.

use super::cli::{BaselineAcceptArgs, BaselineCommand, BaselineCompareArgs, BaselineSaveArgs};
use super::compare::{allowed, difference_options, print_comparisons, write_page};
use super::context::Context;
use super::failure::Failure;
use super::progress::say;
use crate::compare::{PlacedComparison, RefusedPair, compare};
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
        BaselineCommand::Compare(args) => compare_with(ctx, args),
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

fn compare_with(ctx: &Context, args: &BaselineCompareArgs) -> Result<Exit, Failure> {
    let baseline = Baseline::read(&args.baseline)?;
    let options = difference_options(&args.pair);
    let mut comparisons = Vec::new();
    for (after, path) in args.runs.iter().enumerate() {
        let run = read_outcomes(path)?;
        let Some(before) = Baseline::counterpart(&baseline.runs, &run.facts) else {
            let (suite, model) = (run.facts.suite, run.facts.model);
            let path = args.baseline.clone();
            return Err(BaselineError::NotHeld { path, suite, model }.into());
        };
        let rule = RecountedRun::open(path)?;
        let comparison = compare(before, &run, allowed(&args.allow), &options, Some(&rule))
            .map_err(|reason| RefusedPair::new(before, &run, reason))?;
        comparisons.push(PlacedComparison {
            before: None,
            after,
            comparison,
        });
    }
    if ctx.json {
        ctx.print_json(&comparisons)?;
    } else {
        print_comparisons(&comparisons, &args.pair);
    }
    if let Some(dir) = &args.out {
        write_page(dir, &args.runs, &comparisons, &args.pair)?;
    }
    Ok(Exit::Ok)
}
