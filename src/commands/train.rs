//! `unigauge train`.

use super::cli::TrainArgs;
use super::context::Context;
use super::failure::Failure;
use super::train_single::{train_one, verify_beginning};
use super::train_study;
use crate::config;
use crate::exit::Exit;
use crate::train::{TrainError, TrainingChange, training};
use std::path::Path;

/// Trains a network on the miniature world, or all networks that a study compares.
///
/// # Errors
/// Fails if the definition has a mistake, the folder holds another training, or a step fails.
pub(super) fn run(ctx: &Context, args: &TrainArgs) -> Result<Exit, Failure> {
    let change = TrainingChange {
        seed: args.seed,
        set: &args.set,
    };
    let training = match training(&args.training, Path::new(""), change) {
        Ok(training) => training,
        Err(error) => match config::study(&args.training, Path::new("")) {
            Ok(study) => return train_study::run(ctx, args, &study),
            Err(_) => return Err(error.into()),
        },
    };
    let folder = args.out.clone();
    let folder = folder.unwrap_or_else(|| training.folder());
    if args.dry_run {
        let text = toml::to_string(&training).map_err(TrainError::definition)?;
        println!("# into {}\n{text}", folder.display());
        return Ok(Exit::Ok);
    }
    ctx.catch_interrupts();
    if args.verify {
        return verify_beginning(ctx, args, &training, &folder);
    }
    train_one(ctx, args, &training, &folder)
}

impl From<TrainError> for Failure {
    fn from(error: TrainError) -> Self {
        let exit = match &error {
            TrainError::Definition { .. } | TrainError::State { .. } => Exit::Usage,
            TrainError::Io { .. } | TrainError::Source { .. } => Exit::Environment,
            TrainError::Busy { .. } => Exit::Busy,
            _ => Exit::Unexpected,
        };
        Self::new(exit, error)
    }
}
