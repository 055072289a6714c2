//! `unigauge merge`.

use super::cli::MergeArgs;
use super::context::Context;
use super::failure::Failure;
use super::progress::say;
use super::run::{exit_of, print_summaries};
use super::score::{grade_run, report_run};
use crate::exit::Exit;
use crate::run::{Manifest, RunFolder, merge as merge_shards};

/// Joins the shards of a run, grades and reports it.
///
/// # Errors
/// When shards are missing or overlap.
pub fn merge(ctx: &Context, args: &MergeArgs) -> Result<Exit, Failure> {
    let folder = RunFolder::existing(&args.run)?;
    let _lock = folder.lock(None)?;
    let mut manifest = Manifest::read(&folder)?;
    let merged = merge_shards(&folder)?;
    say(format!(
        "joined {} shards: {} outputs, {} observations",
        merged.shards, merged.outputs, merged.evidence
    ));
    manifest.shard = None;
    let scored = grade_run(ctx, &folder, &manifest, None, None)?;
    let summary = report_run(&folder, &manifest, scored)?;
    manifest.finished = Some(jiff::Timestamp::now());
    manifest.write(&folder)?;
    let summaries = [summary];
    print_summaries(ctx, &summaries, &[]);
    say(format!(
        "report: {}",
        folder.report().join("index.html").display()
    ));
    Ok(exit_of(&summaries))
}
