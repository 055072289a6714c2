//! `unigauge watch`.

use super::cli::WatchArgs;
use super::context::Context;
use super::failure::Failure;
use super::observe::say_inventory;
use super::progress::{say, say_report};
use super::summaries::{exit_of, print_summaries};
use crate::exit::Exit;
use crate::session::{
    ItemSelection, MadeRun, PictureRequest, TitledSummary, WatchRequest, Watched,
};
use crate::text::count::counted;
use std::path::Path;

/// Scores the sample folders of checkpoints as they appear.
///
/// # Errors
/// Fails if the folder has no name or cannot be listed, or a folder of samples cannot be scored.
pub(super) fn watch(ctx: &Context, args: &WatchArgs) -> Result<Exit, Failure> {
    ctx.catch_interrupts();
    let name = match &args.name {
        Some(name) => name.clone(),
        None => name_of(&args.folder)?,
    };
    let request = WatchRequest {
        pictures: PictureRequest {
            items: args.items.clone(),
            select: ItemSelection::from(&args.select),
            follow_links: args.follow_links,
            jobs: args.jobs.map(usize::from),
            device: args.device,
            ..PictureRequest::new(&args.suite, &args.folder, &name, &args.out)
        },
        settle: args.settle,
        once: args.once,
    };
    let mut scored = Vec::new();
    let mut known = 0;
    let mut partial = 0;
    let mut shown = Ok(());
    ctx.session
        .watch(&request, &mut |name, watched| match watched {
            Watched::Known { is_partial } => {
                known += 1;
                partial += usize::from(is_partial);
                if is_partial {
                    say(format!(
                        "{name} was scored with outputs missing, and nothing was added since"
                    ));
                }
            }
            Watched::Complete(inventory) => say_inventory(&args.folder.join(name), inventory),
            Watched::Skipped(why) => say(format!("{name} is skipped: {why}")),
            Watched::Scored(made) => {
                if let Some(summary) = &made.summary {
                    let printed = print_scored(ctx, name, made, summary);
                    shown = std::mem::replace(&mut shown, Ok(())).and(printed);
                    scored.push(summary.clone());
                }
            }
        })?;
    shown?;
    if ctx.cancel.is_raised() {
        say("run the same command again to continue");
        return Ok(Exit::Interrupted);
    }
    let (now, before) = (counted(scored.len(), "folder"), counted(known, "folder"));
    say(format!("{now} scored, {before} scored before"));
    Ok(if partial > 0 {
        Exit::Incomplete
    } else {
        exit_of(&scored)
    })
}

/// The name of a folder, for a model.
fn name_of(folder: &Path) -> Result<String, Failure> {
    let absolute = std::path::absolute(folder).ok();
    let name = absolute.as_deref().and_then(Path::file_name);
    let name = name.map(|name| name.to_string_lossy().into_owned());
    name.ok_or_else(|| Failure::usage("the folder has no name", "give one with `--name`"))
}

fn print_scored(
    ctx: &Context,
    name: &str,
    made: &MadeRun,
    summary: &TitledSummary,
) -> Result<(), Failure> {
    if ctx.json {
        let run = made.folder.root();
        let line = serde_json::json!({"folder": name, "run": run, "summary": summary.summary});
        println!("{line}");
        return Ok(());
    }
    println!("{name}");
    print_summaries(ctx, std::slice::from_ref(summary), &[])?;
    say_report(&made.folder);
    Ok(())
}
