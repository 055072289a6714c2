//! Which shard this process makes: the one that it is given, or the one that its scheduler tells.

use super::SessionError;
use crate::run::{RunFolder, Shard};

/// Which part of a run this process makes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ShardChoice {
    /// All of it.
    #[default]
    Whole,
    /// This shard. The folder is divided anew if it was divided otherwise before.
    Given(Shard),
    /// The shard whose number the environment tells.
    Auto {
        /// The number of shards. `None` takes it from the environment, or else the number that the folder
        /// notes.
        shards: Option<usize>,
        /// The number that the environment gives the first task: 0 or 1.
        base: usize,
    },
}

/// A variable of the environment with the number of a task.
struct Variable {
    name: &'static str,
    /// A variable that has the number of tasks, where each task gets one.
    count: Option<&'static str>,
    /// The number of the first task, where that is not the user's choice.
    base: Option<usize>,
}

const fn variable(
    name: &'static str,
    count: Option<&'static str>,
    base: Option<usize>,
) -> Variable {
    Variable { name, count, base }
}

/// The name of the variable that is ours, before all others.
const OWN: &str = "UNIGAUGE_SHARD_INDEX";
const SLURM_ARRAY: &str = "SLURM_ARRAY_TASK_ID";

/// The variables that are looked at, in this order. `None` as a base is that of the user.
const VARIABLES: [Variable; 13] = [
    variable(OWN, None, Some(0)),
    // Within a step of Slurm.
    variable("SLURM_PROCID", Some("SLURM_NTASKS"), Some(0)),
    variable(SLURM_ARRAY, None, None),
    variable("JOB_COMPLETION_INDEX", None, Some(0)),
    variable("HQ_TASK_ID", None, None),
    variable("SKYPILOT_JOB_RANK", Some("SKYPILOT_NUM_JOBS"), Some(0)),
    variable("SKYPILOT_NODE_RANK", Some("SKYPILOT_NUM_NODES"), Some(0)),
    variable("DSTACK_NODE_RANK", Some("DSTACK_NODES_NUM"), Some(0)),
    variable("BATCH_TASK_INDEX", Some("BATCH_TASK_COUNT"), Some(0)),
    variable(
        "CLOUD_RUN_TASK_INDEX",
        Some("CLOUD_RUN_TASK_COUNT"),
        Some(0),
    ),
    variable("AWS_BATCH_JOB_ARRAY_INDEX", None, Some(0)),
    variable("PBS_ARRAY_INDEX", None, None),
    variable("SGE_TASK_ID", None, None),
];

/// Variables that only a scheduler sets.
const SCHEDULERS: [&str; 5] = [
    "SLURM_JOB_ID",
    "JOB_COMPLETION_INDEX",
    "HQ_TASK_ID",
    "PBS_JOBID",
    "AWS_BATCH_JOB_ID",
];

/// Gives the value of a variable of the environment.
type Look<'a> = &'a dyn Fn(&str) -> Option<String>;

fn environment(name: &str) -> Option<String> {
    let value = std::env::var(name).ok();
    value.filter(|value| !value.is_empty())
}

/// Whether a scheduler started this process.
pub fn is_scheduled() -> bool {
    SCHEDULERS.iter().any(|name| environment(name).is_some())
}

/// The shard of this process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ChosenShard {
    /// `None` makes the whole run.
    pub shard: Option<Shard>,
    /// Where the number comes from, in words: `SLURM_ARRAY_TASK_ID=3`. `None` if it was given.
    pub from: Option<String>,
}

impl ShardChoice {
    /// The shard in a folder, which may note the number of shards.
    ///
    /// # Errors
    /// Fails if the environment does not tell the shard, or tells another number of shards than the folder.
    pub(super) fn resolve(self, folder: &RunFolder) -> Result<ChosenShard, SessionError> {
        self.resolve_by(&environment, folder.noted_division())
    }

    fn resolve_by(self, look: Look<'_>, noted: Option<usize>) -> Result<ChosenShard, SessionError> {
        let (shards, base) = match self {
            Self::Whole => {
                return Ok(ChosenShard {
                    shard: None,
                    from: None,
                });
            }
            Self::Given(shard) => {
                return Ok(ChosenShard {
                    shard: Some(shard),
                    from: None,
                });
            }
            Self::Auto { shards, base } => (shards, base),
        };
        let task = Task::find(look, base)?;
        let count = task.count(shards, noted)?;
        if let Some(noted) = noted.filter(|noted| *noted != count) {
            return Err(wrong(
                format!("this run is divided by {noted}, not by {count}"),
                format!(
                    "give `--shards {noted}`; to divide the run anew, give each shard as `--shard I/{count}`: what is \
                     done is kept"
                ),
            ));
        }
        let Some(shard) = Shard::nth(task.number, count) else {
            return Err(wrong(
                format!("{} is no shard of {count}", task.from),
                format!(
                    "the numbers of the tasks must be 0 to {}; for an array that counts from 1, give `--shard-base 1`",
                    count.saturating_sub(1)
                ),
            ));
        };
        Ok(ChosenShard {
            shard: Some(shard),
            from: Some(task.from),
        })
    }
}

/// The number of this process among those that a scheduler started.
struct Task {
    /// Counted from 0.
    number: usize,
    /// The number of tasks, with its source, where the environment tells it for certain.
    count: Option<(usize, &'static str)>,
    /// `SLURM_ARRAY_TASK_ID=3`
    from: String,
}

impl Task {
    fn find(look: Look<'_>, base: usize) -> Result<Self, SessionError> {
        let step = is_step(look);
        for variable in &VARIABLES {
            let name = variable.name;
            if name == "SLURM_PROCID" && !step {
                continue;
            }
            // Grid Engine sets it to `undefined` outside of an array.
            let Some(value) = look(name).filter(|value| value != "undefined") else {
                continue;
            };
            if name == "SLURM_PROCID" && look(SLURM_ARRAY).is_some() {
                return Err(wrong(
                    format!("both {name} and {SLURM_ARRAY} number this process"),
                    format!(
                        "in an array whose tasks start several processes with srun, set {OWN} for each, counted \
                         from 0, and give `--shards N`"
                    ),
                ));
            }
            let from = format!("{name}={value}");
            let base = variable.base.unwrap_or(base);
            let number = value.parse::<usize>().ok();
            let Some(number) = number.and_then(|number| number.checked_sub(base)) else {
                return Err(wrong(
                    format!("{from} is no number of a task"),
                    format!("it must be {base} or more"),
                ));
            };
            let count = variable.count.and_then(|name| {
                let count = look(name)?.parse().ok()?;
                Some((count, name))
            });
            return Ok(Self {
                number,
                count: count.or_else(|| whole_array(look, name, base)),
                from,
            });
        }
        let names: Vec<&str> = VARIABLES.iter().map(|variable| variable.name).collect();
        Err(wrong(
            "no variable of the environment tells the shard".into(),
            format!(
                "give it as `--shard I/N`, or set one of {}; SLURM_PROCID counts within a step of srun",
                names.join(", ")
            ),
        ))
    }

    /// The number of shards.
    fn count(&self, given: Option<usize>, noted: Option<usize>) -> Result<usize, SessionError> {
        match (given, self.count) {
            // An array may have been sent again for some of its tasks only.
            (Some(given), Some((count, name))) if given != count && name != ARRAY_COUNT => {
                Err(wrong(
                    format!("{name}={count}, but `--shards {given}` is asked for"),
                    format!("start {given} tasks, or give `--shards {count}`"),
                ))
            }
            (Some(given), _) => Ok(given),
            (None, Some((count, _))) => Ok(count),
            (None, None) => noted.ok_or_else(|| {
                wrong(
                    format!(
                        "{} tells the number of a task, but not how many there are",
                        self.from
                    ),
                    "give `--shards N`, or set UNIGAUGE_SHARDS".into(),
                )
            }),
        }
    }
}

const ARRAY_COUNT: &str = "SLURM_ARRAY_TASK_COUNT";

/// Whether srun started this process as one of several.
fn is_step(look: Look<'_>) -> bool {
    let tasks = look("SLURM_NTASKS").and_then(|tasks| tasks.parse::<usize>().ok());
    look("SLURM_STEP_ID").is_some() && tasks.is_some_and(|tasks| tasks > 1)
}

/// The size of a Slurm array that is whole: its numbers begin with the base and leave none out. Other arrays
/// are parts of one, such as `--array=3,7`, and their size says nothing.
fn whole_array(look: Look<'_>, name: &str, base: usize) -> Option<(usize, &'static str)> {
    if name != SLURM_ARRAY {
        return None;
    }
    let number = |name: &str| look(name)?.parse::<usize>().ok();
    let count = number(ARRAY_COUNT)?;
    let whole = number("SLURM_ARRAY_TASK_MIN")? == base
        && number("SLURM_ARRAY_TASK_STEP").is_none_or(|step| step == 1)
        && number("SLURM_ARRAY_TASK_MAX")? + 1 == count + base;
    whole.then_some((count, ARRAY_COUNT))
}

fn wrong(message: String, help: String) -> SessionError {
    SessionError::Shard { message, help }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AUTO: ShardChoice = ShardChoice::Auto {
        shards: None,
        base: 0,
    };

    fn by(shards: usize) -> ShardChoice {
        ShardChoice::Auto {
            shards: Some(shards),
            base: 0,
        }
    }

    /// The shard in such an environment (`A=1 B=2`), or the error's words.
    fn resolve(choice: ShardChoice, variables: &str, noted: Option<usize>) -> String {
        let look = |name: &str| {
            let mut all = variables.split_whitespace();
            let found = all.find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
            found.map(str::to_owned)
        };
        match choice.resolve_by(&look, noted) {
            Ok(chosen) => chosen.shard.unwrap().to_string(),
            Err(SessionError::Shard { message, help }) => format!("{message}; {help}"),
            Err(other) => panic!("{other}"),
        }
    }

    /// An array as Slurm describes it: number, count, smallest, largest, step.
    fn array(id: usize, count: usize, min: usize, max: usize, step: usize) -> String {
        format!(
            "SLURM_ARRAY_TASK_ID={id} SLURM_ARRAY_TASK_COUNT={count} SLURM_ARRAY_TASK_MIN={min} \
             SLURM_ARRAY_TASK_MAX={max} SLURM_ARRAY_TASK_STEP={step} SLURM_PROCID=0 SLURM_NTASKS=1"
        )
    }

    #[test]
    fn a_whole_array_tells_the_number_of_shards_and_a_part_of_one_does_not() {
        assert_eq!(resolve(AUTO, &array(3, 6, 0, 5, 1), None), "4/6");
        // --array=1-3, 0-6:2, 3,7,12-14 and 5.
        for part in [
            array(1, 3, 1, 3, 1),
            array(2, 4, 0, 6, 2),
            array(7, 5, 3, 14, 1),
            array(5, 1, 5, 5, 1),
        ] {
            let said = resolve(AUTO, &part, None);
            assert!(said.contains("not how many there are"), "{said}");
        }
        assert_eq!(resolve(AUTO, &array(7, 5, 3, 14, 1), Some(16)), "8/16");
        assert_eq!(resolve(by(16), &array(0, 3, 0, 2, 1), Some(16)), "1/16");
        let from_one = ShardChoice::Auto {
            shards: None,
            base: 1,
        };
        assert_eq!(resolve(from_one, &array(1, 3, 1, 3, 1), None), "1/3");
    }

    #[test]
    fn another_number_than_the_noted_one_is_an_error() {
        let said = resolve(AUTO, &array(0, 3, 0, 2, 1), Some(16));
        assert!(
            said.contains("this run is divided by 16, not by 3"),
            "{said}"
        );
        assert!(said.contains("`--shards 16`"), "{said}");
        let said = resolve(by(8), "JOB_COMPLETION_INDEX=0", Some(16));
        assert!(said.contains("divided by 16"), "{said}");
        let said = resolve(by(3), "JOB_COMPLETION_INDEX=3", None);
        assert!(
            said.contains("JOB_COMPLETION_INDEX=3 is no shard of 3"),
            "{said}"
        );
        assert!(said.contains("--shard-base 1"), "{said}");
    }

    #[test]
    fn every_engine_has_its_variable() {
        for name in [
            "JOB_COMPLETION_INDEX",
            "HQ_TASK_ID",
            "AWS_BATCH_JOB_ARRAY_INDEX",
            OWN,
        ] {
            assert_eq!(resolve(by(4), &format!("{name}=2"), None), "3/4", "{name}");
        }
        for (name, count) in [
            ("SKYPILOT_NODE_RANK", "SKYPILOT_NUM_NODES"),
            ("SKYPILOT_JOB_RANK", "SKYPILOT_NUM_JOBS"),
            ("DSTACK_NODE_RANK", "DSTACK_NODES_NUM"),
            ("CLOUD_RUN_TASK_INDEX", "CLOUD_RUN_TASK_COUNT"),
        ] {
            let variables = format!("{name}=2 {count}=4");
            assert_eq!(resolve(AUTO, &variables, None), "3/4", "{name}");
            let said = resolve(by(5), &variables, None);
            assert!(said.contains("`--shards 5` is asked for"), "{said}");
        }
        // Ours comes first, as in an array whose tasks each start several processes.
        let packed = format!("{} SLURM_STEP_ID=0 {OWN}=9", array(1, 4, 0, 3, 1));
        assert_eq!(resolve(by(16), &packed, None), "10/16");
    }

    #[test]
    fn a_step_of_slurm_divides_by_its_tasks_and_a_batch_script_does_not() {
        let step = "SLURM_STEP_ID=0 SLURM_PROCID=2 SLURM_NTASKS=6";
        assert_eq!(resolve(AUTO, step, None), "3/6");
        let said = resolve(AUTO, "SLURM_PROCID=0 SLURM_NTASKS=6", None);
        assert!(said.contains("no variable"), "{said}");
        let both = format!("SLURM_STEP_ID=0 SLURM_PROCID=2 SLURM_NTASKS=6 {SLURM_ARRAY}=1");
        let said = resolve(by(6), &both, None);
        assert!(
            said.contains("both SLURM_PROCID and SLURM_ARRAY_TASK_ID"),
            "{said}"
        );
        let said = resolve(by(6), "SGE_TASK_ID=undefined", None);
        assert!(
            said.contains("no variable"),
            "never silently the whole: {said}"
        );
        let said = resolve(by(6), "HQ_TASK_ID=x", None);
        assert!(said.contains("HQ_TASK_ID=x is no number"), "{said}");
    }
}
