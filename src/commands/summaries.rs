//! The numbers of graded runs on standard output, and the exit code that they lead to.

use super::context::Context;
use super::failure::Failure;
use crate::config::PublishedFile;
use crate::exit::Exit;
use crate::record::Summary;
use crate::report::export::{Export, Terminal};
use crate::report::{Table, TableInput, TableSettings};
use crate::session::TitledSummary;

/// Prints results on stdout: one table a suite, or JSON.
///
/// # Errors
/// When a summary has no JSON form.
pub fn print_summaries(
    ctx: &Context,
    summaries: &[TitledSummary],
    published: &[PublishedFile],
) -> Result<(), Failure> {
    if ctx.json {
        let plain: Vec<&Summary> = summaries.iter().map(|titled| &titled.summary).collect();
        ctx.print_json(&plain)
    } else {
        print!("{}", tables(&Terminal::detect(), summaries, published));
        Ok(())
    }
}

/// The tables of some runs in one format.
pub fn tables(
    format: &dyn Export,
    summaries: &[TitledSummary],
    published: &[PublishedFile],
) -> String {
    let inputs: Vec<TableInput<'_>> = summaries.iter().map(TitledSummary::input).collect();
    let tables: Vec<Table> = Table::of(&inputs, TableSettings::default())
        .into_iter()
        .map(|table| table.beside(published))
        .collect();
    match format.export(&tables) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) => format!("{error}\n"),
    }
}

/// Incomplete as soon as one output is missing, failed or unscored.
pub fn exit_of(summaries: &[TitledSummary]) -> Exit {
    if summaries.iter().any(|titled| titled.summary.partial) {
        Exit::Incomplete
    } else {
        Exit::Ok
    }
}
