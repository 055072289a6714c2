//! `unigauge gate`.

use super::baseline::counterpart;
use super::cli::{FailOn, GateArgs};
use super::compare::allowed;
use super::context::Context;
use super::failure::Failure;
use super::progress::say;
use crate::compare::{self, Allowed, Comparison, DifferenceOptions, IntervalKind, page};
use crate::config::{self, PolicyFile};
use crate::exit::Exit;
use crate::files::write_durable;
use crate::gate::{
    Baseline, Candidate, Status, Verdict, banner, github, judge, junit, markdown, text,
};
use crate::record::Outcomes;
use crate::report::RunView;
use crate::run::write_json;
use crate::session::{RecountedRun, read_outcomes, read_view};
use crate::stats::power::Plan;
use crate::table::Window;
use std::path::{Path, PathBuf};

/// Holds runs against a baseline; the exit code is the verdict.
///
/// # Errors
/// Fails if a run, the baseline or the policy cannot be read, or a file cannot be written.
pub(super) fn gate(ctx: &Context, args: &GateArgs) -> Result<Exit, Failure> {
    let policy = config::policy(&args.policy, Path::new(""))?.definition;
    let baselines = baselines(&args.baseline)?;
    let runs: Vec<Outcomes> = args
        .runs
        .iter()
        .map(|run| read_outcomes(run))
        .collect::<Result<_, _>>()?;
    let kept: Vec<Outcomes> = baselines.iter().map(|(run, _)| run.clone()).collect();
    let rules = args.runs.iter().map(|run| RecountedRun::open(run));
    let rules: Vec<RecountedRun> = rules.collect::<Result<_, _>>()?;
    let candidate = |(run, rule)| Candidate {
        run,
        baseline: counterpart(&kept, run),
        recount: Some(rule as &dyn compare::Recount),
    };
    let candidates: Vec<Candidate<'_>> = runs.iter().zip(&rules).map(candidate).collect();
    let asked = allowed(&args.allow);
    let lenient = Allowed {
        judges: asked.judges || policy.allow_judges,
        ..asked
    };
    let verdict = judge(&policy, &candidates, lenient);
    let shown = shown(&policy, &candidates);
    if ctx.json {
        ctx.print_json(&verdict)?;
    } else {
        let comparisons: Vec<Comparison> = shown.iter().map(|(_, c)| c.clone()).collect();
        print!("{}", text::render(&verdict, &comparisons, Window::detect()));
    }
    write(args, &policy, &verdict, &shown, &baselines)?;
    tell_github(ctx, args, &verdict, &shown)?;
    Ok(exit(&verdict, args))
}

/// The runs to hold others against, with their folders where they are run folders.
fn baselines(paths: &[PathBuf]) -> Result<Vec<(Outcomes, Option<PathBuf>)>, Failure> {
    let mut found = Vec::new();
    for path in paths {
        if path.is_dir() {
            found.push((read_outcomes(path)?, Some(path.clone())));
        } else {
            let runs = Baseline::read(path)?.runs;
            found.extend(runs.into_iter().map(|run| (run, None)));
        }
    }
    Ok(found)
}

/// What can be shown of each run beside its baseline, by the run's place; a comparison that is not to be made
/// is not shown.
fn shown(policy: &PolicyFile, candidates: &[Candidate<'_>]) -> Vec<(usize, Comparison)> {
    let options = DifferenceOptions {
        plan: Plan {
            level: policy.level,
            power: policy.power,
            one_sided: false,
        },
        test: config::TestChoice::Auto,
        interval: IntervalKind::Bca,
        resamples: policy.resamples,
        seed: compare::SEED,
    };
    // The verdict says what should not have been compared; what is shown here explains it.
    let everything = Allowed {
        version: true,
        prompts: true,
        observers: true,
        judges: true,
        grading: true,
        partial: true,
    };
    let comparison = |(place, candidate): (usize, &Candidate<'_>)| {
        let (before, after) = (candidate.baseline?, candidate.run);
        let found = compare::compare(before, after, everything, &options, candidate.recount);
        Some((place, found.ok()?))
    };
    let candidates = candidates.iter().enumerate();
    candidates.filter_map(comparison).collect()
}

fn write(
    args: &GateArgs,
    policy: &PolicyFile,
    verdict: &Verdict,
    shown: &[(usize, Comparison)],
    baselines: &[(Outcomes, Option<PathBuf>)],
) -> Result<(), Failure> {
    let lenient = args.informational || args.fail_on != FailOn::Inconclusive;
    let xml = junit::render(verdict, lenient).map_err(|error| {
        Failure::usage(
            format!("no JUnit XML: {error}"),
            "check names for unusual characters",
        )
    })?;
    if let Some(path) = &args.junit {
        write_durable(path, xml.as_bytes())?;
    }
    let Some(dir) = &args.out else {
        return Ok(());
    };
    let comparisons: Vec<Comparison> = shown.iter().map(|(_, c)| c.clone()).collect();
    write_json(&dir.join("verdict.json"), verdict)?;
    write_durable(&dir.join("junit.xml"), xml.as_bytes())?;
    let summary = markdown::render(verdict, &comparisons);
    write_durable(&dir.join("summary.md"), summary.as_bytes())?;
    let views = views(args, shown, baselines)?;
    let sheets: Vec<page::Sheet<'_>> = shown
        .iter()
        .zip(&views)
        .map(|((_, comparison), (before, after))| page::Sheet {
            comparison,
            before: before.as_ref(),
            after: Some(after),
        })
        .collect();
    let banner = banner::banner(verdict, args.informational);
    let title = format!("Gate: {}", verdict.status.word());
    let kicker = format!("unigauge gate · policy {}", policy.name);
    let written = page::write(dir, &title, &kicker, Some(&banner), &sheets, policy.power)?;
    say(format!("page: {}", written.display()));
    Ok(())
}

/// The runs behind the comparisons, those of baselines where they are run folders.
fn views(
    args: &GateArgs,
    shown: &[(usize, Comparison)],
    baselines: &[(Outcomes, Option<PathBuf>)],
) -> Result<Vec<(Option<RunView>, RunView)>, Failure> {
    let of = |(place, comparison): &(usize, Comparison)| {
        let before = baselines
            .iter()
            .find(|(run, _)| run.facts == comparison.before);
        let before = before.and_then(|(_, path)| path.as_ref());
        let before = before.map(|path| read_view(path)).transpose()?;
        Ok((before, read_view(&args.runs[*place])?))
    };
    shown.iter().map(of).collect()
}

/// The step's summary and annotations, when GitHub Actions runs this.
fn tell_github(
    ctx: &Context,
    args: &GateArgs,
    verdict: &Verdict,
    shown: &[(usize, Comparison)],
) -> Result<(), Failure> {
    if let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()) {
        let comparisons: Vec<Comparison> = shown.iter().map(|(_, c)| c.clone()).collect();
        let summary = markdown::render(verdict, &comparisons);
        github::append_summary(Path::new(&path), &summary).map_err(Failure::io)?;
    }
    if std::env::var("GITHUB_ACTIONS").is_ok_and(|value| value == "true") && !args.informational {
        for line in github::annotations(verdict) {
            // The runner reads both streams; JSON has the first to itself.
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
