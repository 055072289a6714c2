//! The arguments of `unigauge export`.

use clap::{Args, Subcommand, ValueEnum, ValueHint};
use std::path::PathBuf;

/// The files that `unigauge export` writes for other programs.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum ExportCommand {
    /// Write the outputs of several runs into one long table: one row for each output, with suite,
    /// model and run
    #[command(after_help = "\
Examples:
  unigauge export items results/geneval/*/seed0 -o geneval.parquet
  unigauge export items results/*/*/seed0 -o all.csv")]
    Items(ItemsExportArgs),
    /// Write one results file for each run, in the format of lm-evaluation-harness
    #[command(after_help = "\
Examples:
  unigauge export lm-eval results/geneval/*/seed0 -o lm-eval     # lm-eval/MODEL/results_SUITE_RUN_TIME.json")]
    LmEval(LmEvalArgs),
    /// Write `.eval_results/*.yaml` for the repositories of models on the Hugging Face Hub
    #[command(after_help = "\
Examples:
  unigauge export hub results/geneval/*/seed0 --dataset lab/geneval -o hub   # hub/MODEL/.eval_results/geneval_seed0.yaml
  unigauge export hub RUN --dataset lab/geneval --task-id default --source-url https://example.org/report -o hub

The hub shows the score where the data set is registered as a benchmark. Commit the files to the model's
repository, or open a pull request there.")]
    Hub(HubExportArgs),
    /// Write the numbers and the outputs of runs in the schema of Every Eval Ever
    #[command(after_help = "\
Examples:
  unigauge export eee results/geneval/my-model/seed0 --model-id lab/my-model --organization \"My lab\" -o eee

The files are eee/data/SUITE/DEVELOPER/MODEL/UUID.json, with intervals and standard errors, and
UUID_samples.jsonl with a line for each output that has a score.")]
    Eee(EeeExportArgs),
    /// Write one JSON line of flat numbers for each run, as wandb, mlflow and other trackers log them
    #[command(after_help = "\
Examples:
  unigauge export metrics results/geneval/run-42/* -o metrics.jsonl

Each line has `name`, `step`, `timestamp`, `config` and `metrics`. In Python, for each line:
wandb.log(line[\"metrics\"], step=line[\"step\"]), or mlflow.log_metrics(line[\"metrics\"], step=line[\"step\"]).")]
    Metrics(MetricsExportArgs),
}

/// The arguments of `unigauge export items`.
#[derive(Debug, Clone, Args)]
pub(crate) struct ItemsExportArgs {
    /// Graded run folders
    #[arg(required = true, value_name = "RUN")]
    pub runs: Vec<PathBuf>,
    /// The file: .parquet or .csv
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub out: PathBuf,
}

/// The arguments of `unigauge export lm-eval`.
#[derive(Debug, Clone, Args)]
pub(crate) struct LmEvalArgs {
    /// Graded run folders
    #[arg(required = true, value_name = "RUN")]
    pub runs: Vec<PathBuf>,
    /// The folder to write into
    #[arg(long, short, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub out: PathBuf,
}

/// The arguments of `unigauge export hub`.
#[derive(Debug, Clone, Args)]
pub(crate) struct HubExportArgs {
    /// Graded run folders of one suite
    #[arg(required = true, value_name = "RUN")]
    pub runs: Vec<PathBuf>,
    /// The data set of the benchmark on the hub
    #[arg(long, value_name = "OWNER/NAME", value_parser = repository)]
    pub dataset: String,
    /// The id of the task in the eval.yaml of the data set [default: the name of the suite]
    #[arg(long, value_name = "ID")]
    pub task_id: Option<String>,
    /// The revision of the data set
    #[arg(long, value_name = "COMMIT")]
    pub revision: Option<String>,
    /// A page about the result, such as the published report
    #[arg(long, value_name = "URL")]
    pub source_url: Option<String>,
    /// The name of that page
    #[arg(long, value_name = "NAME", requires = "source_url")]
    pub source_name: Option<String>,
    /// The user or organisation of the hub that measured
    #[arg(long, value_name = "USER", requires = "source_url")]
    pub user: Option<String>,
    /// The folder to write into
    #[arg(long, short, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub out: PathBuf,
}

/// The arguments of `unigauge export eee`.
#[derive(Debug, Clone, Args)]
pub(crate) struct EeeExportArgs {
    /// Graded run folders of one model
    #[arg(required = true, value_name = "RUN")]
    pub runs: Vec<PathBuf>,
    /// The model, as the hub names it
    #[arg(long, value_name = "DEVELOPER/NAME", value_parser = repository)]
    pub model_id: String,
    /// The organisation that publishes the numbers
    #[arg(long, value_name = "NAME")]
    pub organization: String,
    /// How this organisation relates to the developer of the model
    #[arg(long, value_enum, default_value_t = Relationship::ThirdParty)]
    pub relationship: Relationship,
    /// The folder to write into
    #[arg(long, short, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub out: PathBuf,
}

/// The arguments of `unigauge export metrics`.
#[derive(Debug, Clone, Args)]
pub(crate) struct MetricsExportArgs {
    /// Graded run folders
    #[arg(required = true, value_name = "RUN")]
    pub runs: Vec<PathBuf>,
    /// The file
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub out: PathBuf,
}

/// How an organisation relates to the developer of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Relationship {
    /// It is the developer
    FirstParty,
    /// It is somebody else
    ThirdParty,
    /// Both measured together
    Collaborative,
    /// Something else
    Other,
}

impl Relationship {
    /// The word in the schema.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::FirstParty => "first_party",
            Self::ThirdParty => "third_party",
            Self::Collaborative => "collaborative",
            Self::Other => "other",
        }
    }
}

fn repository(text: &str) -> Result<String, String> {
    let mut parts = text.split('/');
    let is_pair = parts.clone().count() >= 2 && parts.all(|part| !part.trim().is_empty());
    if is_pair {
        Ok(text.to_owned())
    } else {
        Err("expected an owner and a name, such as lab/my-model".to_owned())
    }
}
