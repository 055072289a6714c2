//! `unigauge merge`.

use super::cli::MergeArgs;
use super::context::Context;
use super::failure::Failure;
use super::progress::say;
use super::run::{exit_of, print_summaries};
use super::score::{grade_run, report_run};
use crate::exit::Exit;
use crate::record::Item;
use crate::run::{Division, Manifest, RunFolder, read_all};
use crate::text::count::counted;

/// Joins the shards of a run, grades and reports it. Of shards that never began, all outputs are missing.
///
/// # Errors
/// When there are no shards, they overlap, or one is being made.
pub fn merge(ctx: &Context, args: &MergeArgs) -> Result<Exit, Failure> {
    let folder = RunFolder::existing(&args.run)?;
    let _lock = folder.lock(None)?;
    let mut manifest = Manifest::read(&folder)?;
    let division = Division::hold(&folder)?;
    folder.clear_partial();
    let items: Vec<Item> = read_all(&folder.items())?;
    let merged = division.join(&items)?;
    say(format!(
        "joined {}: {}, {}",
        counted(merged.shards, "shard"),
        counted(merged.outputs, "output"),
        counted(merged.evidence, "observation")
    ));
    for shard in division.absent() {
        say(format!(
            "shard {shard} has not started, so its outputs are missing; run it with `--shard {shard}`, and then merge again"
        ));
    }
    manifest.join(&folder, division.shards())?;
    let scored = grade_run(ctx, &folder, &manifest, None, None)?;
    let summary = report_run(&folder, &manifest, scored)?;
    manifest.finished = Some(jiff::Timestamp::now());
    manifest.write(&folder)?;
    let summaries = [summary];
    if exit_of(&summaries) == Exit::Ok {
        let shards = division.shards().iter().copied().map(Some);
        shards
            .chain([None])
            .for_each(|shard| folder.clear_scratch(shard));
    }
    print_summaries(ctx, &summaries, &[])?;
    say(format!(
        "report: {}",
        folder.report().join("index.html").display()
    ));
    Ok(exit_of(&summaries))
}
