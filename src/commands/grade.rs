//! `unigauge grade`.

use super::cli::GradeArgs;
use super::context::Context;
use super::failure::Failure;
use super::progress::say;
use super::run::{exit_of, print_summaries};
use super::score::{Titled, grade_run, report_run, rule, suite_of};
use crate::config::{self, Settings};
use crate::exit::Exit;
use crate::grade::described;
use crate::run::{Manifest, Records, RunFolder, Scoring, Source, score};
use std::path::Path;

/// Grades a run folder again, or loose files.
///
/// # Errors
/// When files are absent or damaged, or the rule's options have mistakes.
pub fn grade(ctx: &Context, args: &GradeArgs) -> Result<Exit, Failure> {
    let options = Settings::parse("--set", &args.set.join("\n"))?;
    let summary = match (&args.run, &args.items, &args.suite, &args.out) {
        (Some(run), ..) => of_run(ctx, run, args.suite.as_deref(), &options)?,
        (None, Some(items), Some(suite), Some(out)) => {
            loose(ctx, args, items, suite, out, &options)?
        }
        // clap has made sure of one of the two.
        _ => {
            return Err(Failure::usage(
                "nothing to grade",
                "see `unigauge grade --help`",
            ));
        }
    };
    let summaries = [summary];
    print_summaries(ctx, &summaries, &[])?;
    Ok(exit_of(&summaries))
}

fn of_run(
    ctx: &Context,
    run: &Path,
    suite: Option<&str>,
    options: &Settings,
) -> Result<Titled, Failure> {
    let folder = RunFolder::existing(run)?;
    let _lock = folder.lock(None)?;
    let manifest = Manifest::read(&folder)?;
    let suite = match suite {
        Some(name) => config::suite(name, Path::new(""))?.definition,
        None => suite_of(&manifest)?,
    };
    let scored = grade_run(ctx, &folder, &manifest, Some((&suite, options)), None)?;
    let summary = report_run(&folder, &manifest, scored)?;
    say(format!(
        "report: {}",
        folder.report().join("index.html").display()
    ));
    Ok(summary)
}

fn loose(
    ctx: &Context,
    args: &GradeArgs,
    items: &Path,
    suite: &str,
    out: &Path,
    options: &Settings,
) -> Result<Titled, Failure> {
    let suite = config::suite(suite, Path::new(""))?.definition;
    let rule = rule(ctx, &suite.grade.rule, &suite.grade.options.merged(options))?;
    let records = Records::loose(
        items,
        args.outputs.as_deref(),
        args.evidence.as_deref(),
        suite.task,
        described(&suite.grade.rule)?.official_results.as_ref(),
    )?;
    let scoring = Scoring {
        suite: &suite,
        rule: rule.as_ref(),
        over: options,
        source: Source::Loose { model: &args.name },
    };
    let scored = score(&RunFolder::at(out), records, &scoring)?;
    Ok(Titled {
        summary: scored.summary,
        suite_title: suite.title,
        model_title: args.name.clone(),
    })
}
