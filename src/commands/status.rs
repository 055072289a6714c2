//! `unigauge status`.

use super::cli::StatusArgs;
use super::context::Context;
use super::failure::Failure;
use crate::exit::Exit;
use crate::files::in_words;
use crate::session::{RunStatus, ShardStatus};
use crate::table::formats::terminal;
use crate::table::{Column, Grid, Row, Window};
use std::time::Duration;

/// The time between two looks.
const EVERY: Duration = Duration::from_secs(10);

/// Prints how far runs are.
///
/// # Errors
/// Fails if there is no run, or a file of one is damaged.
pub(super) fn status(ctx: &Context, args: &StatusArgs) -> Result<Exit, Failure> {
    if args.watch {
        ctx.catch_interrupts();
    }
    loop {
        let runs = RunStatus::find(&args.results)?;
        if ctx.json {
            ctx.print_json(&runs)?;
        } else {
            runs.iter().for_each(print_run);
        }
        let complete = runs.iter().all(|run| run.complete);
        if complete || !args.watch {
            return Ok(if complete { Exit::Ok } else { Exit::Incomplete });
        }
        if ctx.cancel.is_raised_within(EVERY) {
            return Ok(Exit::Interrupted);
        }
    }
}

fn print_run(run: &RunStatus) {
    println!("{}: {}", run.run.display(), in_numbers(run));
    let heads = [
        "shard",
        "state",
        "outputs",
        "failed",
        "last seen",
        "s/output",
        "starts",
        "where",
    ];
    let grid = Grid {
        columns: Column::named(heads),
        rows: run.shards.iter().map(row).collect(),
        ..Grid::default()
    };
    print!("{}", terminal::table(&grid, Window::detect()));
    if let Some(again) = &run.again {
        println!(
            "to start again: --array={again}, with --shard auto --shards {}",
            run.shards.len()
        );
    }
    if let Some(words) = crate::session::scheduler_words(&run.run) {
        println!("{words}");
    }
}

/// The numbers of a run in a sentence.
fn in_numbers(run: &RunStatus) -> String {
    let mut words = format!(
        "{} of {} outputs are there, {} failed, {} are left",
        run.done, run.planned, run.failed, run.missing
    );
    if let Some(seconds) = run.seconds_per_output {
        words += &format!("; {seconds:.1} s an output");
    }
    if let Some(left) = run.seconds_left {
        words += &format!("; about {} left", in_words(Duration::from_secs_f64(left)));
    }
    words
}

fn row(shard: &ShardStatus) -> Row {
    let name = shard.tally.shard.map(|shard| shard.to_string());
    let silent = shard
        .silent
        .map(|silent| in_words(Duration::from_secs(silent)));
    let place = [
        shard.host_name.clone(),
        shard.job.as_ref().map(|job| format!("job {job}")),
    ];
    let place: Vec<String> = place.into_iter().flatten().collect();
    Row::plain([
        name.unwrap_or_else(|| "whole".into()),
        shard.state.word().into(),
        format!("{}/{}", shard.tally.done, shard.tally.planned),
        shard.tally.failed.to_string(),
        silent.map_or_else(String::new, |silent| format!("{silent} ago")),
        shard
            .seconds_per_output
            .map_or_else(String::new, |seconds| format!("{seconds:.1}")),
        shard
            .starts
            .map_or_else(String::new, |starts| starts.to_string()),
        place.join(", "),
    ])
}
