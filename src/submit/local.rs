//! The shards as processes of this machine, some at a time, with the GPUs divided among them.

use super::SubmitError;
use super::quote::quoted;
use super::work::ShardedWork;
use crate::files::FileError;
use std::collections::VecDeque;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How often a shard that dies is started.
const TRIES: u32 = 4;
/// How often a process is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// Shards on this machine.
#[derive(Debug, Clone)]
pub struct LocalShards<'a> {
    /// What they make.
    pub work: &'a ShardedWork,
    /// The number of GPUs. Each process sees one; with 0, nothing is said about GPUs.
    pub gpus: usize,
    /// The folder of their logs.
    pub logs: PathBuf,
}

/// How a shard ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// The shard, counted from 0.
    pub shard: usize,
    /// Its exit code. `None` if a signal killed it.
    pub code: Option<i32>,
}

impl LocalShards<'_> {
    /// How many shards work at the same time.
    pub fn parallel(&self) -> usize {
        let usual = if self.gpus > 0 {
            self.gpus
        } else {
            self.work.tasks.len()
        };
        self.work
            .parallel
            .unwrap_or(usual)
            .clamp(1, self.work.tasks.len().max(1))
    }

    /// The commands as a shell takes them, one for each shard.
    pub fn commands(&self) -> Vec<String> {
        let command = self.work.shard_command("run");
        let each = self.work.tasks.iter().enumerate().map(|(place, shard)| {
            let gpu = match self.gpu(place % self.parallel()) {
                Some(gpu) => format!("CUDA_VISIBLE_DEVICES={gpu} "),
                None => String::new(),
            };
            let log = quoted(&self.log(*shard).display().to_string());
            format!("{gpu}UNIGAUGE_SHARD_INDEX={shard} {command} >> {log} 2>&1")
        });
        each.collect()
    }

    /// Starts all shards and waits for them. A shard that dies is started again, unless its exit code says
    /// that this changes nothing. When `stopped`, the processes are told to end, and no others are started.
    ///
    /// # Errors
    /// Fails if a process cannot be started.
    pub fn make(
        &self,
        stopped: &(dyn Fn() -> bool + Sync),
        hear: &(dyn Fn(Ended) + Sync),
    ) -> Result<Vec<Ended>, SubmitError> {
        std::fs::create_dir_all(&self.logs)
            .map_err(FileError::of_action("cannot make the folder", &self.logs))?;
        let waiting: Mutex<VecDeque<usize>> = Mutex::new(self.work.tasks.iter().copied().collect());
        let next = || {
            let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.pop_front().filter(|_| !stopped())
        };
        let slot = |slot: usize| -> Result<Vec<Ended>, SubmitError> {
            let mut ended = Vec::new();
            while let Some(shard) = next() {
                let code = self.make_one(shard, slot, stopped)?;
                let one = Ended { shard, code };
                hear(one);
                ended.push(one);
            }
            Ok(ended)
        };
        let slot = &slot;
        std::thread::scope(|scope| {
            let slots = (0..self.parallel()).map(|number| scope.spawn(move || slot(number)));
            let slots: Vec<_> = slots.collect();
            let mut all: Vec<Ended> = Vec::new();
            for slot in slots {
                let failed = |_| SubmitError::NotStarted {
                    shard: 0,
                    reason: "internal error: a thread panicked".into(),
                };
                all.extend(slot.join().map_err(failed)??);
            }
            all.sort_by_key(|ended| ended.shard);
            Ok(all)
        })
    }

    fn make_one(
        &self,
        shard: usize,
        slot: usize,
        stopped: &(dyn Fn() -> bool + Sync),
    ) -> Result<Option<i32>, SubmitError> {
        let mut tries = 1;
        loop {
            let child = self.start(shard, slot)?;
            let code = wait(child, stopped).map_err(|error| SubmitError::NotStarted {
                shard,
                reason: error.to_string(),
            })?;
            if stopped() || tries == TRIES || !is_worth_a_try(code) {
                return Ok(code);
            }
            tries += 1;
        }
    }

    fn start(&self, shard: usize, slot: usize) -> Result<Child, SubmitError> {
        let path = self.log(shard);
        let failed = FileError::of_action("cannot open the log", &path);
        let log = File::options().append(true).create(true).open(&path);
        let log = log.map_err(failed)?;
        let errors = log.try_clone().map_err(failed)?;
        let mut command = Command::new(&self.work.program);
        command
            .args(self.work.shard_arguments("run"))
            .current_dir(&self.work.directory)
            .env("UNIGAUGE_SHARD_INDEX", shard.to_string())
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors);
        if let Some(gpu) = self.gpu(slot) {
            command.env("CUDA_VISIBLE_DEVICES", gpu.to_string());
        }
        command.spawn().map_err(|error| SubmitError::NotStarted {
            shard,
            reason: error.to_string(),
        })
    }

    fn gpu(&self, slot: usize) -> Option<usize> {
        slot.checked_rem(self.gpus)
    }

    fn log(&self, shard: usize) -> PathBuf {
        self.logs.join(format!("shards-{shard}.log"))
    }
}

/// Waits for a process. When `stopped`, it is told once that the end is near.
fn wait(mut child: Child, stopped: &dyn Fn() -> bool) -> std::io::Result<Option<i32>> {
    let mut told = false;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status.code());
        }
        if !told && stopped() {
            told = true;
            warn(&mut child);
        }
        std::thread::sleep(LOOK);
    }
}

/// Lets a process finish its current outputs, and start no others.
fn warn(child: &mut Child) {
    #[cfg(unix)]
    if let Ok(id) = i32::try_from(child.id()) {
        use nix::sys::signal::{Signal, kill};
        // It fails only if the process has ended.
        let _ = kill(nix::unistd::Pid::from_raw(id), Signal::SIGUSR2);
    }
    #[cfg(not(unix))]
    let _ = child.kill();
}

/// Whether starting the same command again may end otherwise: it was killed, met a fault, or found the folder
/// busy.
fn is_worth_a_try(code: Option<i32>) -> bool {
    matches!(code, None | Some(1 | 7))
}

/// The number of NVIDIA's devices here.
pub fn gpus_here() -> usize {
    let entries = std::fs::read_dir(Path::new("/dev"))
        .into_iter()
        .flatten()
        .flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let number = |name: String| name.strip_prefix("nvidia")?.parse::<u32>().ok();
    names.filter_map(number).count()
}
