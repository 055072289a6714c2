//! `unigauge check MODEL`: what a checkpoint consists of, what of it is here, what the networks ask of it.

use super::cli::{CheckArgs, Layout};
use super::context::Context;
use super::failure::Failure;
use crate::config::{ModelFile, Repository};
use crate::exit::Exit;
use crate::generate::{BuildError, GENERATORS, Part};
use crate::hub::HubError;
use crate::model::weights::Checked;
use crate::session::{ModelCheckpoint, RepositoryFiles, hours_on_cards};
use crate::text::count::counted;
use candle_core::DType;
use indicatif::HumanBytes;
use serde_json::json;
use std::path::Path;

/// Prints the files, the networks, the state of the weights, and the plan of the memory.
///
/// # Errors
/// Fails if the model's settings or a configuration have mistakes.
pub(super) fn check(ctx: &Context, model: ModelFile, args: &CheckArgs) -> Result<Exit, Failure> {
    let checkpoint = ModelCheckpoint::new(&ctx.session, model, args.device.is_gpu())?;
    let model = &checkpoint.model;
    if args.keys {
        let Some(parts) = &checkpoint.parts else {
            return Err(Failure::usage(
                format!("`{}` has no networks in this process", model.name),
                format!(
                    "`--keys` lists the tensors of models whose generator is {}",
                    pipelines()
                ),
            ));
        };
        print_keys(ctx, parts, args.layout == Layout::Bfl)?;
        return Ok(Exit::Ok);
    }
    println!(
        "model {}: {} ({})",
        model.name, model.title, model.generator
    );
    let mut exit = Exit::Ok;
    for repository in &model.repositories {
        if !print_files(ctx, &checkpoint, repository)? {
            exit = Exit::Environment;
        }
    }
    for part in checkpoint.parts.iter().flatten() {
        println!("{}", describe(part));
    }
    let has_weights = checkpoint.parts.is_some() && checkpoint.exists();
    if has_weights && !print_weights(&checkpoint, args.quick) {
        exit = Exit::Environment;
    }
    if let Some(tflop) = checkpoint.tflop_per_output {
        println!("{}", on_cards(tflop, 1));
    }
    for line in checkpoint.memory_plan(args.vram_budget.map(|size| size.as_u64())) {
        println!("  {line}");
    }
    Ok(exit)
}

/// Prints the files of a model's checkpoint with their sizes, if its folder does not exist yet.
///
/// # Errors
/// Fails if the model has mistakes, or the user ends the work.
pub(super) fn print_missing(ctx: &Context, model: &ModelFile, gpu: bool) -> Result<(), Failure> {
    if model.repositories.is_empty() {
        return Ok(());
    }
    let checkpoint = ModelCheckpoint::new(&ctx.session, model.clone(), gpu)?;
    if !checkpoint.exists() {
        for repository in &checkpoint.model.repositories {
            print_files(ctx, &checkpoint, repository)?;
        }
    }
    Ok(())
}

/// The estimated time of outputs on common cards, in words.
pub(super) fn on_cards(tflop_per_output: f64, outputs: usize) -> String {
    format!(
        "{} of {tflop_per_output:.0} TFLOP each, estimated on common cards: {}. In brackets the assumed TFLOP/s, a \
         third of the peak in f16; nothing was measured.",
        counted(outputs, "output"),
        hours_on_cards(tflop_per_output, outputs)
    )
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

/// Prints whether the networks can load their weights. With `quick`, the numbers of the weights are not read.
/// False if something is wrong.
fn print_weights(checkpoint: &ModelCheckpoint, quick: bool) -> bool {
    let (how, what) = if quick {
        (Checked::Headers, "; the numbers were not read (--quick)")
    } else {
        (Checked::Numbers, ", and its numbers are finite")
    };
    let looked = checkpoint.open();
    let is_sound = reads_checkpoint(looked.and_then(|mut networks| Ok(networks.check(how)?)));
    if is_sound {
        println!("weights: every tensor that the networks require exists with its shape{what}");
    }
    is_sound
}

/// Prints why a checkpoint cannot be used. False then.
pub(super) fn reads_checkpoint(looked: Result<(), BuildError>) -> bool {
    if let Err(error) = looked {
        println!("  {:?}", miette::Report::new(error));
        return false;
    }
    true
}

/// Prints which files of a repository are here, and which would be fetched. True if none is absent.
fn print_files(
    ctx: &Context,
    checkpoint: &ModelCheckpoint,
    repository: &Repository,
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
    let folder = checkpoint.folder_of(repository);
    match RepositoryFiles::list(&ctx.session, repository, folder.clone()) {
        Ok(files) => Ok(print_absent(&files, &checkpoint.model.name)),
        Err(HubError::Cancelled) => Err(HubError::Cancelled.into()),
        Err(error) => {
            print_unlisted(repository, &folder, &error);
            Ok(false)
        }
    }
}

/// Prints the files of a repository that are absent. True if there are none.
fn print_absent(files: &RepositoryFiles, model: &str) -> bool {
    let (snapshot, folder) = (&files.snapshot, &files.folder);
    let (absent, bytes) = snapshot.absent(folder);
    println!(
        "  commit {}: {} of {} here, {} to fetch into {}",
        snapshot.commit,
        snapshot.files.len() - absent.len(),
        counted(snapshot.files.len(), "file"),
        HumanBytes(bytes),
        folder.display()
    );
    for file in &absent {
        println!("  would fetch {} ({})", file.path, HumanBytes(file.size));
    }
    if !absent.is_empty() {
        println!("  `unigauge fetch {model}` downloads them");
    }
    absent.is_empty()
}

/// Prints what the definition says of a repository whose files cannot be listed.
fn print_unlisted(repository: &Repository, folder: &Path, error: &HubError) {
    let files = repository.files.join(", ");
    println!("  into {}: {files}", folder.display());
    if let HubError::Offline { .. } = error {
        println!("  sizes: unknown, since the network may not be used (offline)");
    } else {
        println!("  sizes: unknown: {error}");
    }
}

/// One network of the checkpoint in a line.
fn describe(part: &Part) -> String {
    let parameters = part.parameters();
    let size = |dtype: DType| HumanBytes(parameters * dtype.size_in_bytes() as u64);
    format!(
        "{}: {}, {:.1} M parameters, {} in f32, {} in bf16{}",
        part.name,
        counted(part.tensors.len(), "tensor"),
        parameters as f64 / 1e6,
        size(DType::F32),
        size(DType::BF16),
        if part.used { "" } else { " (stored, not used)" },
    )
}

/// Prints every tensor by name, shape and the dtype that it is loaded to.
fn print_keys(ctx: &Context, parts: &[Part], bfl: bool) -> Result<(), Failure> {
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
            eprintln!("{}: {}", part.name, counted(tensors.len(), "tensor"));
        }
    }
    if ctx.json {
        ctx.print_json(&all)?;
    }
    Ok(())
}
