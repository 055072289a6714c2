//! `unigauge export`.

use super::cli::{ExportCommand, ItemsExportArgs, LmEvalArgs};
use super::context::Context;
use super::failure::Failure;
use super::progress::say;
use crate::compare;
use crate::config::Metric;
use crate::exit::Exit;
use crate::record::{Group, Summary};
use crate::report::lm_eval::{LmEval, sanitized};
use crate::run::{Manifest, RunGrades, read_all, read_json, write_items};
use crate::session::{open_graded, read_outcomes};
use crate::table::formats::{CSV, PARQUET, of_file};
use std::path::{Path, PathBuf};

/// Writes files for other programs.
///
/// # Errors
/// Fails if a folder is not a graded run, or a file cannot be written.
pub(super) fn export(ctx: &Context, command: &ExportCommand) -> Result<Exit, Failure> {
    match command {
        ExportCommand::Items(args) => items(ctx, args),
        ExportCommand::LmEval(args) => lm_eval(ctx, args),
    }
}

fn items(ctx: &Context, args: &ItemsExportArgs) -> Result<Exit, Failure> {
    let format = of_file(&args.out);
    if !format.is_some_and(|format| [&PARQUET, &CSV].contains(&format)) {
        return Err(Failure::usage(
            format!("`{}` is neither Parquet nor CSV", args.out.display()),
            "give the file a name that ends in .parquet or .csv",
        ));
    }
    let runs = args.runs.iter().map(|run| run_grades(run));
    let runs = runs.collect::<Result<Vec<_>, _>>()?;
    write_items(&args.out, &runs)?;
    say_written(ctx, std::slice::from_ref(&args.out));
    Ok(Exit::Ok)
}

fn run_grades(path: &Path) -> Result<RunGrades, Failure> {
    let (folder, _) = open_graded(path)?;
    let summary: Summary = read_json(&folder.summary())?;
    Ok(RunGrades {
        suite: summary.suite,
        suite_version: summary.suite_version,
        model: summary.model,
        run: summary.run,
        grades: read_all(&folder.grades())?,
    })
}

fn lm_eval(ctx: &Context, args: &LmEvalArgs) -> Result<Exit, Failure> {
    let paths = args.runs.iter().map(|run| one_lm_eval(run, &args.out));
    let paths = paths.collect::<Result<Vec<_>, _>>()?;
    say_written(ctx, &paths);
    Ok(Exit::Ok)
}

fn one_lm_eval(path: &Path, out: &Path) -> Result<PathBuf, Failure> {
    let (folder, manifest) = open_graded(path)?;
    let summary: Summary = read_json(&folder.summary())?;
    let run = read_outcomes(path)?;
    let error = |metric: &Metric, value: Option<f64>| compare::standard_error(&run, metric, value?);
    let finished = manifest
        .finished
        .map(|at| at.duration_since(manifest.started));
    let results = LmEval {
        summary: &summary,
        manifest: &read_json(&folder.manifest())?,
        items: run.items.len(),
        error: error(&Metric::Overall, summary.overall.value),
        error_of: &|group: &Group| {
            let (by, key) = (group.by.clone(), group.key.clone());
            error(&Metric::Group { by, key }, group.value)
        },
        started: manifest.started.as_millisecond() as f64 / 1000.0,
        took: finished.map(|took| took.as_secs_f64()),
    };
    let model = out.join(sanitized(&summary.model));
    let path = model.join(file_name(&summary, &manifest));
    crate::report::create(&model)?;
    let text = format!("{:#}\n", results.results());
    crate::report::write_file(&path, text.as_bytes())?;
    Ok(path)
}

/// The name of a results file. Readers of such files look for the time at its end.
fn file_name(summary: &Summary, manifest: &Manifest) -> String {
    let time = manifest.started.strftime("%Y-%m-%dT%H-%M-%S%.6f");
    let (suite, run) = (sanitized(&summary.suite), sanitized(&summary.run));
    format!("results_{suite}_{run}_{time}.json")
}

/// Says which files were written.
fn say_written(ctx: &Context, paths: &[PathBuf]) {
    if ctx.json {
        println!("{:#}", serde_json::json!({"files": paths}))
    } else {
        paths
            .iter()
            .for_each(|path| say(format!("written: {}", path.display())))
    }
}
