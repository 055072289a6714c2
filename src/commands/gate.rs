//! `unigauge gate`.

use super::cli::{FailOn, GateArgs};
use super::compare::allowed;
use super::context::Context;
use super::failure::Failure;
use super::progress::say;
use crate::compare::page::Heading;
use crate::compare::{Allowed, PlacedComparison, Recount};
use crate::config::{self, PolicyFile};
use crate::exit::Exit;
use crate::files::write_durable;
use crate::gate::{
    Baseline, Candidate, Status, Verdict, banner, comparisons, github, judge, junit, summary, text,
    write_files,
};
use crate::record::Outcomes;
use crate::session::{ComparedFolders, ComparedRuns, read_outcomes, write_comparison};
use crate::table::Window;
use std::path::{Path, PathBuf};

/// Compares runs with a baseline; the exit code is the verdict.
///
/// # Errors
/// Fails if a run, the baseline or the policy cannot be read, or a file cannot be written.
pub(super) fn gate(ctx: &Context, args: &GateArgs) -> Result<Exit, Failure> {
    let policy = config::policy(&args.policy, Path::new(""))?.definition;
    let (baselines, folders) = read_baselines(&args.baseline)?;
    let compared = ComparedRuns::read(&args.runs)?;
    let runs = compared.runs.iter().zip(&compared.rules);
    let candidates = runs.map(|(run, rule)| Candidate {
        run,
        baseline: Baseline::counterpart(&baselines, &run.facts),
        recount: Some(rule as &dyn Recount),
    });
    let candidates: Vec<Candidate<'_>> = candidates.collect();
    let asked = allowed(&args.allow);
    let lenient = Allowed {
        judges: asked.judges || policy.allow_judges,
        ..asked
    };
    let verdict = judge(&policy, &candidates, lenient);
    let shown = comparisons(&policy, &candidates, &baselines);
    if ctx.json {
        ctx.print_json(&verdict)?;
    } else {
        print!("{}", text::render(&verdict, &shown, Window::detect()));
    }
    write(args, &policy, &verdict, &shown, &folders)?;
    tell_github(ctx, args, &verdict, &shown)?;
    Ok(exit(&verdict, args))
}

/// The runs of the baseline, and the folder of each. A run in a baseline file has no folder.
fn read_baselines(paths: &[PathBuf]) -> Result<(Vec<Outcomes>, Vec<Option<&Path>>), Failure> {
    let (mut runs, mut folders) = (Vec::new(), Vec::new());
    for path in paths {
        if path.is_dir() {
            runs.push(read_outcomes(path)?);
            folders.push(Some(path.as_path()));
        } else {
            runs.extend(Baseline::read(path)?.runs);
            folders.resize(runs.len(), None);
        }
    }
    Ok((runs, folders))
}

/// Writes the files that the command line asks for.
fn write(
    args: &GateArgs,
    policy: &PolicyFile,
    verdict: &Verdict,
    shown: &[PlacedComparison],
    baselines: &[Option<&Path>],
) -> Result<(), Failure> {
    let lenient = args.informational || args.fail_on != FailOn::Inconclusive;
    let xml = junit::render(verdict, lenient).map_err(|error| {
        Failure::usage(
            format!("the JUnit XML cannot be written: {error}"),
            "look for unusual characters in the names of suites, models and runs",
        )
    })?;
    if let Some(path) = &args.junit {
        write_durable(path, xml.as_bytes())?;
    }
    let Some(dir) = &args.out else {
        return Ok(());
    };
    write_files(dir, verdict, shown, &xml)?;
    let compared = shown.iter().map(|shown| ComparedFolders {
        comparison: &shown.comparison,
        before: shown.before.and_then(|index| baselines[index]),
        after: &args.runs[shown.after],
    });
    let compared: Vec<ComparedFolders<'_>> = compared.collect();
    let banner = banner::banner(verdict, args.informational);
    let heading = Heading {
        title: &format!("Gate: {}", verdict.status.word()),
        kicker: &format!("unigauge gate · policy {}", policy.name),
        banner: Some(&banner),
    };
    let page = write_comparison(dir, &heading, &compared, policy.power)?;
    say(format!("page: {}", page.display()));
    Ok(())
}

/// Writes the summary and the annotations of the step if GitHub Actions runs this process.
fn tell_github(
    ctx: &Context,
    args: &GateArgs,
    verdict: &Verdict,
    shown: &[PlacedComparison],
) -> Result<(), Failure> {
    if let Some(file) = github::summary_file() {
        let summary = summary::render(verdict, shown);
        github::append_summary(&file, &summary).map_err(Failure::io)?;
    }
    if github::is_running() && !args.informational {
        for line in github::annotations(verdict) {
            // The runner reads both streams. With `--json`, standard output has only the JSON.
            if ctx.json {
                eprintln!("{line}");
            } else {
                println!("{line}");
            }
        }
    }
    Ok(())
}

fn exit(verdict: &Verdict, args: &GateArgs) -> Exit {
    let failing = match args.fail_on {
        _ if args.informational => return Exit::Ok,
        FailOn::Never => return Exit::Ok,
        FailOn::Breach => Status::Breach,
        FailOn::Inconclusive => Status::Inconclusive,
    };
    match verdict.status {
        status if status < failing => Exit::Ok,
        Status::Breach => Exit::CheckFailed,
        Status::Inconclusive => Exit::Incomplete,
        Status::Pass => Exit::Ok,
    }
}
