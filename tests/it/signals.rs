//! The signals of schedulers: which outputs they cost, and how the run ends.
#![cfg(unix)]

use crate::support::{lines, stderr, text_suite, unigauge_process};
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use std::path::Path;
use std::process::{Child, Output, Stdio};
use std::time::{Duration, Instant};

/// Answers with the id after some time; tells its process in `pid` and what it is at in `asked`.
const PROGRAM: &str = r#"echo $$ > pid
while IFS= read -r line; do
id=$(printf '%s' "$line" | sed 's/.*"id":"\([^"]*\)".*/\1/')
echo "$id" >> asked
sleep SECONDS
printf '{"id":"%s","text":"%s"}\n' "$id" "$id"
done
"#;

struct Job {
    dir: tempfile::TempDir,
}

impl Job {
    /// A suite of five questions, and a program that takes so long for each.
    fn new(seconds: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        text_suite(dir.path(), 5);
        std::fs::write(
            dir.path().join("program.sh"),
            PROGRAM.replace("SECONDS", seconds),
        )
        .unwrap();
        let cwd = dir.path().display();
        std::fs::write(
            dir.path().join("slow.toml"),
            format!(
                "name = \"slow\"\ntitle = \"slow\"\ngenerator = \"command\"\n\n[settings]\n\
                 program = [\"sh\", \"program.sh\"]\ncwd = \"{cwd}\"\n"
            ),
        )
        .unwrap();
        Self { dir }
    }

    fn start(&self) -> Child {
        self.start_with(&[])
    }

    fn start_with(&self, options: &[&str]) -> Child {
        unigauge_process(self.dir.path())
            .args(["run", "./questions.toml", "--model", "./slow.toml"])
            .args(["-j", "1"])
            .args(options)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Waits until the program works on its `count`-th request.
    fn wait_for(&self, count: usize) {
        let begun = Instant::now();
        let asked = || std::fs::read_to_string(self.dir.path().join("asked")).unwrap_or_default();
        while asked().lines().count() < count {
            assert!(begun.elapsed() < Duration::from_secs(60));
            std::thread::sleep(Duration::from_millis(10));
        }
        // Into the middle of it.
        std::thread::sleep(Duration::from_millis(100));
    }

    fn program(&self) -> Pid {
        let text = std::fs::read_to_string(self.dir.path().join("pid")).unwrap();
        Pid::from_raw(text.trim().parse().unwrap())
    }

    fn journal(&self) -> Vec<serde_json::Value> {
        let path = "results/questions/slow/seed0/outputs.jsonl";
        lines(&self.dir.path().join(path))
    }

    fn failed(&self) -> usize {
        let journal = self.journal();
        journal
            .iter()
            .filter(|line| line.get("error").is_some())
            .count()
    }
}

fn id(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id()).unwrap())
}

fn assert_interrupted(output: &Output) {
    let said = stderr(output);
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(
        said.contains("run the same command again to continue"),
        "{said}"
    );
}

/// Slurm signals every process of a job, those in groups of their own, too; which one dies first is chance.
#[test]
fn a_program_that_dies_of_the_jobs_own_signal_is_no_failed_output() {
    for (signal, pause) in [
        (Signal::SIGTERM, 0),
        (Signal::SIGTERM, 150),
        (Signal::SIGUSR2, 150),
    ] {
        let job = Job::new("2");
        let child = job.start();
        job.wait_for(1);
        killpg(job.program(), signal).unwrap();
        std::thread::sleep(Duration::from_millis(pause));
        kill(id(&child), signal).unwrap();
        assert_interrupted(&child.wait_with_output().unwrap());
        assert_eq!(job.journal(), Vec::<serde_json::Value>::new());
    }
}

/// The program's own crash still is one.
#[test]
fn a_program_that_dies_by_itself_is_a_failed_output() {
    let job = Job::new("0.3");
    let child = job.start();
    job.wait_for(1);
    killpg(job.program(), Signal::SIGTERM).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
    assert_eq!((job.failed(), job.journal().len()), (1, 5));
}

#[test]
fn warnings_of_schedulers_let_the_output_in_hand_be_finished() {
    for signal in [
        Signal::SIGUSR1,
        Signal::SIGUSR2,
        Signal::SIGXCPU,
        Signal::SIGTERM,
        Signal::SIGHUP,
        Signal::SIGINT,
    ] {
        let job = Job::new("0.6");
        let child = job.start();
        job.wait_for(2);
        kill(id(&child), signal).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_interrupted(&output);
        let said = stderr(&output);
        assert!(said.contains("finishing the current outputs"), "{said}");
        let made: Vec<String> = (job.journal().iter())
            .map(|line| line["text"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(made, ["q0#0", "q1#0"], "{signal}");
        let again = job.start().wait_with_output().unwrap();
        assert!(matches!(again.status.code(), Some(0)), "{}", stderr(&again));
        assert_eq!((job.failed(), job.journal().len()), (0, 5));
    }
}

#[test]
fn further_signals_do_not_cut_the_output_in_hand() {
    for first in [Signal::SIGTERM, Signal::SIGUSR1] {
        let job = Job::new("1");
        let child = job.start();
        job.wait_for(1);
        for signal in [first, Signal::SIGTERM, Signal::SIGCONT, Signal::SIGTERM] {
            kill(id(&child), signal).unwrap();
            std::thread::sleep(Duration::from_millis(60));
        }
        assert_interrupted(&child.wait_with_output().unwrap());
        assert_eq!(job.journal().len(), 1);
    }
}

#[test]
fn the_time_of_grace_is_a_setting() {
    let job = Job::new("50");
    let child = job.start_with(&["--grace", "0.5"]);
    job.wait_for(1);
    let begun = Instant::now();
    kill(id(&child), Signal::SIGTERM).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_interrupted(&output);
    assert!(
        stderr(&output).contains("within 500ms"),
        "{}",
        stderr(&output)
    );
    // The usual time is 20 seconds.
    assert!(begun.elapsed() < Duration::from_secs(15));
    assert_eq!(job.journal(), Vec::<serde_json::Value>::new());
}

/// A shard that a signal ended says so, and `status` tells it from one that was killed.
#[test]
fn a_shard_that_a_signal_ended_is_not_a_dead_one() {
    for (signal, state) in [(Signal::SIGUSR2, "stopped"), (Signal::SIGKILL, "dead")] {
        let job = Job::new("0.5");
        let child = job.start_with(&["--shard", "1/2"]);
        job.wait_for(1);
        kill(id(&child), signal).unwrap();
        child.wait_with_output().unwrap();
        let status = unigauge_process(job.dir.path())
            .args(["status", "--json"])
            .output()
            .unwrap();
        assert_eq!(status.status.code(), Some(5), "{}", stderr(&status));
        let runs: serde_json::Value = serde_json::from_slice(&status.stdout).unwrap();
        assert_eq!(runs[0]["shards"][0]["state"], state);
        assert_eq!(runs[0]["again"], "0-1");
    }
}

#[test]
fn the_second_ctrl_c_ends_the_run_and_its_program_at_once() {
    let job = Job::new("50");
    let child = job.start();
    job.wait_for(1);
    let begun = Instant::now();
    for _ in 0..2 {
        kill(id(&child), Signal::SIGINT).unwrap();
        std::thread::sleep(Duration::from_millis(200));
    }
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert_eq!(job.journal(), Vec::<serde_json::Value>::new());
    let gone = || !Path::new("/proc").join(job.program().to_string()).exists();
    if cfg!(target_os = "linux") {
        // Whoever adopts it may take a moment to bury it.
        while !gone() && begun.elapsed() < Duration::from_secs(20) {
            let state = format!("/proc/{}/stat", job.program());
            let state = std::fs::read_to_string(state).unwrap_or_default();
            if state.contains(") Z ") {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        assert!(gone());
    }
}
