//! `unigauge train` of one network.

use super::cli::TrainArgs;
use super::context::Context;
use super::failure::Failure;
use super::progress::{TrainProgress, say};
use crate::exit::Exit;
use crate::files::write_whole;
use crate::report::chart::canvas::Label;
use crate::report::chart::{Curve, Drawn, Lines, Look, Point, Width};
use crate::session::shipped_folder;
use crate::table::formats::terminal;
use crate::table::{Column, Grid, Row};
use crate::text::count::counted;
use crate::train::{
    BEGINNING, CURVE, Outcome, Place, TrainError, TrainingFile, course, train, verify,
};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// Steps that `--verify` trains again; a shipped curve has every one of them.
const VERIFIED: u64 = 300;
const _: () = assert!(VERIFIED <= BEGINNING);

/// Trains a network from beginning to end, and draws the chart of the training into its folder.
///
/// # Errors
/// Fails if the folder holds another training, or a step fails.
pub(super) fn train_one(
    ctx: &Context,
    args: &TrainArgs,
    training: &TrainingFile,
    folder: &Path,
) -> Result<Exit, Failure> {
    let outcome = train_steps(ctx, args, training, [folder, folder], u64::MAX)?;
    if let Outcome::Complete(_) = &outcome {
        write_chart(training, folder)?;
    }
    print_outcome(ctx, training, folder, outcome)
}

/// Trains a network in a folder up to the step `until`. The checkpoints that it begins from are next to its
/// usual folder.
fn train_steps(
    ctx: &Context,
    args: &TrainArgs,
    training: &TrainingFile,
    [folder, usual]: [&Path; 2],
    until: u64,
) -> Result<Outcome, Failure> {
    let device = args
        .device
        .open()
        .map_err(|reason| Failure::environment(reason, "choose another `--device`"))?;
    let progress = TrainProgress::new(ctx.quiet, &training.name, training.steps.min(until));
    let outcome = train(
        training,
        &Place {
            folder,
            beside: usual.parent().unwrap_or(Path::new("")),
            device: &device,
            cancel: &ctx.cancel,
            restart: args.restart,
            until,
            shipped: &|name| {
                shipped_folder(&ctx.session, name).map_err(|error| TrainError::Definition {
                    message: error.to_string(),
                })
            },
            rewards: &|name| ctx.session.training_reward(name, args.device),
            on: &|event| progress.on(&event),
        },
    );
    progress.end();
    Ok(outcome?)
}

/// Trains the first steps again, and compares their losses with the curve of the folder, or else with that of
/// the checkpoint in the program.
///
/// # Errors
/// Fails if there is nothing to compare with, or a step fails.
pub(super) fn verify_beginning(
    ctx: &Context,
    args: &TrainArgs,
    training: &TrainingFile,
    folder: &Path,
) -> Result<Exit, Failure> {
    let before = if folder.is_dir() {
        folder.to_path_buf()
    } else {
        shipped_folder(&ctx.session, &training.name)?.ok_or_else(|| {
            Failure::usage(
                format!(
                    "there is no {}, and no such checkpoint in the program",
                    folder.display()
                ),
                "`--verify` needs a complete training: give its folder with `--out`",
            )
        })?
    };
    let temporary = tempfile::tempdir().map_err(Failure::io)?;
    let anew = temporary.path().join(&training.name);
    let until = VERIFIED.min(training.steps);
    if let Outcome::Interrupted { step } = train_steps(ctx, args, training, [&anew, folder], until)?
        && step < until
    {
        return Ok(Exit::Interrupted);
    }
    let compared = verify::compare(&before, &anew, until)?;
    let rows = compared.iter().map(|part| {
        let note = if part.agrees() { "" } else { "differs" };
        Row::plain([
            part.step.to_string(),
            format!("{:.5}", part.before),
            format!("{:.5}", part.now),
            note.to_owned(),
        ])
    });
    let figures = ["step", "before", "now"].map(Column::numbers);
    let grid = Grid {
        columns: figures.into_iter().chain([Column::unnamed()]).collect(),
        rows: rows.collect(),
        ..Grid::default()
    };
    println!("{}", terminal::list(&grid));
    let agree = compared.iter().all(|part| part.agrees());
    println!(
        "{}: the first {until} steps {} those of {}",
        training.name,
        if agree { "go as" } else { "do not go as" },
        before.display()
    );
    Ok(if agree { Exit::Ok } else { Exit::CheckFailed })
}

/// Number of parts of a training. A chart shows their mean losses, since single steps are noisy.
const PARTS: u64 = 100;

/// Draws `curve.svg` and `curve.png` beside the file with the losses.
fn write_chart(training: &TrainingFile, folder: &Path) -> Result<(), Failure> {
    let course = course(&folder.join(CURVE))?;
    let mut parts: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
    for (step, loss) in course.values {
        let part = step.saturating_sub(1) * PARTS / training.steps;
        parts.entry(part).or_default().push(loss);
    }
    let points = parts.into_iter().map(|(part, losses)| Point {
        x: (part as f64 + 0.5) * training.steps as f64 / PARTS as f64,
        y: losses.iter().sum::<f64>() / losses.len() as f64,
        band: None,
    });
    let lines = Lines {
        curves: vec![Curve {
            label: Label::plain(&training.title),
            look: Look::new(0),
            points: points.collect(),
        }],
        x: "step".into(),
        y: course.name.into(),
        x_ticks: Vec::new(),
        marks: Vec::new(),
        width: Width::Column,
    };
    let drawn = Drawn::new("curve", training.title.clone(), &lines)?;
    write_whole(&folder.join("curve.svg"), drawn.svg.as_bytes())?;
    Ok(write_whole(&folder.join("curve.png"), &drawn.png)?)
}

/// Prints how a training ended.
fn print_outcome(
    ctx: &Context,
    training: &TrainingFile,
    folder: &Path,
    outcome: Outcome,
) -> Result<Exit, Failure> {
    let (record, already) = match outcome {
        Outcome::Interrupted { step } => {
            say(format!(
                "{}: stopped after step {step} of {}; the same command continues from there",
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
        "{} parameters, {} in {seconds:.0} s",
        record["parameters"],
        counted(
            record["steps"].as_u64().unwrap_or_default() as usize,
            "step"
        )
    );
    let numbers = ["checked", "known"];
    let numbers = numbers.iter().flat_map(|part| entries(&record[part]));
    let grid = Grid {
        columns: vec![Column::words(""), Column::numbers("")],
        rows: numbers
            .map(|(name, value)| Row::plain([name, format!("{value:.5}")]))
            .collect(),
        ..Grid::default()
    };
    for line in terminal::list(&grid).lines() {
        println!("  {line}");
    }
    println!("checkpoint: {}", folder.display());
    Ok(Exit::Ok)
}

/// The numbers of a part of the record.
fn entries(part: &Value) -> Vec<(String, f64)> {
    let entries = part.as_object().into_iter().flatten();
    entries
        .filter_map(|(name, value)| Some((name.clone(), value.as_f64()?)))
        .collect()
}
