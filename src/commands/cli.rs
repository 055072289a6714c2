//! The arguments of the command line and their help. Nothing here does work.

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
mod serve;
mod shard;
mod status;
mod study;
mod submit;
mod sync;
mod table;
mod tokens;
mod train;
mod watch;

pub(super) use baseline::{
    BaselineAcceptArgs, BaselineCommand, BaselineCompareArgs, BaselineSaveArgs,
};
pub(super) use bench::{Bench, BenchModelArgs, BenchPrecision};
pub(super) use check::{CheckArgs, Layout};
pub(super) use compare::{AllowArgs, CompareArgs, Interval, PairArgs};
pub(super) use export::{
    EeeExportArgs, ExportCommand, HubExportArgs, ItemsExportArgs, LmEvalArgs, MetricsExportArgs,
};
pub(super) use fetch::FetchArgs;
pub(super) use gate::{FailOn, GateArgs};
pub(super) use grade::GradeArgs;
pub(super) use history::HistoryArgs;
pub(super) use items::ItemsArgs;
pub(super) use list::{ListArgs, Listable};
pub(super) use merge::MergeArgs;
pub(super) use observe::ObserveArgs;
pub(super) use parity::ParityArgs;
pub(super) use report::ReportArgs;
pub(super) use run::{RunArgs, SelectArgs};
pub(super) use serve::{Serve, ServeRewardsArgs};
pub(super) use shard::{ShardArg, ShardArgs, WaitArgs};
pub(super) use status::StatusArgs;
pub(super) use study::StudyArgs;
pub(super) use submit::{
    Stages, Submit, SubmitArgs, SubmitK8sArgs, SubmitLocalArgs, SubmitSlurmArgs,
};
pub(super) use sync::{PullArgs, PushArgs, SyncArgs};
pub(super) use table::TableArgs;
pub(super) use tokens::{TokensArgs, TokensCommand, TokensDecodeArgs, TokensEncodeArgs};
pub(super) use train::TrainArgs;
pub(super) use watch::WatchArgs;

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
  unigauge run quick                               a small study that is built in
  unigauge run longtext --model typeset --limit 8  one suite, one model, eight items
  unigauge check longtext --model typeset          the plan, without running it
  unigauge gate RUN --baseline baseline.json       is this run as good as the baseline?
  unigauge list                                    suites, models, studies, observers, runs

Exit codes: 0 success · 1 unexpected error · 2 usage error · 3 failed check · 4 nothing selected ·
5 incomplete results · 6 environment · 7 busy (another process writes) ·
130 interrupted (the same command continues)")]
pub(super) struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// The options of every command.
#[derive(Debug, Clone, Args)]
pub(super) struct Global {
    /// Do not use the network; a file that is not in the cache is an error
    #[arg(long, global = true, env = "UNIGAUGE_OFFLINE", value_parser = clap::builder::FalseyValueParser::new())]
    pub offline: bool,
    /// Print results as JSON on stdout
    #[arg(long, global = true)]
    pub json: bool,
    /// Do not print progress
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Folder of the asset cache
    #[arg(long, global = true, env = "UNIGAUGE_CACHE", value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub cache: Option<PathBuf>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run a study, or a suite with models: generate, observe, grade and report
    Run(RunArgs),
    /// Print the items of a suite as JSON lines
    Items(ItemsArgs),
    /// Generate the outputs of a run, without observing and grading them
    Generate(RunArgs),
    /// Observe the outputs in a run folder, or images that another program made
    Observe(ObserveArgs),
    /// Grade a run folder again, or separate files of items, evidence and outputs
    Grade(GradeArgs),
    /// Write the report of run folders again: tables, charts and a page
    Report(ReportArgs),
    /// Make the page of an ablation study from its runs: levels and control, charts and curves
    Study(StudyArgs),
    /// Save the scores of runs in a small file, and compare later runs with them
    #[command(subcommand)]
    Baseline(BaselineCommand),
    /// Show runs side by side in one table, and test their differences item by item
    Compare(CompareArgs),
    /// Show published numbers next to your runs, and mark published numbers that are inconsistent
    Table(TableArgs),
    /// Write files for other programs: the outputs of several runs, or results for lm-evaluation-harness,
    /// the Hugging Face Hub, Every Eval Ever, or experiment trackers
    #[command(subcommand)]
    Export(ExportCommand),
    /// Judge runs against a baseline by the rules of a policy; the exit code is the verdict
    Gate(GateArgs),
    /// Show the numbers of a suite over many runs: trends, change points and their likely causes
    History(HistoryArgs),
    /// Score the samples of each checkpoint of a training as they appear
    Watch(WatchArgs),
    /// Fetch assets: OCR models, prompt files, libraries
    Fetch(FetchArgs),
    /// Check definitions, assets, disk and device, and print the plan, without running it
    Check(CheckArgs),
    /// List suites, models, studies, policies, rewards, trainings, observers, rules, assets or runs
    List(ListArgs),
    /// Join the shards of runs, then grade and report them
    Merge(MergeArgs),
    /// Send the shards of a run to Slurm, Kubernetes, or the processes of this machine
    #[command(subcommand)]
    Submit(Box<Submit>),
    /// Show how far runs and their shards are, from their folders alone
    Status(StatusArgs),
    /// Copy runs from an object store
    Pull(PullArgs),
    /// Copy runs to an object store
    Push(PushArgs),
    /// Compare the networks of unigauge with reference tensors of the Python implementations
    Parity(ParityArgs),
    /// Train a network on the miniature world
    Train(TrainArgs),
    /// Serve what this program knows to other programs
    #[command(subcommand)]
    Serve(Serve),
    /// Turn pictures into the codes of a model's tokenizer, and back
    #[command(subcommand)]
    Tokens(TokensCommand),
    /// Time a network with random weights
    #[command(subcommand)]
    Bench(Bench),
    /// Print a completion script for a shell
    Completions {
        /// The name of the shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page (roff), or write one page per command into a folder
    Man {
        /// Write unigauge.1, unigauge-run.1 and so on into this folder
        #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
        out: Option<PathBuf>,
    },
}
