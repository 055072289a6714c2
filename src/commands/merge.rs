//! `unigauge merge`.

use super::cli::MergeArgs;
use super::context::Context;
use super::failure::Failure;
use super::progress::say_report;
use super::summaries::{exit_of, print_summaries};
use crate::exit::Exit;
use crate::sync::Address;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Joins the shards of runs, grades the runs and writes their reports. The outputs of shards that have not
/// started are missing.
///
/// # Errors
/// Fails if there are no shards, or one is being made.
pub(super) fn merge(ctx: &Context, args: &MergeArgs) -> Result<Exit, Failure> {
    ctx.catch_interrupts();
    join(ctx, &args.runs, &args.out, args.wait.limit())
}

/// Joins the shards of runs: in run folders, or in places of an object store, whose runs are copied to `out`.
///
/// # Errors
/// Fails if there are no shards, or one is being made.
pub(super) fn join(
    ctx: &Context,
    runs: &[PathBuf],
    out: &Path,
    wait: Duration,
) -> Result<Exit, Failure> {
    let (mut summaries, mut folders) = (Vec::new(), Vec::new());
    for run in runs {
        let merged = match run.to_str().filter(|text| Address::is_meant(text)) {
            Some(text) => {
                let store = ctx.session.open_store(&text.parse()?)?;
                ctx.session.merge_stored(&store, out, wait)?
            }
            None => vec![ctx.session.merge_shards(run, wait)?],
        };
        for one in merged {
            summaries.push(one.summary);
            folders.push(one.folder);
        }
    }
    print_summaries(ctx, &summaries, &[])?;
    folders.iter().for_each(say_report);
    Ok(exit_of(&summaries))
}
