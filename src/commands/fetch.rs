//! `unigauge fetch`.

use super::cli::FetchArgs;
use super::context::Context;
use super::failure::Failure;
use super::list::{self, size};
use super::progress::say;
use crate::config::{self, ModelFile};
use crate::exit::Exit;
use crate::hub::{Fetched, Hub, Outcome};
use crate::session::{RepositoryFiles, checkpoint_folder};
use crate::text::count::counted;
use indicatif::HumanBytes;
use serde_json::json;
use std::path::Path;

/// Fetches assets, or lists them.
///
/// # Errors
/// Fails if an asset is unknown, or fetching was interrupted.
pub(super) fn fetch(ctx: &Context, args: &FetchArgs) -> Result<Exit, Failure> {
    if args.assets.is_empty() {
        list::assets(ctx)?;
        return Ok(Exit::Ok);
    }
    ctx.catch_interrupts();
    let hub = ctx.hub()?;
    let (models, assets) = models(&hub, &args.assets);
    let fetched = models
        .iter()
        .try_for_each(|model| fetch_checkpoint(ctx, model, args.dry_run))
        .and_then(|()| Ok(hub.fetch(&assets, args.dry_run)?));
    let fetched = match fetched {
        Ok(fetched) => fetched,
        Err(_) if ctx.cancel.is_raised() => {
            say("run the same command again to continue: the received files are kept");
            return Ok(Exit::Interrupted);
        }
        Err(error) => return Err(error),
    };
    if ctx.json {
        let lines: Vec<_> = fetched.iter().map(as_json).collect();
        ctx.print_json(&lines)?;
    } else if !ctx.quiet {
        fetched.iter().for_each(|one| println!("{}", describe(one)));
    }
    for one in &fetched {
        if let Outcome::Failed(error) = &one.outcome {
            let help = miette::Diagnostic::help(error)
                .map(|help| format!("\n  help: {help}"))
                .unwrap_or_default();
            say(format!("{error}{help}"));
        }
    }
    let failed = fetched
        .iter()
        .any(|one| matches!(one.outcome, Outcome::Failed(_)));
    Ok(if failed { Exit::Environment } else { Exit::Ok })
}

/// The models with a published checkpoint among the names, and the other names.
fn models(hub: &Hub, names: &[String]) -> (Vec<ModelFile>, Vec<String>) {
    let (mut models, mut assets) = (Vec::new(), Vec::new());
    for name in names {
        let known = hub.table().expand(std::slice::from_ref(name)).is_ok();
        match config::model(name, Path::new("")) {
            Ok(model) if !known && !model.definition.repositories.is_empty() => {
                models.push(model.definition);
            }
            _ => assets.push(name.clone()),
        }
    }
    (models, assets)
}

/// Fetches the repositories of a model into the folder that its settings name.
fn fetch_checkpoint(ctx: &Context, model: &ModelFile, dry_run: bool) -> Result<(), Failure> {
    let Some(folder) = checkpoint_folder(&ctx.session, model)? else {
        return Err(Failure::usage(
            format!(
                "the model `{}` has no folder for its checkpoint",
                model.name
            ),
            "set `settings.checkpoint`",
        ));
    };
    for repository in &model.repositories {
        let folder = folder.join(&repository.folder);
        let files = RepositoryFiles::list(&ctx.session, repository, folder)?;
        let (snapshot, folder) = (&files.snapshot, &files.folder);
        let (absent, bytes) = snapshot.absent(folder);
        let what = if dry_run { "would fetch" } else { "fetching" };
        if !ctx.quiet {
            println!(
                "{} @ {} ({}): {what} {} of {}, {}, into {}",
                snapshot.repo,
                snapshot.commit,
                repository.licence,
                absent.len(),
                counted(snapshot.files.len(), "file"),
                HumanBytes(bytes),
                folder.display()
            );
        }
        if !dry_run {
            ctx.hub()?.fetch_snapshot(snapshot, folder)?;
        }
    }
    Ok(())
}

fn describe(fetched: &Fetched<'_>) -> String {
    let asset = fetched.asset;
    let what = match &fetched.outcome {
        Outcome::Present(path) => format!("there already: {}", path.display()),
        Outcome::Fetched(path) => format!("fetched: {}", path.display()),
        Outcome::WouldFetch => format!(
            "would fetch {} from {}",
            size(asset),
            asset.source.describe()
        ),
        Outcome::Failed(_) => "failed".into(),
    };
    format!("{} ({}): {what}", asset.id, asset.licence.name)
}

fn as_json(fetched: &Fetched<'_>) -> serde_json::Value {
    let (state, path) = match &fetched.outcome {
        Outcome::Present(path) => ("present", Some(path)),
        Outcome::Fetched(path) => ("fetched", Some(path)),
        Outcome::WouldFetch => ("would-fetch", None),
        Outcome::Failed(_) => ("failed", None),
    };
    let error = match &fetched.outcome {
        Outcome::Failed(error) => Some(error.to_string()),
        _ => None,
    };
    json!({
        "id": fetched.asset.id, "state": state, "path": path, "error": error,
        "licence": fetched.asset.licence.name, "source": fetched.asset.source.describe(),
        "size": fetched.asset.pinned_size(),
    })
}
