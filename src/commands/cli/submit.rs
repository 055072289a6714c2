//! The arguments of `unigauge submit`.

use super::RunArgs;
use clap::{Args, Subcommand, ValueEnum, ValueHint};
use std::path::PathBuf;

/// The schedulers that shards are sent to.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Submit {
    /// Send an array of shards to Slurm, and a job that joins them and grades
    Slurm(SubmitSlurmArgs),
    /// Print the manifest of an indexed job for Kubernetes
    K8s(SubmitK8sArgs),
    /// Make the shards as processes of this machine, divide its GPUs among them, and join them
    Local(SubmitLocalArgs),
}

/// What all schedulers need to know.
#[derive(Debug, Clone, Args)]
pub(crate) struct SubmitArgs {
    #[command(flatten)]
    pub run: RunArgs,
    /// Number of shards that work at the same time
    #[arg(long, value_name = "P", value_parser = clap::value_parser!(u32).range(1..))]
    pub parallel: Option<u32>,
    /// Start only the shards that are not complete and that nobody makes
    #[arg(long)]
    pub again: bool,
    /// Folder whose files replace the built-in templates of the same name: slurm-shards.sh, slurm-merge.sh,
    /// k8s-job.yaml
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub templates: Option<PathBuf>,
}

/// What each task gets.
#[derive(Debug, Clone, Args)]
pub(crate) struct TaskArgs {
    /// GPUs of a shard
    #[arg(long, value_name = "N")]
    pub gpus: Option<u32>,
    /// Cores of a shard
    #[arg(long, value_name = "N")]
    pub cpus: Option<u32>,
    /// Memory of a shard, as the scheduler writes it, such as 64G or 64Gi
    #[arg(long, value_name = "SIZE")]
    pub memory: Option<String>,
}

/// The arguments of `unigauge submit slurm`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge submit slurm geneval --model flux-1-dev --shards 16 --parallel 8 --gpus 1 --time 04:00:00
  unigauge submit slurm longtext --model typeset --shards 4 --dry-run
  unigauge submit slurm longtext --model typeset --shards 4 --again

The scripts lie in RUN/jobs, and can be edited and sent by hand. What follows `--` goes into the scripts of the
shards as `#SBATCH` lines: `-- --partition=gpu --account=lab`.")]
pub(crate) struct SubmitSlurmArgs {
    #[command(flatten)]
    pub work: SubmitArgs,
    #[command(flatten)]
    pub task: TaskArgs,
    /// Time limit of a shard, as Slurm writes it
    #[arg(long, value_name = "TIME")]
    pub time: Option<String>,
    /// Seconds before the time limit at which a shard is warned
    #[arg(long, value_name = "SECONDS", default_value = "180")]
    pub warning: u32,
    /// Whether observing is an array of its own, which needs no GPU of the generators
    #[arg(long, value_name = "STAGES", default_value = "together")]
    pub stages: Stages,
    /// Option of the jobs that observe, with `--stages apart`, such as --partition=cpu
    #[arg(
        long = "observe-option",
        value_name = "OPTION",
        allow_hyphen_values = true
    )]
    pub observe_options: Vec<String>,
    /// Option of the job that joins the shards and grades
    #[arg(
        long = "grade-option",
        value_name = "OPTION",
        allow_hyphen_values = true
    )]
    pub grade_options: Vec<String>,
    /// Options of sbatch
    #[arg(last = true, value_name = "OPTION")]
    pub options: Vec<String>,
}

/// How the stages are divided into jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Stages {
    /// One job generates and observes
    Together,
    /// One array generates, and one observes
    Apart,
}

/// The arguments of `unigauge submit k8s`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge submit k8s longtext --model typeset --shards 4 --image registry/unigauge:0.1.0 --out /results

The manifest is printed and not sent. `--out` is the folder in the pods where the volume is.")]
pub(crate) struct SubmitK8sArgs {
    #[command(flatten)]
    pub work: SubmitArgs,
    #[command(flatten)]
    pub task: TaskArgs,
    /// Container image with this program
    #[arg(long)]
    pub image: String,
    /// Name of the claim of a volume that all pods can write to; with `--sync` there is none
    #[arg(long, value_name = "NAME", default_value = "unigauge-results")]
    pub claim: String,
    /// Name of a secret whose entries become environment variables of the pods, such as the credentials of an
    /// object store
    #[arg(long, value_name = "NAME")]
    pub secret: Option<String>,
}

/// The arguments of `unigauge submit local`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Examples:
  unigauge submit local longtext --model typeset --shards 2
  unigauge submit local geneval --model flux-1-dev --shards 8 --gpus 8 --dry-run

A shard that dies is started again, up to four times. The logs are in RUN/jobs/logs.")]
pub(crate) struct SubmitLocalArgs {
    #[command(flatten)]
    pub work: SubmitArgs,
    /// Number of GPUs that are divided among the processes [default: those that are here]
    #[arg(long, value_name = "N")]
    pub gpus: Option<usize>,
}
