//! What a scheduler says about the jobs that were sent for a run.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// How long a program of the scheduler may take.
const LIMIT: Duration = Duration::from_secs(10);

/// What Slurm says of the jobs that were sent for a run, one line for each kind of state. `None` if none were
/// sent from here, or Slurm does not answer.
pub fn scheduler_words(run: &Path) -> Option<String> {
    let ids = sent_jobs(run)?;
    let jobs = ids.join(",");
    let said = ask("squeue", &["-h", "-r", "-j", &jobs, "-o", "%t|%r"])?;
    let mut states: Vec<(String, usize)> = Vec::new();
    for line in said.lines() {
        let (state, reason) = line.split_once('|').unwrap_or((line, ""));
        let words = match (state, reason) {
            (state, "None" | "") => state.to_owned(),
            (state, reason) => format!("{state} ({reason})"),
        };
        match states.iter_mut().find(|(known, _)| *known == words) {
            Some((_, count)) => *count += 1,
            None => states.push((words, 1)),
        }
    }
    if states.is_empty() {
        return Some(format!("Slurm has no task of the jobs {jobs} any more"));
    }
    let states = states
        .iter()
        .map(|(state, count)| format!("{count} {state}"));
    let states: Vec<String> = states.collect();
    Some(format!("Slurm, jobs {jobs}: {}", states.join(", ")))
}

/// The ids of the jobs that were sent last for a run: `jobs` in `jobs/submitted.json` of its folder.
fn sent_jobs(run: &Path) -> Option<Vec<String>> {
    let text = std::fs::read(run.join("jobs").join("submitted.json")).ok()?;
    let sent: serde_json::Value = serde_json::from_slice(&text).ok()?;
    let ids = sent["jobs"].as_array()?.iter();
    let ids: Vec<String> = ids
        .filter_map(|id| id.as_str().map(str::to_owned))
        .collect();
    (!ids.is_empty()).then_some(ids)
}

/// What a program prints. `None` if it is not there, fails, or takes too long.
fn ask(program: &str, arguments: &[&str]) -> Option<String> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let mut output = child.stdout.take()?;
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        let read = std::io::Read::read_to_string(&mut output, &mut text);
        read.ok().map(|_| text)
    });
    let begun = Instant::now();
    loop {
        match child.try_wait().ok()? {
            Some(status) if status.success() => return reader.join().ok()?,
            Some(_) => return None,
            None if begun.elapsed() > LIMIT => {
                let _ = child.kill();
                let _ = child.wait();
                return None;
            }
            None => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}
