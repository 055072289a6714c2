//! The command line: raw arguments and their help. Nothing here does work.

mod baseline;
mod bench;
mod check;
mod compare;
mod export;
mod fetch;
mod format;
mod gate;
mod grade;
mod history;
mod items;
mod list;
mod merge;
mod observe;
mod parity;
mod report;
mod run;
mod study;
mod table;
mod tokens;
mod train;

pub use baseline::{BaselineAcceptArgs, BaselineCommand, BaselineCompareArgs, BaselineSaveArgs};
pub use bench::{Bench, BenchModelArgs, BenchPrecision};
pub use check::{CheckArgs, Layout};
pub use compare::{AllowArgs, CompareArgs, Interval, PairArgs};
pub use export::{ExportCommand, ItemsExportArgs, LmEvalArgs};
pub use fetch::FetchArgs;
pub use gate::{FailOn, GateArgs};
pub use grade::GradeArgs;
pub use history::HistoryArgs;
pub use items::ItemsArgs;
pub use list::{ListArgs, Listable};
pub use merge::MergeArgs;
pub use observe::ObserveArgs;
pub use parity::ParityArgs;
pub use report::ReportArgs;
pub use run::{RunArgs, SelectArgs};
pub use study::StudyArgs;
pub use table::TableArgs;
pub use tokens::{TokensArgs, TokensCommand, TokensDecodeArgs, TokensEncodeArgs};
pub use train::TrainArgs;

use clap::{Args, Parser, Subcommand, ValueHint};
use std::path::PathBuf;

/// Evaluates models that understand, generate and edit images.
#[derive(Debug, Parser)]
#[command(
    name = "unigauge",
    version,
    max_term_width = 100,
    propagate_version = true
)]
#[command(after_help = "\
Examples:
  unigauge run quick                               the embedded study: text rendering × PP-OCR
  unigauge run longtext --model typeset --limit 8  one suite, one model, eight items
  unigauge check longtext --model typeset          the plan, running nothing
  unigauge gate RUN --baseline baseline.json       may this change go in?
  unigauge list                                    suites, models, studies, observers, runs

Exit codes: 0 fine · 1 unexpected · 2 usage · 3 check failed · 4 nothing selected · 5 incomplete
evidence · 6 environment · 130 interrupted (the same command goes on)")]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// Use no network: what is not in the cache is an error
    #[arg(long, global = true, env = "UNIGAUGE_OFFLINE", value_parser = clap::builder::FalseyValueParser::new())]
    pub offline: bool,
    /// Print results as JSON on stdout
    #[arg(long, global = true)]
    pub json: bool,
    /// Print no progress
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Folder of the asset cache
    #[arg(long, global = true, env = "UNIGAUGE_CACHE", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub cache: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a study, or a suite with models: generate, observe, grade, report
    Run(RunArgs),
    /// Print the items of a suite as JSON lines
    Items(ItemsArgs),
    /// Only make outputs, in a run folder
    Generate(RunArgs),
    /// Only look at outputs: of a run folder, or of a folder of images somebody else made
    Observe(ObserveArgs),
    /// Grade a run folder again, or loose items, evidence and outputs
    Grade(GradeArgs),
    /// Render tables, charts and the page of run folders again
    Report(ReportArgs),
    /// Make the page of an ablation study from its runs: levels beside a control, charts, curves
    Study(StudyArgs),
    /// Keep the scores of runs in a small file, to compare later runs with
    #[command(subcommand)]
    Baseline(BaselineCommand),
    /// Put runs side by side in one table, and test their differences item by item
    Compare(CompareArgs),
    /// What papers printed, with numbers that do not add up marked, and runs beside it
    Table(TableArgs),
    /// Write files for other programs: the outputs of several runs, results as lm-evaluation-harness has them
    #[command(subcommand)]
    Export(ExportCommand),
    /// Hold runs against a baseline under a policy; the exit code is the verdict
    Gate(GateArgs),
    /// Show how a suite's numbers went over many runs: trend, change points, what had changed there
    History(HistoryArgs),
    /// Fetch assets: OCR models, prompt files, libraries
    Fetch(FetchArgs),
    /// Check definitions, assets, disk and device, and print the plan; runs nothing
    Check(CheckArgs),
    /// List suites, models, studies, policies, trainings, observers, rules, assets or runs
    List(ListArgs),
    /// Join the shards of a run, then grade and report it
    Merge(MergeArgs),
    /// Compare the in-repo networks with reference tensors of the Python implementations
    Parity(ParityArgs),
    /// Train a network on the miniature world
    Train(TrainArgs),
    /// Turn pictures into the codes of a model's tokenizer, and back
    #[command(subcommand)]
    Tokens(TokensCommand),
    /// Time a network with random weights
    #[command(subcommand)]
    Bench(Bench),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page (roff), or write one page per command into a folder
    Man {
        /// Write unigauge.1, unigauge-run.1, … here
        #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
        out: Option<PathBuf>,
    },
}
