//! `unigauge report`.

use super::cli::ReportArgs;
use super::context::Context;
use super::failure::Failure;
use super::progress::say;
use crate::exit::Exit;
use crate::report::{self, ReportOptions};
use crate::run::RunFolder;
use crate::session::{TitledSummary, published_beside, read_view};

/// Renders the report of run folders again.
///
/// # Errors
/// Fails if a folder is not a graded run, or the report cannot be written.
pub(super) fn report(ctx: &Context, args: &ReportArgs) -> Result<Exit, Failure> {
    let out = match (&args.out, &args.runs[..]) {
        (Some(out), _) => out.clone(),
        (None, [one]) => RunFolder::at(one).report(),
        (None, _) => {
            return Err(Failure::usage(
                "a comparison of several runs needs a folder",
                "give one with `--out DIR`",
            ));
        }
    };
    let views = args
        .runs
        .iter()
        .map(|run| read_view(run))
        .collect::<Result<Vec<_>, _>>()?;
    let summaries = args.runs.iter().map(|run| TitledSummary::read(run));
    let summaries = summaries.collect::<Result<Vec<_>, _>>()?;
    let options = ReportOptions {
        published: if args.published {
            published_beside(&summaries)?
        } else {
            Vec::new()
        },
        single_file: args.single_file,
        ..Default::default()
    };
    let written = report::write(&out, &views, &options)?;
    if ctx.json {
        ctx.print_json(&written)?;
    } else {
        say(format!("report: {}", out.join("index.html").display()));
    }
    Ok(Exit::Ok)
}
