//! `unigauge study`.

use super::cli::StudyArgs;
use super::compare::{allowed, difference_options};
use super::context::Context;
use super::failure::Failure;
use super::progress::say;
use crate::config;
use crate::exit::Exit;
use crate::session::{StudyRuns, plain_run_name, run_seeds};
use crate::study;
use crate::table::formats::JSON;
use crate::table::{Document, Records, Window};
use std::path::Path;

/// Makes the page of a study from the existing runs.
///
/// # Errors
/// Fails if the study has mistakes or no factor, if there is no run of it, or if the page cannot be written.
pub(super) fn study(ctx: &Context, args: &StudyArgs) -> Result<Exit, Failure> {
    let loaded = config::study(&args.study, Path::new(""))?;
    let study = &loaded.definition;
    let limit = args.limit.or(study.limit);
    let seeds = run_seeds(Some(study), None, None)?.into_iter();
    let names: Vec<String> = seeds.map(|seed| plain_run_name(seed, limit)).collect();
    let runs = StudyRuns {
        study,
        from: loaded.base(),
        results: &args.results,
        names: &names,
        width: args.width.into(),
        allowed: allowed(&args.allow),
        options: difference_options(&args.pair),
    };
    page(ctx, &runs, args.out.as_deref())
}

/// Writes the page into a folder, by default that of the study in the results; prints the table and where the
/// page is.
///
/// # Errors
/// Fails when [`study`] fails.
pub(super) fn page(
    ctx: &Context,
    runs: &StudyRuns<'_>,
    out: Option<&Path>,
) -> Result<Exit, Failure> {
    let file = runs.study;
    let Some(factor) = &file.factor else {
        return Err(Failure::usage(
            format!(
                "the study `{}` has no `[factor]`, so it has no levels to compare",
                file.name
            ),
            format!("`unigauge run {}` makes its page", file.name),
        ));
    };
    let study = runs.read(factor)?;
    if study.sections.is_empty() {
        return Err(Failure::incomplete(
            format!(
                "no run of the study `{}` is in {}",
                file.name,
                runs.results.display()
            ),
            format!("make them: `unigauge run {}`", file.name),
        ));
    }
    let default = runs.results.join("studies").join(&file.name);
    let titles: Vec<String> = factor.levels.iter().map(|l| l.title().to_owned()).collect();
    let written = study::write(out.unwrap_or(&default), &study, &titles)?;
    if ctx.json {
        let document = Document::new(Vec::new(), Records::default(), &study)?;
        print!("{}", JSON.text(&document, Window::default())?);
    } else {
        print!("{}", study.terminal(Window::detect()));
    }
    say(format!("report: {}", written.page.display()));
    Ok(if study.incomplete() {
        Exit::Incomplete
    } else {
        Exit::Ok
    })
}
