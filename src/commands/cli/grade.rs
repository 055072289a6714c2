//! The arguments of `unigauge grade`.

use clap::{Args, ValueHint};
use std::path::PathBuf;

/// The arguments of `unigauge grade`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge grade results/geneval/flux/seed0
  unigauge grade results/geneval/flux/seed0 --set counting_threshold=0.8
  unigauge grade results/geneval/flux/seed0 --rule reward --set reward=geneval
  unigauge grade --suite geneval --items items.jsonl --evidence evidence.jsonl --out graded/")]
pub(crate) struct GradeArgs {
    /// The run folder to grade again
    #[arg(required_unless_present = "items", conflicts_with_all = ["items", "evidence", "outputs", "out"])]
    pub run: Option<PathBuf>,
    /// The suite whose rule is used [default: the suite of the run]
    #[arg(long)]
    pub suite: Option<String>,
    /// The rule that grades, of `unigauge list rules`; it takes no options of the suite [default: the rule of
    /// the suite]
    #[arg(long, value_name = "RULE")]
    pub rule: Option<String>,
    /// A file of items (items.jsonl) outside a run folder
    #[arg(long, value_name = "FILE", requires_all = ["suite", "out"], value_hint = ValueHint::FilePath)]
    pub items: Option<PathBuf>,
    /// A file of evidence (evidence.jsonl), or the results of GenEval's own script
    #[arg(long, value_name = "FILE", requires = "items", value_hint = ValueHint::FilePath)]
    pub evidence: Option<PathBuf>,
    /// A file of outputs (outputs.jsonl); an understanding suite needs it, with lines such as
    /// {"item": …, "text": …}
    #[arg(long, value_name = "FILE", requires = "items", value_hint = ValueHint::FilePath)]
    pub outputs: Option<PathBuf>,
    /// Folder for grades.jsonl, grades.parquet and summary.json
    #[arg(long, value_name = "DIR", requires = "items", value_hint = ValueHint::DirPath)]
    pub out: Option<PathBuf>,
    /// Name of the model in the summary, with `--items`
    #[arg(long, default_value = "loose")]
    pub name: String,
    /// An option of the rule, such as `threshold=0.4` or `reward=mini`; the summary records it
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}
