//! `unigauge train` of a study: every network that its levels compare.

use super::cli::TrainArgs;
use super::context::Context;
use super::failure::Failure;
use super::progress::say;
use super::train_single::train_one;
use crate::config::{Loaded, StudyFile};
use crate::exit::Exit;
use crate::text::count::counted;
use crate::train::{RECORD, TrainError};
use std::path::Path;

/// Trains one network after the other. It skips a network that another process trains, so that the same
/// command in a second terminal shares the work.
///
/// # Errors
/// Fails if the study trains nothing, an argument is for single trainings, or a training fails.
pub(super) fn run(
    ctx: &Context,
    args: &TrainArgs,
    study: &Loaded<StudyFile>,
) -> Result<Exit, Failure> {
    let trainings = study.definition.trainings(study.base())?;
    if trainings.is_empty() {
        return Err(Failure::usage(
            format!("the study `{}` trains nothing", study.definition.name),
            "a study trains networks if a level of its factor has a `training`",
        ));
    }
    refuse_single_options(args)?;
    if args.dry_run {
        for training in &trainings {
            let folder = training.folder();
            println!(
                "{}: {}, {}",
                folder.display(),
                counted(training.steps as usize, "step"),
                folder_state(&folder)
            );
        }
        return Ok(Exit::Ok);
    }
    ctx.catch_interrupts();
    let mut exit = Exit::Ok;
    for (at, training) in trainings.iter().enumerate() {
        say(format!(
            "{} of {}: {}",
            at + 1,
            trainings.len(),
            training.name
        ));
        match train_one(ctx, args, training, &training.folder()) {
            Ok(Exit::Ok) => {}
            Ok(stopped) => return Ok(stopped),
            Err(failure) if is_busy(&failure) => {
                say(format!("{:#}", failure.report));
                exit = Exit::Incomplete;
            }
            Err(failure) => return Err(failure),
        }
    }
    Ok(exit)
}

/// Whether another process does this training.
fn is_busy(failure: &Failure) -> bool {
    let error = failure.report.downcast_ref::<TrainError>();
    matches!(error, Some(TrainError::Busy { .. }))
}

/// How far the training in a folder is.
fn folder_state(folder: &Path) -> &'static str {
    match (folder.join(RECORD).is_file(), folder.is_dir()) {
        (true, _) => "complete",
        (false, true) => "begun",
        (false, false) => "to be done",
    }
}

/// Refuses the options that are for a single training.
fn refuse_single_options(args: &TrainArgs) -> Result<(), Failure> {
    let options = [
        ("--out", args.out.is_some()),
        ("--set", !args.set.is_empty()),
        ("--seed", args.seed.is_some()),
        ("--verify", args.verify),
    ];
    match options.into_iter().find(|(_, is_given)| *is_given) {
        None => Ok(()),
        Some((option, _)) => Err(Failure::usage(
            format!(
                "`{option}` is for a single training, but `{}` is a study",
                args.training
            ),
            "`--dry-run` shows the study's trainings, whose keys are in their files",
        )),
    }
}
