//! The numbers of graded runs on standard output, and the exit code that follows from them.

use super::context::Context;
use super::failure::Failure;
use crate::config::PublishedFile;
use crate::exit::Exit;
use crate::record::Summary;
use crate::report::{Table, TableInput, TableSettings, printed};
use crate::session::TitledSummary;
use crate::table::formats::{JSON, TERMINAL};
use crate::table::{Document, Records, Window};

/// Prints results on stdout: one table for each suite, or JSON.
///
/// # Errors
/// Fails if the results have no such form.
pub(super) fn print_summaries(
    ctx: &Context,
    summaries: &[TitledSummary],
    published: &[PublishedFile],
) -> Result<(), Failure> {
    let text = if ctx.json {
        let plain: Vec<&Summary> = summaries.iter().map(|titled| &titled.summary).collect();
        let document = Document::new(Vec::new(), Records::default(), &plain)?;
        JSON.text(&document, Window::default())?
    } else {
        let tables = tables(summaries, published);
        TERMINAL.text(&printed::document(&tables)?, Window::detect())?
    };
    print!("{text}");
    Ok(())
}

/// The tables of some runs.
pub(super) fn tables(summaries: &[TitledSummary], published: &[PublishedFile]) -> Vec<Table> {
    let inputs: Vec<TableInput<'_>> = summaries.iter().map(TitledSummary::input).collect();
    Table::of_runs(&inputs, TableSettings::default())
        .into_iter()
        .map(|table| table.beside(published))
        .collect()
}

/// The exit code: incomplete if an output is missing, failed or unscored.
pub(super) fn exit_of(summaries: &[TitledSummary]) -> Exit {
    if summaries.iter().any(|titled| titled.summary.partial) {
        Exit::Incomplete
    } else {
        Exit::Ok
    }
}
