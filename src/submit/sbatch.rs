//! Sending scripts to Slurm.

use super::SubmitError;
use super::slurm::Script;
use crate::files::{write_json, write_whole};
use serde::Serialize;
use std::io::{ErrorKind, Read as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long a program of Slurm may take. Without a controller, sbatch tries for long.
const LIMIT: Duration = Duration::from_secs(60);
/// The size of arrays where Slurm does not tell it: its own default.
const USUAL_ARRAY: usize = 1001;

/// What was sent: `submitted.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sent {
    /// The ids of the jobs, in the order of the scripts.
    pub jobs: Vec<String>,
    /// The number of shards.
    pub shards: usize,
    /// The arguments of the program that sent them.
    pub command: Vec<String>,
    /// When.
    pub at: jiff::Timestamp,
}

/// Sends scripts, of which each may wait for earlier ones. They are in the folder already.
///
/// # Errors
/// Fails if Slurm refuses one. The jobs that were sent before are then cancelled.
pub fn send(folder: &Path, scripts: &[Script]) -> Result<Vec<String>, SubmitError> {
    let mut jobs: Vec<String> = Vec::new();
    for script in scripts {
        let after = script.after.iter().filter_map(|(how, place)| {
            let job = jobs.get(*place)?;
            Some(format!("{}:{job}", how.word()))
        });
        let after: Vec<String> = after.collect();
        let mut command = Command::new("sbatch");
        command.arg("--parsable");
        if !after.is_empty() {
            // What can never start is cancelled, so that what waits for it can start.
            command.arg("--kill-on-invalid-dep=yes");
            command.arg(format!("--dependency={}", after.join(",")));
        }
        match answer(command.arg(folder.join(script.file))) {
            // `ID` or `ID;CLUSTER`
            Ok(said) => {
                let id = said.trim().split(';').next().unwrap_or_default();
                jobs.push(id.to_owned());
            }
            Err(reason) => {
                if !jobs.is_empty() {
                    // If this fails, too, the user sees the jobs in the queue.
                    let _ = answer(Command::new("scancel").args(&jobs));
                }
                return Err(SubmitError::Refused {
                    program: "sbatch",
                    reason,
                    scripts: folder.to_owned(),
                });
            }
        }
    }
    Ok(jobs)
}

impl Sent {
    /// Writes it into the folder of the jobs.
    ///
    /// # Errors
    /// Fails if the disk refuses.
    pub fn write(&self, folder: &Path) -> Result<(), SubmitError> {
        Ok(write_json(&folder.join("submitted.json"), self)?)
    }
}

impl Script {
    /// Writes it into the folder of the jobs.
    ///
    /// # Errors
    /// Fails if the disk refuses.
    pub fn write(&self, folder: &Path) -> Result<(), SubmitError> {
        Ok(write_whole(&folder.join(self.file), self.text.as_bytes())?)
    }
}

/// The largest number of tasks that an array may have: Slurm's setting, or its default where it does not
/// tell.
pub fn largest_array() -> usize {
    let said = answer(Command::new("scontrol").args(["show", "config"])).unwrap_or_default();
    let lines = said.lines().filter_map(|line| line.split_once('='));
    let mut sizes = lines.filter(|(name, _)| name.trim() == "MaxArraySize");
    let size = sizes.next().and_then(|(_, size)| size.trim().parse().ok());
    size.unwrap_or(USUAL_ARRAY)
}

/// What a program prints, or why it failed.
fn answer(command: &mut Command) -> Result<String, String> {
    let command = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| match error.kind() {
        ErrorKind::NotFound => "the program is not installed here".to_owned(),
        _ => error.to_string(),
    })?;
    let read = |stream: Option<Box<dyn std::io::Read + Send>>| {
        std::thread::spawn(move || {
            let mut text = String::new();
            if let Some(mut stream) = stream {
                // What was read before a fault is told.
                let _ = stream.read_to_string(&mut text);
            }
            text
        })
    };
    let output = read(child.stdout.take().map(|stream| Box::new(stream) as _));
    let errors = read(child.stderr.take().map(|stream| Box::new(stream) as _));
    let begun = Instant::now();
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if begun.elapsed() < LIMIT => std::thread::sleep(Duration::from_millis(10)),
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("no answer within {LIMIT:?}"));
            }
        }
    };
    if status.success() {
        return Ok(output.join().unwrap_or_default());
    }
    let errors = errors.join().unwrap_or_default();
    Err(match errors.trim() {
        "" => status.to_string(),
        errors => errors.to_owned(),
    })
}
