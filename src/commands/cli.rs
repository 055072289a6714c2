//! The command line: raw arguments and their help. Nothing here does work.

mod export;
mod history;
mod study;
mod table;
mod train;

pub use export::{ExportCommand, ItemsExportArgs, LmEvalArgs};
pub use history::{HistoryArgs, HistoryFormat};
pub use study::StudyArgs;
pub use table::{TableArgs, TableFormat};
pub use train::TrainArgs;

use crate::run::Shard;
use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
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

/// Which items.
#[derive(Debug, Clone, Default, Args)]
pub struct SelectArgs {
    /// Only the first N items
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// Only these items, by id
    #[arg(long, value_name = "ITEM", num_args = 1..)]
    pub only: Vec<String>,
    /// OCR engines that read the texts instead of the suite's own, such as qwen-ocr; the row says so
    #[arg(long = "observer", value_name = "OBSERVER", num_args = 1..)]
    pub observers: Vec<String>,
    /// Options of the suite's observers and rule, as TOML: observe.OBSERVER.KEY=VALUE or grade.KEY=VALUE; the row says so
    #[arg(long = "set", value_name = "KEY=VALUE", num_args = 1..)]
    pub set: Vec<String>,
}

/// How a run is made.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge run quick
  unigauge run longtext --model typeset typeset-blur --limit 20
  unigauge run longtext --model ./my-model.toml --shard 2/4      # one of four processes
  unigauge run geneval --model flux-1-dev --out /data/results --dry-run
  unigauge run my-suite.toml --items my-prompts.jsonl --model typeset")]
pub struct RunArgs {
    /// A study, or a suite when models are given: a name (see `unigauge list`) or a TOML file
    pub target: String,
    /// Models: names or TOML files
    #[arg(long, short, value_name = "MODEL", num_args = 1..)]
    pub model: Vec<String>,
    /// Read the items from this file instead of the suite's own
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub items: Option<PathBuf>,
    #[command(flatten)]
    pub select: SelectArgs,
    /// Outputs per item, instead of the suite's own number
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub repeats: Option<u32>,
    /// Do part I of N of the items; `unigauge merge` joins the parts
    #[arg(long, value_name = "I/N")]
    pub shard: Option<Shard>,
    /// The run seed, from which the seed of every output derives [default: the study's, or 0]
    #[arg(long)]
    pub seed: Option<u64>,
    /// Results go to DIR/SUITE/MODEL/RUN
    #[arg(long, value_name = "DIR", default_value = "results", value_hint = ValueHint::DirPath)]
    pub out: PathBuf,
    /// Name of the run [default: from seed and selection, such as `seed0` or `seed0-limit20`]
    #[arg(long = "run", value_name = "NAME")]
    pub run_name: Option<String>,
    /// Outputs made and looked at at the same time [default: the cores of the machine]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    /// Device of in-process networks
    #[arg(long, default_value = "auto", value_name = "cpu|cuda[:N]|metal|auto")]
    pub device: super::device::DeviceChoice,
    /// Device memory for the weights of in-process networks, such as 24GB; they take turns where they do not fit
    /// together [default: all stay resident]
    #[arg(long, value_name = "SIZE")]
    pub vram_budget: Option<bytesize::ByteSize>,
    /// Print the plan and run nothing (as `unigauge check`)
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge items geneval --official | sha256sum
  unigauge items longtext-zh --limit 3
  unigauge items quick --only en-sign-01")]
pub struct ItemsArgs {
    /// A suite: name or TOML file
    pub suite: String,
    /// In the benchmark's own format (GenEval: evaluation_metadata.jsonl, byte for byte)
    #[arg(long, conflicts_with_all = ["limit", "only"])]
    pub official: bool,
    /// Read the items from this file instead of the suite's own
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub items: Option<PathBuf>,
    #[command(flatten)]
    pub select: SelectArgs,
}

#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge observe results/longtext/typeset/seed0
  unigauge observe --suite longtext --images ./their-images --name their-model")]
pub struct ObserveArgs {
    /// A run folder
    #[arg(required_unless_present = "images", conflicts_with = "images")]
    pub run: Option<PathBuf>,
    /// The suite whose official layout the images follow
    #[arg(long, requires = "images")]
    pub suite: Option<String>,
    /// A folder of images in the official layout of the suite
    #[arg(long, value_name = "FOLDER", requires = "suite", value_hint = ValueHint::DirPath)]
    pub images: Option<PathBuf>,
    /// Read the items from this file instead of the suite's own
    #[arg(long, value_name = "FILE", requires = "images", value_hint = ValueHint::FilePath)]
    pub items: Option<PathBuf>,
    /// Name of the model that made the images, for tables
    #[arg(long, default_value = "folder")]
    pub name: String,
    #[command(flatten)]
    pub select: SelectArgs,
    /// Results go to DIR/SUITE/NAME/RUN
    #[arg(long, value_name = "DIR", default_value = "results", value_hint = ValueHint::DirPath)]
    pub out: PathBuf,
    /// Outputs looked at at the same time [default: the cores of the machine]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    /// Device of the observers' networks
    #[arg(long, default_value = "auto", value_name = "cpu|cuda[:N]|metal|auto")]
    pub device: super::device::DeviceChoice,
}

#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge grade results/geneval/flux/seed0
  unigauge grade results/geneval/flux/seed0 --set counting_threshold=0.8
  unigauge grade --suite geneval --items items.jsonl --evidence evidence.jsonl --out graded/")]
pub struct GradeArgs {
    /// A run folder
    #[arg(required_unless_present = "items", conflicts_with_all = ["items", "evidence", "outputs", "out"])]
    pub run: Option<PathBuf>,
    /// The suite whose rule grades [default: the run's own]
    #[arg(long)]
    pub suite: Option<String>,
    /// Loose items (items.jsonl)
    #[arg(long, value_name = "FILE", requires_all = ["suite", "out"], value_hint = ValueHint::FilePath)]
    pub items: Option<PathBuf>,
    /// Loose evidence (evidence.jsonl)
    #[arg(long, value_name = "FILE", requires = "items", value_hint = ValueHint::FilePath)]
    pub evidence: Option<PathBuf>,
    /// Loose outputs (outputs.jsonl); what an understanding suite grades
    #[arg(long, value_name = "FILE", requires = "items", value_hint = ValueHint::FilePath)]
    pub outputs: Option<PathBuf>,
    /// Folder for grades.jsonl, grades.parquet and summary.json
    #[arg(long, value_name = "DIR", requires = "items", value_hint = ValueHint::DirPath)]
    pub out: Option<PathBuf>,
    /// Name of the model, for the summary of loose files
    #[arg(long, default_value = "loose")]
    pub name: String,
    /// An option of the rule, such as `threshold=0.4`; noted in the summary
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}

#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge report results/quick/typeset/seed0
  unigauge report results/quick/*/seed0 --out comparison/")]
pub struct ReportArgs {
    /// Run folders; several make one comparison
    #[arg(required = true)]
    pub runs: Vec<PathBuf>,
    /// Folder of the report [default: `report` in the run folder; needed for several runs]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub out: Option<PathBuf>,
    /// Show what papers printed on the suite below the runs
    #[arg(long)]
    pub published: bool,
}

#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge compare results/quick/typeset/seed0 results/quick/typeset-blur/seed0
  unigauge compare results/quick/*/seed0 --out comparison    # a page with the pictures that changed most
  unigauge compare results/*/*/seed0 --format latex > table.tex
  unigauge compare results/quick/*/seed0 --pairs --format markdown   # differences, intervals and p, to paste
  unigauge compare results/geneval/my-model/seed0 --published
  unigauge compare results/gedit-en/by-gpt/seed0 results/gedit-en/by-qwen/seed0 --allow-observers   # how far two judges agree

Every further run of a suite is paired with its first one, item by item: difference, 95 % interval, p, effect size, items
won, tied and lost, Holm's correction over groups. Formats of tables alone (markdown, latex, html, csv) leave that out,
unless `--pairs` asks for that alone.")]
pub struct CompareArgs {
    /// Run folders; the first one of a suite is what the others are compared with
    #[arg(required = true)]
    pub runs: Vec<PathBuf>,
    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Terminal)]
    pub format: Format,
    /// Show what papers printed on the suite below the runs
    #[arg(long)]
    pub published: bool,
    /// Print the paired results alone, in any format
    #[arg(long)]
    pub pairs: bool,
    #[command(flatten)]
    pub pair: PairArgs,
    #[command(flatten)]
    pub allow: AllowArgs,
    /// Write a page with the pictures of the items that changed most
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub out: Option<PathBuf>,
}

/// How pairs are compared.
#[derive(Debug, Clone, Args)]
pub struct PairArgs {
    /// Chance of seeing a difference, for the smallest one that is seen and the items needed
    #[arg(long, default_value_t = 0.8, value_parser = share)]
    pub power: f64,
    /// Chance of a false alarm, for the same
    #[arg(long, default_value_t = 0.05, value_parser = share)]
    pub level: f64,
    /// How intervals of differences are computed
    #[arg(long, value_enum, default_value_t = Interval::Bca)]
    pub interval: Interval,
    /// Resamples of the bootstrap, and exchanges of the permutation test
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = resamples)]
    pub resamples: usize,
}

pub(super) fn share(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| "expected a number".to_owned())?;
    match value > 0.0 && value < 1.0 {
        true => Ok(value),
        false => Err("expected a number between 0 and 1".to_owned()),
    }
}

fn resamples(text: &str) -> Result<usize, String> {
    let value: usize = text
        .parse()
        .map_err(|_| "expected a whole number".to_owned())?;
    match (100..=1_000_000).contains(&value) {
        true => Ok(value),
        false => Err("expected 100 to 1000000".to_owned()),
    }
}

/// Kinds of bootstrap intervals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Interval {
    /// Bias-corrected and accelerated
    Bca,
    Percentile,
}

/// What may differ beside the model; the result is then marked.
#[derive(Debug, Clone, Default, Args)]
pub struct AllowArgs {
    /// Compare different versions of a suite
    #[arg(long)]
    pub allow_version: bool,
    /// Compare items that were asked in other words, and suites that share their items
    #[arg(long)]
    pub allow_prompts: bool,
    /// Compare runs that other observers or judges looked at
    #[arg(long)]
    pub allow_observers: bool,
    /// Compare runs that were graded by other rules or options
    #[arg(long)]
    pub allow_grading: bool,
    /// Compare runs with missing, failed or unscored outputs, or of other items
    #[arg(long)]
    pub allow_partial: bool,
}

#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge gate results/quick/my-model/seed0 --baseline baseline.json
  unigauge gate results/*/my-model/seed0 --baseline baseline.json --policy my-policy.toml --out gate
  unigauge gate results/quick/new/seed0 --baseline results/quick/old/seed0 --fail-on breach

A rule is breached when the number fell by more than is allowed and a test gives evidence of a drop.
Exit codes: 0 pass · 3 breach · 5 inconclusive: a drop without evidence, or too little to tell")]
pub struct GateArgs {
    /// Run folders to judge
    #[arg(required = true)]
    pub runs: Vec<PathBuf>,
    /// A baseline file (see `unigauge baseline`) or a run folder; several of either
    #[arg(long, short, required = true, value_name = "FILE|RUN", num_args = 1.., value_hint = ValueHint::AnyPath)]
    pub baseline: Vec<PathBuf>,
    /// The policy: a name or a TOML file
    #[arg(long, short, default_value = "default")]
    pub policy: String,
    /// Which verdicts fail
    #[arg(long, value_enum, default_value_t = FailOn::Inconclusive)]
    pub fail_on: FailOn,
    /// Report, and never fail
    #[arg(long)]
    pub informational: bool,
    #[command(flatten)]
    pub allow: AllowArgs,
    /// Write index.html, verdict.json, junit.xml and summary.md here
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub out: Option<PathBuf>,
    /// Write the JUnit XML here
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub junit: Option<PathBuf>,
}

/// Verdicts that end in a failing exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// Only a breach
    Breach,
    /// A breach, and a verdict that is inconclusive
    Inconclusive,
    /// None
    Never,
}

/// What `unigauge baseline` does.
#[derive(Debug, Clone, Subcommand)]
pub enum BaselineCommand {
    /// Keep the scores of runs in a file, one run a suite and model
    Save(BaselineSaveArgs),
    /// Compare runs with those of a baseline file, as `unigauge compare` does
    Compare(BaselineCompareArgs),
    /// Put runs in the place of the baseline's, and note why
    Accept(BaselineAcceptArgs),
}

#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge baseline save results/quick/my-model/seed0 --to baseline.json
  unigauge baseline save results/*/my-model/seed0 --to baseline.json")]
pub struct BaselineSaveArgs {
    /// Run folders
    #[arg(required = true)]
    pub runs: Vec<PathBuf>,
    /// The baseline file; runs of other suites and models in it are kept
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub to: PathBuf,
    /// Replace a run of the same suite and model
    #[arg(long)]
    pub replace: bool,
    /// Keep runs with missing, failed or unscored outputs, too
    #[arg(long)]
    pub allow_partial: bool,
}

#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge baseline compare baseline.json results/quick/my-model/seed1")]
pub struct BaselineCompareArgs {
    /// The baseline file
    #[arg(value_hint = ValueHint::FilePath)]
    pub baseline: PathBuf,
    /// Run folders
    #[arg(required = true)]
    pub runs: Vec<PathBuf>,
    #[command(flatten)]
    pub pair: PairArgs,
    #[command(flatten)]
    pub allow: AllowArgs,
    /// Write a page with the items that changed most
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub out: Option<PathBuf>,
}

#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge baseline accept baseline.json results/quick/my-model/seed0 --reason \"smaller model, agreed in #41\"")]
pub struct BaselineAcceptArgs {
    /// The baseline file
    #[arg(value_hint = ValueHint::FilePath)]
    pub baseline: PathBuf,
    /// Run folders that take the place of the baseline's runs
    #[arg(required = true)]
    pub runs: Vec<PathBuf>,
    /// Why the new scores are right; it stays in the file
    #[arg(long)]
    pub reason: String,
    /// Accept runs with missing, failed or unscored outputs, too
    #[arg(long)]
    pub allow_partial: bool,
}

/// Text formats of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Terminal,
    Markdown,
    Latex,
    Html,
    Csv,
    Json,
}

#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge fetch                       # what there is, and what is in the cache
  unigauge fetch ppocr-v4              # the OCR models and the ONNX Runtime library
  unigauge fetch longtext --dry-run
  unigauge fetch flux-1-dev            # a model's checkpoint, into the folder that its settings name")]
pub struct FetchArgs {
    /// Assets, groups of assets, or models with a published checkpoint; none lists the assets
    pub assets: Vec<String>,
    /// Say what would be fetched, with sizes and licences
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge check                                 # all definitions, the cache, the device
  unigauge check quick                           # the plan of a study
  unigauge check longtext --model typeset --limit 20
  unigauge check geneval --model uniworld-v1 --vram-budget 24GB   # which networks take turns
  unigauge check uniworld-v1                     # its files, sizes, licences, memory
  unigauge check uniworld-v1 --keys              # every tensor that its networks ask for")]
pub struct CheckArgs {
    /// A study, a model, or a suite when models are given; none checks everything that is defined
    pub target: Option<String>,
    /// Models: names or TOML files
    #[arg(long, short, value_name = "MODEL", num_args = 1..)]
    pub model: Vec<String>,
    /// Read the items from this file instead of the suite's own
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub items: Option<PathBuf>,
    #[command(flatten)]
    pub select: SelectArgs,
    /// Outputs per item, instead of the suite's own number
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub repeats: Option<u32>,
    /// The run seed [default: the study's, or 0]
    #[arg(long)]
    pub seed: Option<u64>,
    /// Name of the run
    #[arg(long = "run", value_name = "NAME")]
    pub run_name: Option<String>,
    /// Where results would go
    #[arg(long, value_name = "DIR", default_value = "results", value_hint = ValueHint::DirPath)]
    pub out: PathBuf,
    /// Device of in-process networks
    #[arg(long, default_value = "auto", value_name = "cpu|cuda[:N]|metal|auto")]
    pub device: super::device::DeviceChoice,
    /// Device memory for the weights of in-process networks, such as 24GB
    #[arg(long, value_name = "SIZE")]
    pub vram_budget: Option<bytesize::ByteSize>,
    /// List every tensor that the model's networks ask for (name, shape, dtype); the target is a model. Needs its
    /// configuration only: the released one stands in where the checkpoint is not here
    #[arg(long, conflicts_with = "model")]
    pub keys: bool,
    /// The layout that `--keys` lists a FLUX transformer in
    #[arg(long, value_enum, default_value_t = Layout::Diffusers, requires = "keys")]
    pub layout: Layout,
}

/// Layouts that FLUX transformers are published in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Layout {
    Diffusers,
    /// Black Forest Labs' own.
    Bfl,
}

#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge parity tests/golden/parity              # every case in the folder
  unigauge parity cases/flux_vae --device cuda

Exit codes: 0 all within tolerance · 3 some tensor is not · 2 a case or its checkpoint cannot be read")]
pub struct ParityArgs {
    /// Cases, or folders of cases
    #[arg(required = true, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub dirs: Vec<PathBuf>,
    /// Device of the networks
    #[arg(long, default_value = "cpu", value_name = "cpu|cuda[:N]|metal|auto")]
    pub device: super::device::DeviceChoice,
}

/// What `unigauge tokens` does.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum TokensCommand {
    /// Pictures to codes: a line of JSON each, `{"image", "height", "width", "ids"}`
    Encode(TokensEncodeArgs),
    /// Codes to pictures, through the diffusion decoder
    Decode(TokensDecodeArgs),
}

/// Whose tokenizer, and where it runs.
#[derive(Debug, Clone, Args)]
pub struct TokensArgs {
    /// A model of the generator xomni: a name or a TOML file
    #[arg(long, short, value_name = "MODEL")]
    pub model: String,
    /// Device of the networks
    #[arg(long, default_value = "auto", value_name = "cpu|cuda[:N]|metal|auto")]
    pub device: super::device::DeviceChoice,
    /// Device memory for the weights of the networks, such as 24GB
    #[arg(long, value_name = "SIZE")]
    pub vram_budget: Option<bytesize::ByteSize>,
}

#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge tokens encode photo.jpg --model x-omni-en > photo.json
  unigauge tokens encode pictures/*.png --model x-omni-zh --out codes")]
pub struct TokensEncodeArgs {
    /// Pictures
    #[arg(required = true, value_name = "IMAGE", value_hint = ValueHint::FilePath)]
    pub images: Vec<PathBuf>,
    #[command(flatten)]
    pub tokens: TokensArgs,
    /// Resize pictures of any size and shape, instead of refusing those that the tokenizer was not trained on
    #[arg(long)]
    pub any_size: bool,
    /// Write DIR/NAME.json instead of printing
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub out: Option<PathBuf>,
}

#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge tokens decode photo.json --model x-omni-zh --out again
  unigauge tokens decode codes/*.json --model x-omni-en --prompt \"a red kite\" --seed 7 --out again")]
pub struct TokensDecodeArgs {
    /// Files of JSON objects with `height`, `width` and `ids`
    #[arg(required = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub files: Vec<PathBuf>,
    #[command(flatten)]
    pub tokens: TokensArgs,
    /// What a decoder that reads text is told of the picture
    #[arg(long, default_value = "", hide_default_value = true)]
    pub prompt: String,
    /// Seed of the noise that decoding starts from
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Pictures go to DIR/NAME.png
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub out: PathBuf,
}

/// What `unigauge bench` times.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum Bench {
    /// Seconds by phase, tokens by second and peak memory of a network with random weights
    Model(BenchModelArgs),
}

#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge bench model flux                                  # a small block stack, one step of 512 × 512
  unigauge bench model flux --released --size 1024x1024 --text-tokens 512 --device cuda
  unigauge bench model qwen2.5-vl --new-tokens 64 --json
  unigauge bench model flux-vae --config my-vae/config.json --out vae.json

benches/model.py times the Python implementations on the same configuration and sizes, and prints the ratios.")]
pub struct BenchModelArgs {
    /// clip, flux, flux-vae, mask2former, qwen2.5-vl, siglip, xomni-ar or xomni-decoder
    pub network: String,
    /// The network's `config.json` [default: a size that takes seconds on a CPU]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
    /// The configuration of the released checkpoint
    #[arg(long, conflicts_with = "config")]
    pub released: bool,
    /// The picture in pixels (siglip takes its configuration's) [default: 512x512; 504x504 for qwen2.5-vl]
    #[arg(long, value_name = "WxH")]
    pub size: Option<PixelSize>,
    /// Tokens of words: T5's and the prompt's for flux and xomni, the question's for qwen2.5-vl
    #[arg(long, value_name = "N", default_value_t = 256)]
    pub text_tokens: usize,
    /// Tokens that qwen2.5-vl answers with, or xomni-ar draws
    #[arg(long, value_name = "N", default_value_t = 16)]
    pub new_tokens: usize,
    /// Repetitions that count
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub repeats: usize,
    /// Repetitions before them
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub warmup: usize,
    /// Device of the network
    #[arg(long, default_value = "auto", value_name = "cpu|cuda[:N]|metal|auto")]
    pub device: super::device::DeviceChoice,
    /// Number format [default: bf16 on a GPU, f32 on the CPU]
    #[arg(long, value_enum)]
    pub precision: Option<BenchPrecision>,
    /// Also write the result to a file, as JSON
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub out: Option<PathBuf>,
}

/// Number formats of `unigauge bench`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum BenchPrecision {
    F32,
    Bf16,
}

/// Width and height in pixels, as `512x512`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PixelSize(pub [usize; 2]);

impl std::str::FromStr for PixelSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let sides = text.split_once('x');
        let side = |text: &str| {
            text.parse()
                .ok()
                .filter(|&side| side > 0 && side <= 1 << 16)
        };
        sides
            .and_then(|(width, height)| Some(Self([side(width)?, side(height)?])))
            .ok_or_else(|| format!("`{text}` is no size: write for example 1024x768"))
    }
}

#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge list
  unigauge list suites
  unigauge list runs --out results")]
pub struct ListArgs {
    /// What to list
    #[arg(value_enum)]
    pub what: Option<Listable>,
    /// Folder of the results
    #[arg(long, value_name = "DIR", default_value = "results", value_hint = ValueHint::DirPath)]
    pub out: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Listable {
    Suites,
    Models,
    Studies,
    Policies,
    Published,
    Trainings,
    Generators,
    Observers,
    Rules,
    Assets,
    Runs,
}

#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge run longtext --model typeset --shard 1/2 &
  unigauge run longtext --model typeset --shard 2/2
  unigauge merge results/longtext/typeset/seed0")]
pub struct MergeArgs {
    /// The run folder that the shards wrote into
    pub run: PathBuf,
}
