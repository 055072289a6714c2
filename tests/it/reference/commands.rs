//! The command line, from the definitions that the program parses it with.

use super::markdown::{cell, head};
use clap::{Arg, Command};
use std::fmt::Write as _;

/// The page of commands.
pub(super) fn page(mut command: Command) -> String {
    command.build();
    let mut page = head("Commands", "the command line's definitions");
    page += "`unigauge COMMAND --help` prints the same. [Exit codes](exit-codes.md) lists how a command can end.\n\n";
    page += "## Options of every command\n\n";
    options(
        &mut page,
        command
            .get_arguments()
            .filter(|option| option.is_global_set()),
    );
    for sub in command.get_subcommands().filter(|sub| shown(sub)) {
        section(&mut page, sub, "unigauge", 2);
    }
    page
}

fn shown(command: &Command) -> bool {
    !command.is_hide_set() && command.get_name() != "help"
}

fn section(page: &mut String, command: &Command, above: &str, level: usize) {
    let name = format!("{above} {}", command.get_name());
    let _ = write!(page, "{} `{name}`\n\n", "#".repeat(level));
    let about = command.get_long_about().or_else(|| command.get_about());
    if let Some(about) = about {
        let _ = write!(page, "{}.\n\n", about.to_string().trim_end_matches('.'));
    }
    let usage = command.clone().render_usage().to_string();
    let _ = write!(
        page,
        "```text\n{}\n```\n\n",
        usage.trim_start_matches("Usage: ").trim()
    );
    let own = |option: &&Arg| {
        !option.is_global_set() && !matches!(option.get_id().as_str(), "help" | "version")
    };
    options(page, command.get_arguments().filter(own));
    let after = command
        .get_after_long_help()
        .or_else(|| command.get_after_help());
    if let Some(after) = after {
        let _ = write!(page, "```text\n{}\n```\n\n", after.to_string().trim());
    }
    for sub in command.get_subcommands().filter(|sub| shown(sub)) {
        section(page, sub, &name, level + 1);
    }
}

/// A table of arguments and options; nothing where there are none.
fn options<'a>(page: &mut String, options: impl Iterator<Item = &'a Arg>) {
    let rows: String = options
        .filter(|option| !option.is_hide_set())
        .map(row)
        .collect();
    if !rows.is_empty() {
        let _ = write!(page, "| option | meaning |\n|---|---|\n{rows}\n");
    }
}

fn row(option: &Arg) -> String {
    let values: Vec<String> = match option.get_value_names() {
        Some(names) if option.get_action().takes_values() => {
            names.iter().map(|name| format!("<{name}>")).collect()
        }
        _ => Vec::new(),
    };
    let long = option.get_long().map(|long| format!("--{long}"));
    let short = option.get_short().map(|short| format!("-{short}"));
    let names: Vec<String> = short.into_iter().chain(long).collect();
    let name = [names.join(", "), values.join(" ")].join(" ");
    let help = option.get_long_help().or_else(|| option.get_help());
    let mut meaning = help.map(|help| cell(&help.to_string())).unwrap_or_default();
    let defaults: Vec<_> = option
        .get_default_values()
        .iter()
        .map(|value| value.to_string_lossy())
        .collect();
    if !defaults.is_empty() && option.get_action().takes_values() {
        let _ = write!(meaning, " [default: `{}`]", defaults.join(" "));
    }
    if let Some(variable) = option.get_env() {
        let _ = write!(meaning, " [variable: `{}`]", variable.to_string_lossy());
    }
    for value in option
        .get_possible_values()
        .iter()
        .filter(|value| !value.is_hide_set())
    {
        let _ = match value.get_help() {
            Some(help) => write!(
                meaning,
                "<br>`{}`: {}",
                value.get_name(),
                cell(&help.to_string())
            ),
            None => write!(meaning, "<br>`{}`", value.get_name()),
        };
    }
    format!("| `{}` | {meaning} |\n", cell(&name))
}
