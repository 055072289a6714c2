//! `unigauge completions` and `unigauge man`.

use super::cli::Cli;
use super::failure::Failure;
use crate::exit::Exit;
use crate::files::write_durable;
use crate::print;
use crate::run::RunError;
use clap::CommandFactory;
use std::path::Path;

/// Prints a completion script.
pub(super) fn completions(shell: clap_complete::Shell) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "unigauge", &mut script);
    print::bytes(&script);
    Exit::Ok
}

/// Prints the manual page, or writes one per command.
///
/// # Errors
/// Fails if a page cannot be written.
pub(super) fn man(out: Option<&Path>) -> Result<Exit, Failure> {
    let mut command = Cli::command();
    command.build();
    let Some(folder) = out else {
        print::bytes(&page(&command)?);
        return Ok(Exit::Ok);
    };
    write_durable(&folder.join("unigauge.1"), &page(&command)?)?;
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        write_durable(
            &folder.join(format!("unigauge-{}.1", sub.get_name())),
            &page(sub)?,
        )?;
    }
    Ok(Exit::Ok)
}

fn page(command: &clap::Command) -> Result<Vec<u8>, RunError> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone())
        .render(&mut page)
        .map_err(|error| RunError::Invalid(format!("cannot write the manual page: {error}")))?;
    Ok(page)
}
