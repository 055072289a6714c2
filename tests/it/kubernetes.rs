//! The manifest of Kubernetes in real containers, under a script in the place of the Job controller: one pod is
//! evicted, one is killed, and the second job joins the shards.
#![cfg(target_os = "linux")]

use crate::support::{is_installed, lines, note_skip, skip, stderr, unigauge};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const IMAGE: &str = "localhost/unigauge:test";
/// The work, which is small: 160 pictures.
const WORK: [&str; 7] = [
    "mini-geneval",
    "--model",
    "mini-flux",
    "--limit",
    "160",
    "--jobs",
    "1",
];

fn script(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/k8s");
    folder.join(name)
}

/// podman with an image of the program. All that it keeps goes with the test.
struct Podman {
    dir: PathBuf,
}

impl Drop for Podman {
    fn drop(&mut self) {
        let _ = Command::new(script("clear.sh")).arg(&self.dir).output();
    }
}

impl Podman {
    /// `None` where podman is not installed, or the kernel runs no container.
    fn start(dir: PathBuf) -> Option<Self> {
        for program in ["podman", "runc", "python3"] {
            if !is_installed(program) {
                skip(&format!("{program} is not installed"));
                return None;
            }
        }
        let podman = Self { dir };
        let made = Command::new(script("image.sh"))
            .arg(&podman.dir)
            .args([env!("CARGO_BIN_EXE_unigauge"), IMAGE])
            .output()
            .unwrap();
        if !made.status.success() {
            note_skip(&format!("podman runs no container: {}", stderr(&made)));
            return None;
        }
        Some(podman)
    }

    /// Runs jobs under the controller.
    fn run(&self, jobs: &[Value], options: &[String]) -> Output {
        let file = self.dir.join("jobs.json");
        std::fs::write(&file, Value::from(jobs).to_string()).unwrap();
        let mut controller = Command::new("python3");
        controller.arg(script("controller.py")).arg(file);
        controller.arg("--logs").arg(&self.dir).args(options);
        controller
            .env("CONTAINERS_CONF", self.dir.join("containers.conf"))
            .env("CONTAINERS_STORAGE_CONF", self.dir.join("storage.conf"));
        controller.output().unwrap()
    }
}

/// The jobs of the manifest.
fn rendered(dir: &Path) -> Vec<Value> {
    let output = unigauge(dir)
        .args(["submit", "k8s"])
        .args(WORK)
        .args(["--run", "pods", "--shards", "4", "--parallel", "2"])
        .args(["--image", IMAGE, "--out", "/results", "--claim", "results"])
        .args(["--secret", "settings", "--cpus", "1", "--memory", "2Gi"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    let parts = text.split("\n---\n");
    parts
        .map(|part| serde_saphyr::from_str(part).unwrap())
        .collect()
}

/// What became of the pods of an index: how each was disrupted, its exit code, and what the policy says.
fn pods_of(job: &Value, index: usize) -> Vec<Value> {
    let pods = job["pods"].as_array().unwrap().iter();
    let of_index = pods.filter(|pod| pod["index"] == index);
    of_index
        .map(|pod| {
            json!([
                pod["disrupted"],
                pod["exit_code"],
                pod["action"],
                pod["rule"]
            ])
        })
        .collect()
}

#[test]
fn pods_of_which_one_is_evicted_and_one_is_killed_merge_to_the_whole_run() {
    let state = tempfile::tempdir().unwrap();
    let Some(podman) = Podman::start(state.path().join("podman")) else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let jobs = rendered(dir.path());
    let results = dir.path().join("results");
    std::fs::create_dir(&results).unwrap();
    let settings = dir.path().join("settings");
    std::fs::write(&settings, "RAYON_NUM_THREADS=1\n").unwrap();
    let place = [
        format!("--claim=results={}", results.display()),
        format!("--secret=settings={}", settings.display()),
    ];
    let mut other = jobs.clone();
    other[0]["spec"]["activeDeadlineSeconds"] = 1.into();
    let refused = podman.run(&other, &place);
    assert_eq!(refused.status.code(), Some(2), "{}", stderr(&refused));
    let said = stderr(&refused);
    assert!(said.contains("spec.activeDeadlineSeconds"), "{said}");

    let disruptions = [
        "--evict=1:**/outputs.2-of-4.jsonl:2".to_owned(),
        "--kill=2:**/outputs.3-of-4.jsonl:2".to_owned(),
        "--delay=1".to_owned(),
    ];
    let output = podman.run(&jobs, &[&place[..], &disruptions].concat());
    let log = |pod: &str| {
        let name = jobs[0]["metadata"]["name"].as_str().unwrap();
        std::fs::read_to_string(podman.dir.join(format!("{name}-{pod}.log"))).unwrap()
    };
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(0), "{said} {output:?}");
    let record: Value = serde_json::from_slice(&output.stdout).unwrap();
    let (shards, merge) = (&record[0], &record[1]);
    let whole = json!([null, 0, "Succeeded", null]);
    assert_eq!(pods_of(shards, 0), std::slice::from_ref(&whole));
    let evicted = json!(["evict", 130, "Ignore", 1]);
    assert_eq!(pods_of(shards, 1), [evicted, whole.clone()]);
    let killed = json!(["kill", 137, "Count", null]);
    assert_eq!(pods_of(shards, 2), [killed, whole.clone()]);
    assert_eq!(pods_of(shards, 3), [whole]);
    assert_eq!(merge["condition"], "Complete");
    for pod in ["1-2", "2-2"] {
        assert!(log(pod).contains("continuing after"), "{}", log(pod));
    }

    unigauge(dir.path())
        .arg("run")
        .args(WORK)
        .args(["--run", "pods", "--out", "whole"])
        .env("RAYON_NUM_THREADS", "1")
        .assert()
        .code(0);
    let run = "mini-geneval/mini-flux/pods";
    assert_eq!(lines(&results.join(run).join("outputs.jsonl")).len(), 160);
    for name in ["grades.jsonl", "summary.json"] {
        let read = |out: &str| {
            let file = dir.path().join(out).join(run).join(name);
            std::fs::read_to_string(file).unwrap()
        };
        assert_eq!(read("whole"), read("results"), "{name}");
    }
}
