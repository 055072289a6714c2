//! What the jobs shall do.

use super::quote::line;
use std::path::PathBuf;

/// A run or several that shards make, as command lines.
#[derive(Debug, Clone)]
pub struct ShardedWork {
    /// A short name for jobs and headings.
    pub name: String,
    /// This program.
    pub program: PathBuf,
    /// The folder in which the commands run.
    pub directory: PathBuf,
    /// What is made: a target with its models and options, without `run` and without a shard.
    pub target: Vec<String>,
    /// Options for what observes outputs, such as its device.
    pub observing: Vec<String>,
    /// The run folders that the shards write into.
    pub runs: Vec<PathBuf>,
    /// The places of the runs in an object store. Empty if they are not copied to one.
    pub places: Vec<String>,
    /// The folder of all results, which runs of an object store are copied to.
    pub out: PathBuf,
    /// The number of shards.
    pub shards: usize,
    /// The shards that are started, counted from 0 and sorted.
    pub tasks: Vec<usize>,
    /// How many shards work at the same time. `None` leaves it to the scheduler.
    pub parallel: Option<usize>,
}

impl ShardedWork {
    /// The arguments that make one shard, whose number the environment tells. `stage` is `run` or `generate`.
    pub fn shard_arguments(&self, stage: &str) -> Vec<String> {
        let mut all = vec![stage.to_owned()];
        all.extend(self.target.iter().cloned());
        all.extend(self.auto());
        all
    }

    /// The options of a command that makes one shard, whose number the environment tells.
    fn auto(&self) -> [String; 4] {
        let shards = self.shards.to_string();
        ["--shard".into(), "auto".into(), "--shards".into(), shards]
    }

    /// The arguments that join the shards.
    pub fn merge_arguments(&self) -> Vec<String> {
        let mut all = vec!["merge".to_owned(), "--wait-lock".into(), "600".into()];
        if self.places.is_empty() {
            all.extend(self.runs.iter().map(|run| run.display().to_string()));
        } else {
            all.extend(self.places.iter().cloned());
            all.extend(["--out".into(), self.out.display().to_string()]);
        }
        all
    }

    /// The command that makes one shard, for a shell.
    pub(super) fn shard_command(&self, stage: &str) -> String {
        self.command(&self.shard_arguments(stage))
    }

    /// The commands that observe the outputs of one shard, for a shell: one for each run.
    pub(super) fn observe_command(&self) -> String {
        let each = self.runs.iter().map(|run| {
            let mut arguments = vec!["observe".to_owned(), run.display().to_string()];
            arguments.extend(self.observing.iter().cloned());
            arguments.extend(self.auto());
            self.command(&arguments)
        });
        let commands: Vec<String> = each.collect();
        match &commands[..] {
            [one] => one.clone(),
            // The last failure is the exit code of all. The program itself hears of the end from Slurm.
            many => {
                let script = many.join(" || code=$?; ");
                line([
                    "bash",
                    "-c",
                    &format!("trap : USR2 TERM; code=0; {script} || code=$?; exit $code"),
                ])
            }
        }
    }

    /// The command that joins the shards, for a shell.
    pub(super) fn merge_command(&self) -> String {
        self.command(&self.merge_arguments())
    }

    fn command(&self, arguments: &[String]) -> String {
        let program = self.program.display().to_string();
        line(
            [program.as_str()]
                .into_iter()
                .chain(arguments.iter().map(String::as_str)),
        )
    }
}
