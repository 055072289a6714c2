//! `unigauge run` and `unigauge generate`.

use super::check;
use super::cli::{CheckArgs, RunArgs, SelectArgs};
use super::context::Context;
use super::failure::Failure;
use super::progress::say;
use super::summaries::{exit_of, print_summaries};
use super::table::corrected_pairs;
use crate::compare::{Allowed, DifferenceOptions};
use crate::config::StudyFile;
use crate::exit::Exit;
use crate::report::chart::Width;
use crate::session::{
    ItemSelection, MadeRun, RunRequest, RunTarget, ShardChoice, StudyRuns, TitledSummary,
    note_noise_pairs, published_beside, write_page,
};
use crate::text::count::counted;
use std::path::PathBuf;

impl From<&SelectArgs> for ItemSelection {
    fn from(args: &SelectArgs) -> Self {
        Self {
            limit: args.limit,
            only: args.only.clone(),
            observers: args.observers.clone(),
            set: args.set.clone(),
        }
    }
}

/// What the command line asks a session for.
pub(super) fn run_request(args: &RunArgs, shard: ShardChoice, observe: bool) -> RunRequest {
    RunRequest {
        target: args.target.clone(),
        models: args.model.clone(),
        items: args.items.clone(),
        select: ItemSelection::from(&args.select),
        out: args.out.clone(),
        run_name: args.run_name.clone(),
        repeats: args.repeats,
        seed: args.seed,
        shard,
        wait_lock: args.shard.wait.limit(),
        sync: None,
        jobs: args.jobs.map(usize::from),
        device: args.device,
        vram_budget: args.vram_budget.map(|size| size.as_u64()),
        observe,
    }
}

/// Runs a study or a suite.
///
/// # Errors
/// Fails when one of the stages fails. What is finished is kept.
pub(super) fn run(ctx: &Context, args: &RunArgs, observe: bool) -> Result<Exit, Failure> {
    if args.dry_run {
        return check::check(ctx, &CheckArgs::from(args));
    }
    ctx.catch_interrupts_within(args.grace);
    let request = RunRequest {
        sync: args.sync.options(&ctx.session)?,
        ..run_request(args, args.shard.choice()?, observe)
    };
    let target = RunTarget::load(&args.target, &args.model)?;
    let made = ctx.session.run_target(&target, &request)?;
    conclude(ctx, args, &target, &made)
}

/// Prints the table and where the pages are, and gives the exit code.
fn conclude(
    ctx: &Context,
    args: &RunArgs,
    target: &RunTarget,
    made: &[MadeRun],
) -> Result<Exit, Failure> {
    if let Some(last) = made.last().filter(|last| last.outcome.interrupted) {
        say(format!(
            "everything finished is in {}",
            last.folder.root().display()
        ));
        say("run the same command again to continue");
        return Ok(Exit::Interrupted);
    }
    let mut summaries: Vec<TitledSummary> =
        made.iter().filter_map(|run| run.summary.clone()).collect();
    if let Some(study) = target.study.as_ref().filter(|study| study.factor.is_some())
        && (made.is_empty() || !summaries.is_empty())
    {
        return print_levels(ctx, args, target, study, made);
    }
    if summaries.is_empty() {
        return Ok(conclude_parts(ctx, made));
    }
    let with_papers = target.study.as_ref().is_some_and(|study| study.published);
    let published = if with_papers {
        published_beside(&summaries)?
    } else {
        Vec::new()
    };
    let folders = made.iter().filter(|run| run.summary.is_some());
    let folders: Vec<PathBuf> = folders.map(|run| run.folder.root().to_owned()).collect();
    note_noise_pairs(&folders, &mut summaries)?;
    let page = write_page(target, &args.out, made, &summaries, &published)?;
    print_summaries(ctx, &summaries, &published)?;
    if target.study.as_ref().is_some_and(|study| study.corrected) && !ctx.json {
        let graded = made.iter().filter(|run| run.summary.is_some());
        let text = corrected_pairs(graded.map(|run| run.folder.root()))?;
        print!("{text}");
    }
    say(format!("report: {}", page.display()));
    // A rule may grade an output that could not be made; the failure was printed all the same.
    let failed = made.iter().any(|run| run.outcome.generate_failed > 0);
    Ok(match exit_of(&summaries) {
        Exit::Ok if failed => Exit::Incomplete,
        exit => exit,
    })
}

/// Makes the page of a study with a factor.
fn print_levels(
    ctx: &Context,
    args: &RunArgs,
    target: &RunTarget,
    study: &StudyFile,
    made: &[MadeRun],
) -> Result<Exit, Failure> {
    let mut names: Vec<String> = Vec::new();
    for name in made.iter().filter_map(|run| run.folder.root().file_name()) {
        let name = name.to_string_lossy().into_owned();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let runs = StudyRuns {
        study,
        from: &target.from,
        results: &args.out,
        names: &names,
        width: Width::default(),
        allowed: Allowed::default(),
        options: DifferenceOptions::default(),
    };
    super::study::page(ctx, &runs, None)
}

/// Prints what was made of runs that have no summary yet.
fn conclude_parts(ctx: &Context, made: &[MadeRun]) -> Exit {
    let mut failed = 0;
    for run in made {
        let outcome = &run.outcome;
        failed += outcome.generate_failed + outcome.observe_failed;
        if ctx.json {
            println!(
                "{}",
                serde_json::json!({
                    "run": run.folder.root(), "there_before": outcome.done_before,
                    "generated": outcome.generated, "failed": outcome.generate_failed,
                    "observed": outcome.observed, "observe_failed": outcome.observe_failed,
                })
            );
        } else {
            println!(
                "{}: {} made, {} failed, {} made before",
                run.folder.root().display(),
                counted(outcome.generated, "output"),
                outcome.generate_failed,
                outcome.done_before
            );
        }
    }
    if failed > 0 {
        Exit::Incomplete
    } else {
        Exit::Ok
    }
}
