//! `unigauge history`.

use super::cli::{HistoryArgs, HistoryFormat};
use super::context::Context;
use super::failure::Failure;
use super::progress::say;
use crate::exit::Exit;
use crate::files::write_durable;
use crate::history::{self, History, Wanted, csv, page, text};
use crate::report::export::Terminal;
use crate::run::folders;
use std::path::{Path, PathBuf};

/// Shows how the numbers of suites went over their runs.
///
/// # Errors
/// When there are no such runs, or a file cannot be written.
pub fn history(ctx: &Context, args: &HistoryArgs) -> Result<Exit, Failure> {
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
    let format = if ctx.json {
        HistoryFormat::Json
    } else {
        args.format
    };
    let shown = match format {
        HistoryFormat::Terminal => {
            let width = Terminal::detect().width;
            joined(&histories, |history| text::terminal(history, width))
        }
        HistoryFormat::Markdown => joined(&histories, text::markdown),
        HistoryFormat::Csv => String::from_utf8_lossy(&csv::render(&histories)?).into_owned(),
        HistoryFormat::Json => json(&histories),
        HistoryFormat::Html => page::render(&histories)?,
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
        format!("{} holds no runs of {suite:?}", results.display()),
        match names.is_empty() {
            true => "name the results tree with `--results DIR`".to_owned(),
            false => format!("it has {}", names.join(", ")),
        },
    ))
}

fn none(args: &HistoryArgs) -> Failure {
    let what = args.suite.as_deref().unwrap_or("any suite");
    Failure::nothing(
        format!(
            "{} holds no runs of {what} that fit",
            args.results.display()
        ),
        "see `unigauge list runs`, and check `--model`, `--metric` and `--since`",
    )
}

fn joined(histories: &[History], render: impl Fn(&History) -> String) -> String {
    histories.iter().map(render).collect::<Vec<_>>().join("\n")
}

fn json(histories: &[History]) -> String {
    serde_json::to_string_pretty(histories).unwrap_or_default()
}

fn write(dir: &Path, histories: &[History]) -> Result<(), Failure> {
    write_durable(&dir.join("history.json"), json(histories).as_bytes())?;
    write_durable(&dir.join("history.csv"), &csv::render(histories)?)?;
    let markdown = joined(histories, text::markdown);
    write_durable(&dir.join("history.md"), markdown.as_bytes())?;
    say(format!("page: {}", page::write(dir, histories)?.display()));
    Ok(())
}
