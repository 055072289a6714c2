//! `unigauge train`.

use super::cli::TrainArgs;
use super::context::Context;
use super::failure::Failure;
use super::progress::{TrainProgress, say};
use crate::config::{self, TrainingFile};
use crate::exit::Exit;
use crate::train::{Outcome, Place, TrainError, train};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Trains a network on the miniature world.
///
/// # Errors
/// When the definition has a mistake, the folder holds another training, or a step fails.
pub fn run(ctx: &Context, args: &TrainArgs) -> Result<Exit, Failure> {
    let training = config::training(&args.training, Path::new(""), &args.set)?;
    let folder = args
        .out
        .clone()
        .unwrap_or_else(|| PathBuf::from("checkpoints").join(&training.name));
    if args.dry_run {
        let text = toml::to_string(&training).unwrap_or_default();
        println!("# into {}\n{text}", folder.display());
        return Ok(Exit::Ok);
    }
    ctx.catch_interrupts();
    let device = args
        .device
        .open()
        .map_err(|reason| Failure::environment(reason, "take another `--device`"))?;
    let progress = TrainProgress::new(ctx.quiet, &training.name, training.steps);
    let on = |event: crate::train::Event<'_>| progress.on(&event);
    let place = Place {
        folder: &folder,
        device: &device,
        cancel: &ctx.cancel,
        restart: args.restart,
        on: &on,
    };
    let outcome = train(&training, &place);
    progress.end();
    tell(ctx, &training, &folder, outcome?)
}

fn tell(
    ctx: &Context,
    training: &TrainingFile,
    folder: &Path,
    outcome: Outcome,
) -> Result<Exit, Failure> {
    let (record, already) = match outcome {
        Outcome::Interrupted { step } => {
            say(format!(
                "{}: stopped after step {step} of {}; the same command goes on from there",
                training.name, training.steps
            ));
            return Ok(Exit::Interrupted);
        }
        Outcome::Complete(record) => (record, false),
        Outcome::Already(record) => (record, true),
    };
    if ctx.json {
        println!("{record:#}");
        return Ok(Exit::Ok);
    }
    if already {
        println!("{}: complete already", training.name);
    }
    let seconds = record["seconds"].as_f64().unwrap_or_default();
    println!(
        "{} parameters, {} steps in {seconds:.0} s",
        record["parameters"], record["steps"]
    );
    for (name, value) in ["checked", "known"]
        .iter()
        .flat_map(|part| entries(&record[part]))
    {
        println!("  {name:<16} {value:.5}");
    }
    println!("checkpoint: {}", folder.display());
    Ok(Exit::Ok)
}

fn entries(part: &Value) -> Vec<(String, f64)> {
    let entries = part.as_object().into_iter().flatten();
    entries
        .filter_map(|(name, value)| Some((name.clone(), value.as_f64()?)))
        .collect()
}

impl From<TrainError> for Failure {
    fn from(error: TrainError) -> Self {
        let exit = match &error {
            TrainError::Definition { .. } | TrainError::State { .. } => Exit::Usage,
            TrainError::Io { .. } => Exit::Environment,
            _ => Exit::Unexpected,
        };
        Self::new(exit, error)
    }
}
