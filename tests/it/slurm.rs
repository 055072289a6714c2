//! A run on the real Slurm: an array with a preemption, a lost node, a requeue and a kill, and the job that
//! joins it.
#![cfg(target_os = "linux")]

use crate::support::{lines, skip, stderr, text_suite, unigauge};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

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
        let there = |program: &str| {
            let found = Command::new("sh")
                .args(["-c", &format!("command -v {program}")])
                .output();
            found.is_ok_and(|output| output.status.success())
        };
        if !["slurmctld", "slurmd", "sbatch", "munged"]
            .into_iter()
            .all(there)
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

fn wait_for(what: &str, limit: u64, mut is_true: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_true() {
        assert!(begun.elapsed() < Duration::from_secs(limit), "{what}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn submit(dir: &Path, cluster: &Cluster, options: &[&str]) -> Vec<String> {
    let output: Output = unigauge(dir)
        .env("SLURM_CONF", cluster.dir.join("slurm.conf"))
        .args([
            "submit",
            "slurm",
            "./questions.toml",
            "--model",
            "./slow.toml",
            "-j",
            "1",
        ])
        .args(options)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let said = String::from_utf8(output.stdout).unwrap();
    let ids = said.lines().filter_map(|line| line.split(' ').next());
    ids.map(str::to_owned).collect()
}

#[test]
fn an_array_that_loses_tasks_in_every_way_merges_to_the_whole_run() {
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
    let run = "results/questions/slow/seed0";
    let jobs = submit(
        dir.path(),
        &cluster,
        &["--shards", "6", "--", "--cpus-per-task=2"],
    );
    let (array, merge) = (&jobs[0], &jobs[1]);
    wait_for("three tasks run", 30, || {
        ["n1", "n2", "n3"]
            .iter()
            .all(|node| cluster.task_on(array, node).is_some())
    });
    std::thread::sleep(Duration::from_millis(1500));
    cluster.sh("sbatch -p urgent -n1 -c2 --output=/dev/null --wrap 'sleep 1'");
    wait_for("a task is preempted", 20, || {
        let reasons = cluster.sh(&format!("squeue -h -j {array} -t PD -r -o %r"));
        reasons.contains("BeginTime")
    });
    std::thread::sleep(Duration::from_secs(2));
    let status = unigauge(dir.path()).args(["status", run]).output().unwrap();
    assert_eq!(status.status.code(), Some(5), "{}", stderr(&status));
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
    wait_for("all jobs end", 180, || {
        cluster.hurry(array);
        cluster
            .sh(&format!("squeue -h -j {array},{merge}"))
            .is_empty()
    });
    let logs = dir.path().join(run).join("jobs/logs");
    let mut continued = 0;
    for shard in 0..6 {
        let log = std::fs::read_to_string(logs.join(format!("shards-{shard}.log"))).unwrap();
        assert!(!log.contains("generate failed"), "{log}");
        continued += usize::from(log.contains("continuing after"));
    }
    assert!(
        continued >= 2,
        "tasks went on after they were started again"
    );
    assert_eq!(lines(&dir.path().join(run).join("outputs.jsonl")).len(), 72);
    unigauge(dir.path())
        .args([
            "run",
            "./questions.toml",
            "--model",
            "./slow.toml",
            "--out",
            "whole",
        ])
        .assert()
        .code(0);
    for name in ["grades.jsonl", "summary.json"] {
        let read = |run: &str| std::fs::read_to_string(dir.path().join(run).join(name)).unwrap();
        assert_eq!(read("whole/questions/slow/seed0"), read(run), "{name}");
    }
    let status = unigauge(dir.path()).args(["status", run]).output().unwrap();
    assert_eq!(status.status.code(), Some(0), "{}", stderr(&status));
    // One shard loses its journal, and only that one is sent again.
    for name in ["outputs.2-of-6.jsonl", "outputs.jsonl", "beat.2-of-6.json"] {
        std::fs::remove_file(dir.path().join(run).join(name)).unwrap();
    }
    let jobs = submit(
        dir.path(),
        &cluster,
        &["--again", "--", "--cpus-per-task=2"],
    );
    wait_for("the second sending ends", 120, || {
        cluster.hurry(&jobs[0]);
        cluster
            .sh(&format!("squeue -h -j {},{}", jobs[0], jobs[1]))
            .is_empty()
    });
    let sent = std::fs::read_to_string(dir.path().join(run).join("jobs/shards.sbatch")).unwrap();
    assert!(sent.contains("#SBATCH --array=1\n"), "{sent}");
    assert_eq!(lines(&dir.path().join(run).join("outputs.jsonl")).len(), 72);
}
