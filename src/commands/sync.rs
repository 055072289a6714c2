//! `unigauge pull` and `unigauge push`.

use super::cli::{PullArgs, PushArgs, SyncArgs};
use super::context::Context;
use super::failure::Failure;
use crate::exit::Exit;
use crate::run::{RunFolder, run_folders};
use crate::session::{Session, SyncOptions};
use crate::text::count::counted;
use std::path::{Path, PathBuf};

impl SyncArgs {
    /// Where the runs are copied to.
    ///
    /// # Errors
    /// Fails if the place cannot be opened.
    pub(super) fn options(&self, session: &Session) -> Result<Option<SyncOptions>, Failure> {
        let Some(at) = &self.sync else {
            return Ok(None);
        };
        Ok(Some(SyncOptions {
            store: session.open_store(at)?,
            every: self.sync_every,
        }))
    }
}

/// Copies runs from an object store.
///
/// # Errors
/// Fails if there is no run, one is being made here, or the store refuses.
pub(super) fn pull(ctx: &Context, args: &PullArgs) -> Result<Exit, Failure> {
    ctx.catch_interrupts();
    let store = ctx.session.open_store(&args.from)?;
    let pulled = ctx
        .session
        .pull_runs(&store, &args.out, args.wait.limit())?;
    let pulled = pulled
        .iter()
        .map(|(folder, files)| (folder.root().display(), *files));
    print(ctx, pulled)
}

/// Copies runs to an object store.
///
/// # Errors
/// Fails if there is no run, one is being made, or the store refuses.
pub(super) fn push(ctx: &Context, args: &PushArgs) -> Result<Exit, Failure> {
    ctx.catch_interrupts();
    let folders = runs(&args.results)?;
    let store = ctx.session.open_store(&args.to)?;
    let pushed = ctx.session.push_runs(&folders, &store, args.wait.limit())?;
    print(ctx, pushed.iter().map(|(address, files)| (address, *files)))
}

/// Prints a line for each run.
fn print(
    ctx: &Context,
    copied: impl Iterator<Item = (impl std::fmt::Display, usize)>,
) -> Result<Exit, Failure> {
    for (run, files) in copied {
        if ctx.json {
            println!(
                "{}",
                serde_json::json!({ "run": run.to_string(), "files": files })
            );
        } else {
            println!("{run}: {} copied", counted(files, "file"));
        }
    }
    Ok(Exit::Ok)
}

/// The run folders in a folder: itself, or those below it.
fn runs(results: &Path) -> Result<Vec<RunFolder>, Failure> {
    let itself = RunFolder::existing(results);
    if let Ok(folder) = itself {
        return Ok(vec![folder]);
    }
    let each = crate::run::folders(results);
    let paths: Vec<PathBuf> = each.iter().flat_map(|suite| run_folders(suite)).collect();
    let runs: Vec<RunFolder> = paths
        .into_iter()
        .filter_map(|path| RunFolder::existing(path).ok())
        .collect();
    if runs.is_empty() {
        return Err(Failure::usage(
            format!("there is no run in {}", results.display()),
            "give a run folder, or a folder of results as DIR/SUITE/MODEL/RUN",
        ));
    }
    Ok(runs)
}
