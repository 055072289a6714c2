//! `unigauge export`.

use super::cli::{
    EeeExportArgs, ExportCommand, HubExportArgs, ItemsExportArgs, LmEvalArgs, MetricsExportArgs,
};
use super::context::Context;
use super::failure::Failure;
use super::progress::say;
use crate::exit::Exit;
use crate::files::write_durable;
use crate::record::Summary;
use crate::report::exports::eee::EeeSource;
use crate::report::exports::hub::HubEntry;
use crate::report::exports::{self, ExportFile, ExportedRun};
use crate::run::{RunGrades, read_all, read_json, write_items};
use crate::session::{open_graded, read_export};
use crate::table::formats::{CSV, PARQUET, of_file};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Writes files for other programs.
///
/// # Errors
/// Fails if a folder is not a graded run, or a file cannot be written.
pub(super) fn export(ctx: &Context, command: &ExportCommand) -> Result<Exit, Failure> {
    match command {
        ExportCommand::Items(args) => items(ctx, args),
        ExportCommand::LmEval(args) => lm_eval(ctx, args),
        ExportCommand::Hub(args) => hub(ctx, args),
        ExportCommand::Eee(args) => eee(ctx, args),
        ExportCommand::Metrics(args) => metrics(ctx, args),
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
    let files = read_runs(&args.runs, false)?;
    let files = files.iter().map(exports::lm_eval::file);
    write_files(ctx, &args.out, files)
}

fn hub(ctx: &Context, args: &HubExportArgs) -> Result<Exit, Failure> {
    let runs = read_runs(&args.runs, false)?;
    refuse_several(&runs, "suite", "`--dataset` is that of one suite", |run| {
        &run.summary.suite
    })?;
    let entry = HubEntry {
        dataset: args.dataset.clone(),
        task: match (&args.task_id, runs.first()) {
            (Some(task), _) => task.clone(),
            (None, Some(run)) => run.summary.suite.clone(),
            (None, None) => String::new(),
        },
        revision: args.revision.clone(),
        source_url: args.source_url.clone(),
        source_name: args.source_name.clone(),
        user: args.user.clone(),
    };
    let files = runs.iter().map(|run| {
        let file = exports::hub::file(run, &entry);
        file.ok_or_else(|| no_number(run))
    });
    write_files(ctx, &args.out, files.collect::<Result<Vec<_>, _>>()?)
}

fn eee(ctx: &Context, args: &EeeExportArgs) -> Result<Exit, Failure> {
    let runs = read_runs(&args.runs, true)?;
    refuse_several(&runs, "model", "`--model-id` is that of one model", |run| {
        &run.summary.model
    })?;
    let source = EeeSource {
        model: args.model_id.clone(),
        organization: args.organization.clone(),
        relationship: args.relationship.key(),
    };
    let mut files = Vec::new();
    for run in &runs {
        let made = exports::eee::files(run, &source);
        files.extend(made.ok_or_else(|| no_number(run))?);
    }
    write_files(ctx, &args.out, files)
}

fn metrics(ctx: &Context, args: &MetricsExportArgs) -> Result<Exit, Failure> {
    let runs = read_runs(&args.runs, false)?;
    write_durable(&args.out, exports::metrics::lines(&runs).as_bytes())?;
    say_written(ctx, std::slice::from_ref(&args.out));
    Ok(Exit::Ok)
}

/// Reads runs, and says which of them are partial: their numbers are exported, too.
fn read_runs(paths: &[PathBuf], with_outputs: bool) -> Result<Vec<ExportedRun>, Failure> {
    let runs = paths.iter().map(|path| read_export(path, with_outputs));
    let runs: Vec<ExportedRun> = runs.collect::<Result<_, _>>()?;
    for run in &runs {
        if let Some(words) = run.partial() {
            let Summary {
                suite, model, run, ..
            } = &run.summary;
            say(format!("{suite}/{model}/{run} is {words}"));
        }
    }
    Ok(runs)
}

/// Refuses runs that do not have the same name of a suite or a model.
fn refuse_several(
    runs: &[ExportedRun],
    what: &str,
    why: &str,
    name: impl Fn(&ExportedRun) -> &String,
) -> Result<(), Failure> {
    let names: BTreeSet<&String> = runs.iter().map(name).collect();
    if names.len() < 2 {
        return Ok(());
    }
    let names: Vec<&str> = names.into_iter().map(String::as_str).collect();
    Err(Failure::usage(
        format!("the runs have several {what}s: {}", names.join(", ")),
        format!("export the runs of each {what} by themselves, since {why}"),
    ))
}

fn no_number(run: &ExportedRun) -> Failure {
    let Summary {
        suite, model, run, ..
    } = &run.summary;
    Failure::incomplete(
        format!("the run {suite}/{model}/{run} has no number, since nothing was scored"),
        "leave it out, or finish it with the command that started it",
    )
}

/// Writes files below a folder.
fn write_files(
    ctx: &Context,
    out: &Path,
    files: impl IntoIterator<Item = ExportFile>,
) -> Result<Exit, Failure> {
    let mut paths = Vec::new();
    for file in files {
        let path = out.join(&file.path);
        crate::report::write_file(&path, file.text.as_bytes())?;
        paths.push(path);
    }
    say_written(ctx, &paths);
    Ok(Exit::Ok)
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
