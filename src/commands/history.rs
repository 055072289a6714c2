//! `unigauge history`.

use super::cli::HistoryArgs;
use super::context::Context;
use super::failure::Failure;
use super::progress::say;
use crate::exit::Exit;
use crate::files::write_durable;
use crate::history::{self, History, Wanted, long, page, text};
use crate::run::folders;
use crate::table::Window;
use crate::table::formats::{CSV, HTML, JSON, MARKDOWN, TERMINAL};
use std::path::{Path, PathBuf};

/// Shows how the numbers of suites went over their runs.
///
/// # Errors
/// Fails if there are no such runs, or a file cannot be written.
pub(super) fn history(ctx: &Context, args: &HistoryArgs) -> Result<Exit, Failure> {
    let wanted = Wanted {
        models: args.model.clone(),
        metrics: args.metric.clone(),
        since: args.since,
        level: args.level,
    };
    let suites = match &args.suite {
        Some(suite) => vec![suite_folder(&args.results, suite)?],
        None => folders(&args.results),
    };
    let found = suites
        .iter()
        .filter_map(|suite| history::of_suite(suite, &wanted));
    let found: Vec<History> = found.collect();
    for line in found.iter().flat_map(History::left_out) {
        say(line);
    }
    let histories: Vec<History> = found.into_iter().filter(|h| !h.series.is_empty()).collect();
    if histories.is_empty() {
        return Err(none(args));
    }
    let format = if ctx.json { &JSON } else { args.format };
    let shown = if format == &TERMINAL {
        joined(&histories, |history| {
            text::terminal(history, Window::detect())
        })
    } else if format == &MARKDOWN {
        joined(&histories, text::markdown)
    } else if format == &HTML {
        page::render(&histories)?
    } else {
        format.text(&long::document(&histories)?, Window::default())?
    };
    println!("{}", shown.trim_end());
    if let Some(dir) = &args.out {
        write(dir, &histories)?;
    }
    Ok(Exit::Ok)
}

fn suite_folder(results: &Path, suite: &str) -> Result<PathBuf, Failure> {
    let folder = results.join(suite);
    if folder.is_dir() {
        return Ok(folder);
    }
    let there = folders(results);
    let names = there.iter().filter_map(|path| path.file_name()?.to_str());
    let names: Vec<&str> = names.collect();
    Err(Failure::nothing(
        format!("{} has no runs of {suite:?}", results.display()),
        if names.is_empty() {
            "give the folder of the results with `--results DIR`".to_owned()
        } else {
            format!("it has {}", names.join(", "))
        },
    ))
}

fn none(args: &HistoryArgs) -> Failure {
    let what = args.suite.as_deref().unwrap_or("any suite");
    Failure::nothing(
        format!("{} has no matching runs of {what}", args.results.display()),
        "see `unigauge list runs`, and check `--model`, `--metric` and `--since`",
    )
}

fn joined(histories: &[History], render: impl Fn(&History) -> String) -> String {
    histories.iter().map(render).collect::<Vec<_>>().join("\n")
}

fn write(dir: &Path, histories: &[History]) -> Result<(), Failure> {
    let document = long::document(histories)?;
    let json = format!("{:#}", document.json);
    write_durable(&dir.join("history.json"), json.as_bytes())?;
    let csv = (CSV.write)(&document, Window::default())?;
    write_durable(&dir.join("history.csv"), &csv)?;
    let markdown = joined(histories, text::markdown);
    write_durable(&dir.join("history.md"), markdown.as_bytes())?;
    say(format!("page: {}", page::write(dir, histories)?.display()));
    Ok(())
}
