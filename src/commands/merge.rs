//! `unigauge merge`.

use super::cli::MergeArgs;
use super::context::Context;
use super::failure::Failure;
use super::progress::say_report;
use super::summaries::{exit_of, print_summaries};
use crate::exit::Exit;

/// Joins the shards of runs, grades the runs and writes their reports. The outputs of shards that have not
/// started are missing.
///
/// # Errors
/// Fails if there are no shards, or one is being made.
pub(super) fn merge(ctx: &Context, args: &MergeArgs) -> Result<Exit, Failure> {
    ctx.catch_interrupts();
    let (mut summaries, mut folders) = (Vec::new(), Vec::new());
    for run in &args.runs {
        let merged = ctx.session.merge_shards(run, args.wait.limit())?;
        summaries.push(merged.summary);
        folders.push(merged.folder);
    }
    print_summaries(ctx, &summaries, &[])?;
    folders.iter().for_each(say_report);
    Ok(exit_of(&summaries))
}
