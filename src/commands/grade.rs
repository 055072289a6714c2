//! `unigauge grade`.

use super::cli::GradeArgs;
use super::context::Context;
use super::failure::Failure;
use super::progress::say_report;
use super::summaries::{exit_of, print_summaries};
use crate::config::Settings;
use crate::exit::Exit;
use crate::session::{GradeOverride, LooseFiles};

/// Grades a run folder again, or loose files.
///
/// # Errors
/// Fails if files are absent or damaged, or the rule's options have mistakes.
pub(super) fn grade(ctx: &Context, args: &GradeArgs) -> Result<Exit, Failure> {
    let options = Settings::parse("--set", &args.set.join("\n"))?;
    let summary = match (&args.run, &args.items, &args.suite, &args.out) {
        (Some(run), ..) => {
            let replaced = GradeOverride {
                suite: args.suite.clone(),
                options,
            };
            let (folder, summary) = ctx.session.grade_run(run, &replaced)?;
            say_report(&folder);
            summary
        }
        (None, Some(items), Some(suite), Some(out)) => ctx.session.grade_loose(&LooseFiles {
            suite: suite.clone(),
            items: items.clone(),
            outputs: args.outputs.clone(),
            evidence: args.evidence.clone(),
            model: args.name.clone(),
            out: out.clone(),
            options,
        })?,
        // The parser of the command line requires one of the two.
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
