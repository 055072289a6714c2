//! A model's checkpoint: what it consists of, what of it is here, what the networks ask of it.

use super::cli::CheckArgs;
use super::context::Context;
use super::failure::Failure;
use crate::config::{ModelFile, Repository, Settings};
use crate::exit::Exit;
use crate::generate::{BuildError, GENERATORS, Part, Place, Resources, plan_lines};
use crate::hub::{Hub, HubError, Snapshot};
use crate::model::weights::Checked;
use crate::session::ConfiguredModel;
use candle_core::{DType, Device};
use indicatif::HumanBytes;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// The folder of the checkpoint, when the settings name one.
pub(super) fn folder(settings: &Settings) -> Option<PathBuf> {
    match settings.to_json().get("checkpoint") {
        Some(Value::String(path)) => Some(PathBuf::from(path)),
        _ => None,
    }
}

/// Asks the hub (or the listing kept in `folder` at the first fetch) for a repository's files.
///
/// # Errors
/// Fails if the hub cannot be asked.
pub(super) fn snapshot(
    hub: &Hub,
    repository: &Repository,
    folder: &Path,
) -> Result<Snapshot, HubError> {
    let wants = |path: &str| repository.is_needed(path);
    hub.snapshot(&repository.repo, &repository.revision, folder, &wants)
}

/// `unigauge check MODEL`: files, tensors by network, memory.
///
/// # Errors
/// Fails if the model's settings or a configuration have mistakes.
pub(super) fn check(ctx: &Context, model: ModelFile, args: &CheckArgs) -> Result<Exit, Failure> {
    let ConfiguredModel {
        model, settings, ..
    } = ConfiguredModel::new(&ctx.session, model, "")?;
    let checkpoint = folder(&settings);
    let temporary = tempfile::tempdir().map_err(Failure::io)?;
    let configs = match &checkpoint {
        Some(folder) => configurations(&model, folder, temporary.path())?,
        None => PathBuf::new(),
    };
    let parts =
        crate::generate::parts(&model.generator, &settings, &configs, args.device.is_gpu())?;
    if args.keys {
        let Some(parts) = parts else {
            return Err(Failure::usage(
                format!("`{}` has no networks in this process", model.name),
                format!(
                    "`--keys` lists the tensors of models whose generator is {}",
                    pipelines()
                ),
            ));
        };
        keys(ctx, &parts, args.layout == super::cli::Layout::Bfl)?;
        return Ok(Exit::Ok);
    }
    println!(
        "model {}: {} ({})",
        model.name, model.title, model.generator
    );
    let mut exit = Exit::Ok;
    for repository in &model.repositories {
        let checkpoint = checkpoint.as_deref().unwrap_or(Path::new(""));
        if !files(ctx, &model, repository, checkpoint)? {
            exit = Exit::Environment;
        }
    }
    for part in parts.iter().flatten() {
        println!("{}", describe(part));
    }
    let here = checkpoint.as_ref().is_some_and(|folder| folder.is_dir());
    if parts.is_some() && here && !weights(&model, &settings, temporary.path(), args.quick) {
        exit = Exit::Environment;
    }
    if let Some(parts) = &parts {
        let phases = crate::generate::phases(parts);
        let budget = args.vram_budget.map(|size| size.as_u64());
        for line in plan_lines(&phases, budget) {
            println!("  {line}");
        }
    }
    Ok(exit)
}

/// The names of the generators that run networks in this process, such as "flux or xomni".
fn pipelines() -> String {
    let pipelines = GENERATORS.iter().filter(|kind| kind.runs_networks());
    let names: Vec<&str> = pipelines.map(|kind| kind.name).collect();
    match &names[..] {
        [first @ .., last] if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        names => names.concat(),
    }
}

/// Opens the model as `generate` does and looks at all that its networks would load. True when nothing is
/// wrong.
fn weights(model: &ModelFile, settings: &Settings, scratch: &Path, quick: bool) -> bool {
    let place = Place {
        device: Device::Cpu,
        vram_budget: None,
        scratch: scratch.into(),
    };
    let how = if quick {
        Checked::Headers
    } else {
        Checked::Numbers
    };
    let opened = crate::generate::build(&model.generator, settings, &Resources::default(), &place);
    let good = told(opened.and_then(|mut generator| Ok(generator.check(how)?)));
    if good {
        println!(
            "weights: every tensor that the networks require exists with its shape{}",
            match how {
                Checked::Numbers => ", and its numbers are finite",
                Checked::Headers => "; the numbers were not read (--quick)",
            }
        );
    }
    good
}

/// Prints why a checkpoint cannot be used; false then.
pub(super) fn told(looked: Result<(), BuildError>) -> bool {
    if let Err(error) = looked {
        println!("  {:?}", miette::Report::new(error));
        return false;
    }
    true
}

/// The checkpoint's own configurations where they are all here; else those of the released checkpoint.
fn configurations(
    model: &ModelFile,
    checkpoint: &Path,
    temporary: &Path,
) -> Result<PathBuf, Failure> {
    if checkpoint.is_dir() || model.repositories.is_empty() {
        return Ok(checkpoint.into());
    }
    for repository in &model.repositories {
        let folder = temporary.join(&repository.folder);
        crate::generate::lay_out_released(&repository.repo, &folder)?;
    }
    Ok(temporary.into())
}

/// Prints what of a repository is here and what would be fetched. True when nothing is absent.
fn files(
    ctx: &Context,
    model: &ModelFile,
    repository: &Repository,
    checkpoint: &Path,
) -> Result<bool, Failure> {
    let Repository {
        repo,
        revision,
        licence,
        ..
    } = repository;
    let gated = if repository.gated {
        "; accept its terms on the hub, and set HF_TOKEN"
    } else {
        ""
    };
    println!("repository {repo} @ {revision}, licence: {licence}{gated}");
    let folder = checkpoint.join(&repository.folder);
    match snapshot(ctx.hub()?.as_ref(), repository, &folder) {
        Ok(snapshot) => {
            let (absent, bytes) = snapshot.absent(&folder);
            println!(
                "  commit {}: {} of {} files here, {} to fetch into {}",
                snapshot.commit,
                snapshot.files.len() - absent.len(),
                snapshot.files.len(),
                HumanBytes(bytes),
                folder.display()
            );
            for file in &absent {
                println!("  would fetch {} ({})", file.path, HumanBytes(file.size));
            }
            if !absent.is_empty() {
                println!("  `unigauge fetch {}` downloads them", model.name);
            }
            Ok(absent.is_empty())
        }
        Err(HubError::Cancelled) => Err(HubError::Cancelled.into()),
        Err(error) => {
            println!(
                "  into {}: {}",
                folder.display(),
                repository.files.join(", ")
            );
            match error {
                HubError::Offline { .. } => {
                    println!("  sizes: unknown, since the network may not be used (offline)")
                }
                error => println!("  sizes: unknown: {error}"),
            }
            Ok(false)
        }
    }
}

fn describe(part: &Part) -> String {
    let parameters = part.parameters();
    let size = |dtype: DType| HumanBytes(parameters * dtype.size_in_bytes() as u64);
    format!(
        "{}: {} tensors, {:.1} M parameters, {} in f32, {} in bf16{}",
        part.name,
        part.tensors.len(),
        parameters as f64 / 1e6,
        size(DType::F32),
        size(DType::BF16),
        if part.used { "" } else { " (stored, not used)" },
    )
}

/// Every tensor by name, shape and the dtype that it is loaded to.
fn keys(ctx: &Context, parts: &[Part], bfl: bool) -> Result<(), Failure> {
    let mut all = Vec::new();
    for part in parts {
        let tensors = if bfl {
            part.in_bfl().map_err(BuildError::from)?
        } else {
            part.tensors.clone()
        };
        for tensor in &tensors {
            if ctx.json {
                all.push(json!({
                    "file": part.folder, "network": part.name, "name": tensor.name, "shape": tensor.shape,
                    "dtype": part.dtype.as_str(), "used": part.used,
                }));
            } else {
                let shape = format!("{:?}", tensor.shape);
                println!("{} {shape} {}", tensor.name, part.dtype.as_str());
            }
        }
        if !ctx.json {
            eprintln!("{}: {} tensors", part.name, tensors.len());
        }
    }
    if ctx.json {
        ctx.print_json(&all)?;
    }
    Ok(())
}
