//! A run on the real Slurm: an array with a preemption, a lost node, a requeue and a kill, and the job that
//! joins it.
#![cfg(target_os = "linux")]

use crate::support::{is_installed, miniature, skip, stderr, text_suite, unigauge, wait_for};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

/// Answers with the id after some time.
const PROGRAM: &str = r#"while IFS= read -r line; do
id=$(printf '%s' "$line" | sed 's/.*"id":"\([^"]*\)".*/\1/')
sleep 0.4
printf '{"id":"%s","text":"%s"}\n' "$id" "$id"
done
"#;

/// A cluster of three virtual nodes, which ends with the test.
struct Cluster {
    dir: PathBuf,
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = Command::new(script("down.sh")).arg(&self.dir).status();
    }
}

fn script(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/slurm");
    folder.join(name)
}

impl Cluster {
    /// `None` where Slurm is not installed.
    fn start(dir: PathBuf) -> Option<Self> {
        if !["slurmctld", "slurmd", "sbatch", "munged"]
            .into_iter()
            .all(is_installed)
        {
            return None;
        }
        let base = 20_000 + std::process::id() % 20_000;
        let up = Command::new(script("up.sh"))
            .arg(&dir)
            .env("BASE", base.to_string())
            .output();
        let up = up.unwrap();
        let cluster = Self { dir };
        assert!(up.status.success(), "{}", stderr(&up));
        Some(cluster)
    }

    /// Runs a line of a shell on the cluster.
    fn sh(&self, line: &str) -> String {
        let output = Command::new("sh")
            .args(["-c", line])
            .env("SLURM_CONF", self.dir.join("slurm.conf"))
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// The task of a job that runs on a node.
    fn task_on(&self, job: &str, node: &str) -> Option<String> {
        let tasks = self.sh(&format!("squeue -h -j {job} -t R -o '%i %N'"));
        let mut tasks = tasks.lines().filter_map(|line| line.split_once(' '));
        tasks
            .find(|(_, place)| *place == node)
            .map(|(task, _)| task.to_owned())
    }

    /// Lets tasks that were queued again begin before Slurm's two minutes are over, but not in the first
    /// seconds.
    fn hurry(&self, job: &str) {
        self.sh(&format!(
            "squeue -h -j {job} -t PD -r -o '%i %r %V' | while read -r j r v; do \
             if [ \"$r\" = BeginTime ] && [ $(($(date +%s) - $(date -d \"$v\" +%s))) -ge 3 ]; then \
             scontrol update JobId=\"$j\" StartTime=now; fi; done"
        ));
    }
}

/// Sends shards, and gives the numbers of the jobs.
fn submit(dir: &Path, cluster: &Cluster, target: &[&str], options: &[&str]) -> Vec<String> {
    let output: Output = unigauge(dir)
        .env("SLURM_CONF", cluster.dir.join("slurm.conf"))
        .args(["submit", "slurm"])
        .args(target)
        .args(options)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let said = String::from_utf8(output.stdout).unwrap();
    let ids = said.lines().filter_map(|line| line.split(' ').next());
    ids.map(str::to_owned).collect()
}

/// Waits until jobs have left the queue.
fn wait_for_end(cluster: &Cluster, jobs: &[&String]) {
    wait_for("all jobs end", 180, || {
        let mut left = 0;
        for job in jobs {
            cluster.hurry(job);
            left += cluster.sh(&format!("squeue -h -j {job}")).len();
        }
        left == 0
    });
}

/// Checks that a run equals one that nobody divided.
fn assert_whole(dir: &Path, target: &[&str], run: &str) {
    let whole = ["run", "--out", "whole"];
    unigauge(dir).args(whole).args(target).assert().code(0);
    for name in ["grades.jsonl", "summary.json"] {
        let read = |out: &str| std::fs::read_to_string(dir.join(out).join(run).join(name)).unwrap();
        assert_eq!(read("whole"), read("results"), "{name} of {run}");
    }
}

fn code_of_status(dir: &Path, run: &str) -> Option<i32> {
    let run = format!("results/{run}");
    let status = unigauge(dir).args(["status", &run]).output().unwrap();
    status.status.code()
}

/// The number of lines of a journal, which may be written just now.
fn journal(dir: &Path, run: &str, name: &str) -> usize {
    let path = dir.join("results").join(run).join(name);
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.matches('\n').count()
}

fn log(dir: &Path, run: &str, shard: usize) -> String {
    let logs = dir.join("results").join(run).join("jobs/logs");
    std::fs::read_to_string(logs.join(format!("shards-{shard}.log"))).unwrap()
}

/// Puts a job of higher rank into the queue, and waits until it takes the place of a task.
fn preempt(cluster: &Cluster, array: &str) {
    cluster.sh("sbatch -p urgent -n1 -c2 --output=/dev/null --wrap 'sleep 1'");
    wait_for("a task is preempted", 20, || {
        let reasons = cluster.sh(&format!("squeue -h -j {array} -t PD -r -o %r"));
        reasons.contains("BeginTime")
    });
}

#[test]
fn arrays_that_lose_tasks_in_every_way_merge_to_the_whole_run() {
    let state = tempfile::tempdir().unwrap();
    let Some(cluster) = Cluster::start(state.path().join("c")) else {
        return skip("Slurm is not installed");
    };
    let dir = tempfile::tempdir().unwrap();
    text_suite(dir.path(), 72);
    std::fs::write(dir.path().join("program.sh"), PROGRAM).unwrap();
    let cwd = dir.path().display();
    let slow = format!(
        "name = \"slow\"\ntitle = \"slow\"\ngenerator = \"command\"\n\n[settings]\nprogram = [\"sh\", \
         \"program.sh\"]\ncwd = \"{cwd}\"\n"
    );
    std::fs::write(dir.path().join("slow.toml"), slow).unwrap();
    a_preemption_a_lost_node_and_a_requeue(dir.path(), &cluster);
    a_kill_and_a_time_limit(dir.path(), &cluster);
}

/// A `command` model in six shards.
fn a_preemption_a_lost_node_and_a_requeue(dir: &Path, cluster: &Cluster) {
    let target = ["./questions.toml", "--model", "./slow.toml", "-j", "1"];
    let run = "questions/slow/seed0";
    let six = ["--shards", "6", "--", "--cpus-per-task=2"];
    let jobs = submit(dir, cluster, &target, &six);
    let array = &jobs[0];
    wait_for("three tasks run", 30, || {
        ["n1", "n2", "n3"]
            .iter()
            .all(|node| cluster.task_on(array, node).is_some())
    });
    std::thread::sleep(Duration::from_millis(1500));
    preempt(cluster, array);
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(code_of_status(dir, run), Some(5));
    let lost = Command::new(script("lose-node.sh"))
        .arg(&cluster.dir)
        .arg("n3")
        .output()
        .unwrap();
    assert!(lost.status.success(), "{}", stderr(&lost));
    cluster.sh("slurmd -N n3");
    if let Some(task) = cluster.task_on(array, "n2") {
        cluster.sh(&format!("scontrol requeue {task}"));
    }
    wait_for_end(cluster, &jobs.iter().collect::<Vec<_>>());
    let logs = (0..6).map(|shard| log(dir, run, shard));
    let logs = logs.inspect(|log| assert!(!log.contains("generate failed"), "{log}"));
    let continued = logs.filter(|log| log.contains("continuing after"));
    assert!(continued.count() >= 2, "tasks go on after they start again");
    assert_eq!(journal(dir, run, "outputs.jsonl"), 72);
    assert_whole(dir, &target, run);
    assert_eq!(code_of_status(dir, run), Some(0));
    // One shard loses its journal, and only that one is sent again.
    for name in ["outputs.2-of-6.jsonl", "outputs.jsonl", "beat.2-of-6.json"] {
        std::fs::remove_file(dir.join("results").join(run).join(name)).unwrap();
    }
    let again = ["--again", "--", "--cpus-per-task=2"];
    let jobs = submit(dir, cluster, &target, &again);
    wait_for_end(cluster, &jobs.iter().collect::<Vec<_>>());
    let script = dir.join("results").join(run).join("jobs/shards.sbatch");
    let sent = std::fs::read_to_string(script).unwrap();
    assert!(sent.contains("#SBATCH --array=1\n"), "{sent}");
    assert_eq!(journal(dir, run, "outputs.jsonl"), 72);
}

/// A miniature model in six shards, and beside it one shard that needs more time than it has.
fn a_kill_and_a_time_limit(dir: &Path, cluster: &Cluster) {
    let long = [
        "./questions.toml",
        "--model",
        "./slow.toml",
        "-j",
        "1",
        "--run",
        "long",
    ];
    let limit = ["--shards", "1", "--time", "1", "--warning", "50"];
    let long_jobs = submit(dir, cluster, &long, &limit);
    let model = miniature(dir, "mini-uniworld", 48);
    let target = [
        "mini-geneval",
        "--model",
        &model,
        "--limit",
        "120",
        "-j",
        "1",
    ];
    let run = "mini-geneval/mini-uniworld/seed0-limit120";
    let six = ["--shards", "6", "--", "--cpus-per-task=2"];
    let jobs = submit(dir, cluster, &target, &six);
    let mut killed = None;
    wait_for("a shard works and is killed", 60, || {
        let mut at_work = (1..=6).filter_map(|shard| Some((shard, at_work(dir, run, shard)?)));
        killed = at_work.find(|(_, process)| kill(*process, Signal::SIGKILL).is_ok());
        killed.is_some()
    });
    preempt(cluster, &format!("{},{}", jobs[0], long_jobs[0]));
    let mut all: Vec<&String> = jobs.iter().collect();
    all.extend(&long_jobs);
    wait_for_end(cluster, &all);
    let (killed, _) = killed.unwrap();
    let merged = journal(dir, run, "outputs.jsonl");
    assert!(
        (100..120).contains(&merged),
        "shard {killed} of 20 outputs is missing: {merged}"
    );
    assert_eq!(code_of_status(dir, run), Some(5));
    let again = submit(
        dir,
        cluster,
        &target,
        &["--again", "--", "--cpus-per-task=2"],
    );
    wait_for_end(cluster, &again.iter().collect::<Vec<_>>());
    assert_whole(dir, &target, run);
    // The shard whose time was too short was warned, and went on by itself in a new job.
    let said = log(dir, "questions/slow/long", 0);
    assert!(said.contains("continuing after"), "{said}");
    assert_whole(dir, &long, "questions/slow/long");
}

/// The process that makes a shard of six. `None` if none does, or the shard is complete.
fn at_work(dir: &Path, run: &str, shard: usize) -> Option<Pid> {
    let name = format!("beat.{shard}-of-6.json");
    let beat = std::fs::read_to_string(dir.join("results").join(run).join(name)).ok()?;
    let beat: serde_json::Value = serde_json::from_str(&beat).ok()?;
    let is_left = journal(dir, run, &format!("outputs.{shard}-of-6.jsonl")) < 20;
    let process = i32::try_from(beat["process"].as_i64()?).ok()?;
    (is_left && beat["state"] == "running").then_some(Pid::from_raw(process))
}
