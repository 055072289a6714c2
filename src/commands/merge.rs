//! `unigauge merge`.

use super::cli::MergeArgs;
use super::context::Context;
use super::failure::Failure;
use super::progress::say_report;
use super::summaries::{exit_of, print_summaries};
use crate::exit::Exit;

/// Joins the shards of a run, grades the run and writes its report. The outputs of shards that have not
/// started are missing.
///
/// # Errors
/// Fails if there are no shards, they overlap, or one is being made.
pub(super) fn merge(ctx: &Context, args: &MergeArgs) -> Result<Exit, Failure> {
    let merged = ctx.session.merge_shards(&args.run)?;
    let summaries = [merged.summary];
    print_summaries(ctx, &summaries, &[])?;
    say_report(&merged.folder);
    Ok(exit_of(&summaries))
}
