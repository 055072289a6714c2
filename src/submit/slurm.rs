//! Scripts for Slurm.

use super::work::ShardedWork;
use super::{SubmitError, Templates};
use crate::run::array_expression;
use minijinja::context;
use std::path::Path;

/// What Slurm gives each task.
#[derive(Debug, Clone)]
pub struct SlurmOptions {
    /// GPUs of a task.
    pub gpus: Option<u32>,
    /// Cores of a task.
    pub cpus: Option<u32>,
    /// Memory of a task, as Slurm writes it.
    pub memory: Option<String>,
    /// The time limit of a task, as Slurm writes it.
    pub time: Option<String>,
    /// Seconds between the warning and the time limit.
    pub warning: u32,
    /// Further options of the shards' jobs, such as `--partition=gpu`.
    pub options: Vec<String>,
    /// Whether observing is an array of its own.
    pub apart: bool,
    /// Options of the jobs that observe, where they are apart.
    pub observe_options: Vec<String>,
    /// Options of the job that joins the shards and grades.
    pub grade_options: Vec<String>,
    /// The largest number of tasks that an array may have.
    pub largest_array: usize,
}

/// A script for `sbatch`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// The name of its file.
    pub file: &'static str,
    /// What it says.
    pub text: String,
    /// Which scripts it waits for, by their places in the list, and how.
    pub after: Vec<(Dependency, usize)>,
}

/// How a job waits for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dependency {
    /// Until it has ended, however.
    Any,
    /// Task by task, each until its partner has ended well.
    Corresponding,
}

impl Dependency {
    /// The word of `sbatch --dependency`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Any => "afterany",
            Self::Corresponding => "aftercorr",
        }
    }
}

/// The scripts of a work, in the order in which they are sent. Their logs go to a folder `logs`.
///
/// # Errors
/// Fails if a template cannot be filled in.
pub fn scripts(
    work: &ShardedWork,
    slurm: &SlurmOptions,
    templates: &Templates,
    logs: &Path,
) -> Result<Vec<Script>, SubmitError> {
    let making = Array {
        work,
        slurm,
        templates,
        logs,
    };
    let mut scripts = Vec::new();
    if slurm.apart {
        scripts.push(Script {
            file: "generate.sbatch",
            text: making.text("generate", &work.shard_command("generate"), true)?,
            after: Vec::new(),
        });
        scripts.push(Script {
            file: "observe.sbatch",
            text: making.text("observe", &work.observe_command(), false)?,
            after: vec![(Dependency::Corresponding, 0)],
        });
    } else {
        scripts.push(Script {
            file: "shards.sbatch",
            text: making.text("shards", &work.shard_command("run"), false)?,
            after: Vec::new(),
        });
    }
    let after = (0..scripts.len()).map(|place| (Dependency::Any, place));
    let values = context! {
        title => work.name,
        job_name => job_name(work),
        options => slurm.grade_options,
        log => in_option(&logs.join("merge-%j.log")),
        directory => super::quote::quoted(&work.directory.display().to_string()),
        command => work.merge_command(),
    };
    scripts.push(Script {
        file: "merge.sbatch",
        text: templates.fill("slurm-merge.sh", values)?,
        after: after.collect(),
    });
    Ok(scripts)
}

struct Array<'a> {
    work: &'a ShardedWork,
    slurm: &'a SlurmOptions,
    templates: &'a Templates,
    logs: &'a Path,
}

impl Array<'_> {
    /// The script of a stage. With `tolerant`, outputs that failed do not hold back what comes after.
    fn text(&self, stage: &str, command: &str, tolerant: bool) -> Result<String, SubmitError> {
        let Self {
            work,
            slurm,
            templates,
            logs,
        } = self;
        let pack = work.shards.div_ceil(slurm.largest_array.max(1));
        let mut jobs: Vec<usize> = work.tasks.iter().map(|task| task / pack).collect();
        jobs.dedup();
        let mut array = array_expression(&jobs);
        if let Some(parallel) = work.parallel {
            array += &format!("%{}", parallel.div_ceil(pack));
        }
        let observing = stage == "observe";
        let options = if observing {
            &slurm.observe_options
        } else {
            &slurm.options
        };
        // Their options say what observers need.
        let own = |value: Option<u32>| value.filter(|_| !observing);
        let values = context! {
            title => work.name,
            job_name => format!("{}-{stage}", job_name(work)),
            shards => work.shards,
            array => array,
            pack => pack,
            cpus => own(slurm.cpus),
            gpus => own(slurm.gpus),
            memory => slurm.memory.as_ref().filter(|_| !observing),
            time => slurm.time,
            options => options,
            log => in_option(&logs.join(format!("{stage}-%a.log"))),
            warning => slurm.warning,
            directory => super::quote::quoted(&work.directory.display().to_string()),
            command => command,
            tolerant => tolerant,
        };
        templates.fill("slurm-shards.sh", values)
    }
}

/// The name of the jobs: letters that every tool prints.
fn job_name(work: &ShardedWork) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() || "-_.".contains(c) {
            c
        } else {
            '-'
        }
    };
    format!(
        "unigauge-{}",
        work.name.chars().map(plain).collect::<String>()
    )
}

/// A path in an option of a script.
fn in_option(path: &Path) -> String {
    let path = path.display().to_string();
    if path.contains(char::is_whitespace) {
        format!("\"{path}\"")
    } else {
        path
    }
}
