//! One file for each subcommand. A command reads its arguments, calls other rooms, prints, and ends with an
//! exit code. It does nothing else.

mod baseline;
mod bench;
mod check;
mod checkpoint;
mod cli;
mod compare;
mod context;
mod export;
mod failure;
mod fetch;
mod gate;
mod grade;
mod history;
mod interrupt;
mod items;
mod list;
mod man;
mod merge;
mod observe;
mod parity;
mod progress;
mod report;
mod run;
mod screen;
mod serve;
mod shard;
mod status;
mod study;
mod submit;
mod summaries;
mod sync;
mod table;
mod tokens;
mod train;
mod train_single;
mod train_study;
mod watch;

use crate::exit::Exit;
use crate::print;
use clap::{CommandFactory, Parser};
use cli::{Bench, Cli, Command, Serve};
use context::Context;
use failure::Failure;

/// The command line, with all commands and options.
pub fn command_line() -> clap::Command {
    Cli::command()
}

/// Parses the command line, runs the command, prints its error if it has one.
pub fn main() -> Exit {
    let cli = Cli::parse();
    let ctx = Context::new(&cli.global);
    match dispatch(&ctx, cli.command) {
        Ok(exit) => match print::fault() {
            Some(fault) if exit == Exit::Ok => {
                progress::say(format!("cannot write to standard output: {fault}"));
                Exit::Unexpected
            }
            _ => exit,
        },
        Err(Failure { report, exit }) => {
            progress::say(format!("{report:?}"));
            exit
        }
    }
}

fn dispatch(ctx: &Context, command: Command) -> Result<Exit, Failure> {
    match command {
        Command::Train(args) => train::run(ctx, &args),
        Command::Run(args) => run::run(ctx, &args, true),
        Command::Generate(args) => run::run(ctx, &args, false),
        Command::Items(args) => items::items(ctx, &args),
        Command::Observe(args) => observe::observe(ctx, &args),
        Command::Grade(args) => grade::grade(ctx, &args),
        Command::Report(args) => report::report(ctx, &args),
        Command::Study(args) => study::study(ctx, &args),
        Command::Baseline(command) => baseline::baseline(ctx, &command),
        Command::Compare(args) => compare::compare(ctx, &args),
        Command::Table(args) => table::table(ctx, &args),
        Command::Export(command) => export::export(ctx, &command),
        Command::Gate(args) => gate::gate(ctx, &args),
        Command::History(args) => history::history(ctx, &args),
        Command::Watch(args) => watch::watch(ctx, &args),
        Command::Fetch(args) => fetch::fetch(ctx, &args),
        Command::Check(args) => check::check(ctx, &args),
        Command::List(args) => list::list(ctx, &args),
        Command::Merge(args) => merge::merge(ctx, &args),
        Command::Submit(submit) => submit::submit(ctx, &submit),
        Command::Status(args) => status::status(ctx, &args),
        Command::Pull(args) => sync::pull(ctx, &args),
        Command::Push(args) => sync::push(ctx, &args),
        Command::Parity(args) => parity::parity(ctx, &args),
        Command::Serve(Serve::Rewards(args)) => serve::rewards(ctx, &args),
        Command::Tokens(command) => tokens::tokens(ctx, &command),
        Command::Bench(Bench::Model(args)) => bench::model(ctx, &args),
        Command::Completions { shell } => Ok(man::completions(shell)),
        Command::Man { out } => man::man(out.as_deref()),
    }
}
