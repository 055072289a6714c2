//! The arguments of `unigauge grade`.

use clap::{Args, ValueHint};
use std::path::PathBuf;

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
    /// Loose evidence (evidence.jsonl), or the results of GenEval's own script
    #[arg(long, value_name = "FILE", requires = "items", value_hint = ValueHint::FilePath)]
    pub evidence: Option<PathBuf>,
    /// Loose outputs (outputs.jsonl); what an understanding suite grades: {"item": …, "text": …} is enough
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
