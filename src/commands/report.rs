//! `unigauge report` and `unigauge compare`.

use super::agreement;
use super::cli::{CompareArgs, Format, ReportArgs};
use super::context::Context;
use super::failure::Failure;
use super::progress::say;
use super::run::{exit_of, published, tables};
use super::score::{Titled, read_view};
use crate::exit::Exit;
use crate::report::export::{self, Export};
use crate::report::{self, ReportOptions};
use crate::run::RunFolder;

/// Renders the report of run folders again.
///
/// # Errors
/// When a folder is not a graded run, or the report cannot be written.
pub fn report(ctx: &Context, args: &ReportArgs) -> Result<Exit, Failure> {
    let out = match (&args.out, &args.runs[..]) {
        (Some(out), _) => out.clone(),
        (None, [one]) => RunFolder::at(one).report(),
        (None, _) => {
            return Err(Failure::usage(
                "several runs make one comparison, and no folder was named for it",
                "name one with `--out DIR`",
            ));
        }
    };
    let views = args
        .runs
        .iter()
        .map(|run| read_view(run))
        .collect::<Result<Vec<_>, _>>()?;
    let titled = args.runs.iter().map(|run| Titled::read(run));
    let titled = titled.collect::<Result<Vec<_>, _>>()?;
    let options = ReportOptions {
        published: published(&titled, args.published)?,
        ..Default::default()
    };
    let written = report::write(&out, &views, &options)?;
    if ctx.json {
        println!(
            "{}",
            serde_json::to_string_pretty(&written).unwrap_or_default()
        );
    } else {
        say(format!("report: {}", out.join("index.html").display()));
    }
    Ok(Exit::Ok)
}

/// Prints runs side by side; of runs in which judges scored the same outputs, how far they agree.
///
/// # Errors
/// When a folder is not a graded run.
pub fn compare(ctx: &Context, args: &CompareArgs) -> Result<Exit, Failure> {
    let mut summaries = args
        .runs
        .iter()
        .map(|run| Titled::read(run))
        .collect::<Result<Vec<_>, _>>()?;
    agreement::note(&args.runs, &mut summaries)?;
    let format: Box<dyn Export> = match if ctx.json { Format::Json } else { args.format } {
        Format::Terminal => Box::new(export::Terminal::detect()),
        Format::Markdown => Box::new(export::Markdown),
        Format::Latex => Box::new(export::Latex),
        Format::Html => Box::new(export::Html),
        Format::Csv => Box::new(export::Csv),
        Format::Json => Box::new(export::Json),
    };
    println!(
        "{}",
        tables(
            format.as_ref(),
            &summaries,
            &published(&summaries, args.published)?
        )
        .trim_end()
    );
    Ok(exit_of(&summaries))
}
