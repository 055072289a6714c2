//! Runs a study, or a suite with models, and prints the scores.
//!
//! ```text
//! cargo run --example run_suite                        # the study `quick`
//! cargo run --example run_suite -- mini-geneval world  # a suite and a model; needs no network
//! ```

use std::path::Path;
use unigauge::report::{Table, TableSettings, printed};
use unigauge::session::{RunRequest, Session};
use unigauge::table::Window;
use unigauge::table::formats::TERMINAL;

/// Runs a target into a folder, and gives its tables as text.
///
/// # Errors
/// Fails as the commands of the program fail; the message says what to do.
#[allow(unreachable_pub)] // A test includes this file.
pub fn tables_of(target: &str, models: &[String], out: &Path) -> miette::Result<String> {
    let request = RunRequest::new(target, out).with_models(models);
    let made = Session::default().run(&request)?;
    let summaries: Vec<_> = made.into_iter().filter_map(|run| run.summary).collect();
    let inputs: Vec<_> = summaries.iter().map(|summary| summary.input()).collect();
    let tables = Table::of_runs(&inputs, TableSettings::default());
    Ok(TERMINAL.text(&printed::document(&tables)?, Window::default())?)
}

fn main() -> miette::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let target = arguments.next().unwrap_or_else(|| "quick".into());
    let models: Vec<String> = arguments.collect();
    let out =
        tempfile::tempdir().map_err(|error| miette::miette!("no temporary folder: {error}"))?;
    print!("{}", tables_of(&target, &models, out.path())?);
    Ok(())
}
