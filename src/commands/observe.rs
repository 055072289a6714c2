//! `unigauge observe`.

use super::cli::ObserveArgs;
use super::context::Context;
use super::failure::Failure;
use super::progress::{say, say_report};
use super::summaries::{exit_of, print_summaries};
use crate::exit::Exit;
use crate::generate::folder::Inventory;
use crate::session::{ItemSelection, PictureFolder, PictureRequest};
use crate::text::count::counted;
use std::path::Path;

/// Observes the outputs of a run folder, or images that another program made.
///
/// # Errors
/// Fails if the folder is not a run, the images cannot be listed, or an observer cannot be made.
pub(super) fn observe(ctx: &Context, args: &ObserveArgs) -> Result<Exit, Failure> {
    ctx.catch_interrupts();
    match (&args.run, &args.suite, &args.images) {
        (Some(run), ..) => observe_run(ctx, args, run),
        (None, Some(suite), Some(images)) => score_images(ctx, args, suite, images),
        // The parser of the command line requires one of the two.
        _ => Err(Failure::usage(
            "nothing to observe",
            "see `unigauge observe --help`",
        )),
    }
}

fn observe_run(ctx: &Context, args: &ObserveArgs, run: &Path) -> Result<Exit, Failure> {
    let jobs = args.jobs.map(usize::from);
    let part = (args.shard.choice()?, args.shard.wait.limit());
    let seen = ctx.session.observe_run(run, part, args.device, jobs)?;
    let outcome = &seen.outcome;
    if outcome.interrupted {
        say("run the same command again to continue");
        return Ok(Exit::Interrupted);
    }
    println!(
        "{}: {} made, {} failed, {}",
        seen.folder.root().display(),
        counted(outcome.observed, "observation"),
        outcome.observe_failed,
        counted(outcome.done_before, "output")
    );
    Ok(if outcome.observe_failed > 0 {
        Exit::Incomplete
    } else {
        Exit::Ok
    })
}

/// Makes images of another program the outputs of a run, byte for byte, and scores them.
fn score_images(
    ctx: &Context,
    args: &ObserveArgs,
    suite: &str,
    images: &Path,
) -> Result<Exit, Failure> {
    let request = PictureRequest {
        items: args.items.clone(),
        select: ItemSelection::from(&args.select),
        follow_links: args.follow_links,
        jobs: args.jobs.map(usize::from),
        device: args.device,
        ..PictureRequest::new(suite, images, &args.name, &args.out)
    };
    let pictures = PictureFolder::open(&ctx.session, &request)?;
    say_inventory(images, pictures.inventory());
    let made = pictures.score(&ctx.session)?;
    let Some(summary) = made.summary else {
        return Ok(Exit::Interrupted);
    };
    let summaries = [summary];
    print_summaries(ctx, &summaries, &[])?;
    say_report(&made.folder);
    Ok(exit_of(&summaries))
}

/// Prints how many pictures of the suite a folder has, and a few names of the others.
pub(super) fn say_inventory(images: &Path, inventory: &Inventory) {
    let Inventory {
        expected,
        found,
        missing,
        refused,
        doubled,
        shared,
        extra,
    } = inventory;
    say(format!(
        "{}: {found} of {} found",
        images.display(),
        counted(*expected, "picture")
    ));
    for (what, names) in [
        ("missing", missing),
        ("refused", refused),
        ("skipped", doubled),
        ("taken more than once", shared),
        ("not asked for", extra),
    ] {
        if !names.is_empty() {
            let shown = names
                .iter()
                .take(3)
                .map(String::as_str)
                .collect::<Vec<_>>()
                .join(", ");
            let more = if names.len() > 3 { ", …" } else { "" };
            say(format!("  {} {what}: {shown}{more}", names.len()));
        }
    }
}
