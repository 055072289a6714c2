//! Shards at the same time over one folder, killed and started again, and what `merge` makes of them.
#![cfg(unix)]

use crate::support::{
    files_below, lines, miniature, model, stderr, text_suite, unigauge, unigauge_process,
};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

/// Numbers that look random and are the same in every run of a round.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (x ^ (x >> 31)) % limit
    }
}

/// How much is done: little in the test suite; `UNIGAUGE_SHARD_ROUNDS=20` is the whole trial.
struct Trial {
    rounds: u64,
    limit: &'static str,
    steps: u32,
}

impl Trial {
    fn of_environment() -> Self {
        let rounds = std::env::var("UNIGAUGE_SHARD_ROUNDS");
        match rounds.ok().and_then(|rounds| rounds.parse().ok()) {
            Some(rounds) => Self {
                rounds,
                limit: "24",
                steps: 16,
            },
            None => Self {
                rounds: 1,
                limit: "12",
                steps: 3,
            },
        }
    }
}

fn arguments<'a>(model: &'a str, trial: &Trial, out: &'a str) -> Vec<&'a str> {
    let mut all = vec!["run", "mini-geneval", "--model", model, "--out", out];
    all.extend(["--limit", trial.limit, "-j", "1", "--device", "cpu"]);
    all
}

/// One shard, killed up to twice at random moments within so many milliseconds, and started again until it is
/// done. Returns how often it was killed.
fn rough(dir: &Path, arguments: &[&str], shard: &str, span: u64, mut chance: Chance) -> u32 {
    let most = 1 + chance.below(2);
    let mut kills = 0;
    loop {
        let mut child = unigauge_process(dir)
            .args(arguments)
            .args(["--shard", shard])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let signal = match chance.below(2) {
            0 => Signal::SIGKILL,
            _ => Signal::SIGTERM,
        };
        let end = Instant::now() + Duration::from_millis(20 + chance.below(span));
        while kills < most && Instant::now() < end && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(5));
        }
        let killed = kills < most && child.try_wait().unwrap().is_none();
        if killed {
            kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), signal).unwrap();
            kills += 1;
        }
        let output = child.wait_with_output().unwrap();
        match output.status.code() {
            Some(0) => return kills as u32,
            // By SIGKILL, or by SIGTERM before the program is ready to hear it.
            None | Some(130) if killed => {}
            code => panic!("shard {shard} ended with {code:?}: {}", stderr(&output)),
        }
    }
}

/// The lines of a journal in the order of the items, without times.
fn journal(run: &Path, name: &str) -> Vec<Value> {
    let order: Vec<Value> = lines(&run.join("items.jsonl"));
    let place = |line: &Value| order.iter().position(|item| item["item"] == line["item"]);
    let mut all = lines(&run.join(name));
    all.sort_by_key(|line| (place(line), line["repeat"].as_u64()));
    for line in &mut all {
        let line = line.as_object_mut().unwrap();
        line.remove("timings");
        line.remove("seconds");
    }
    all
}

/// Every file below a folder with its bytes.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let named = |path: PathBuf| {
        let within = path.strip_prefix(folder).unwrap().to_owned();
        (within, std::fs::read(&path).unwrap())
    };
    files_below(folder).into_iter().map(named).collect()
}

/// All that must not depend on how a run was made.
fn assert_same(whole: &Path, merged: &Path) {
    let [pictures, merged_pictures] = [whole, merged].map(|run| files(&run.join("outputs")));
    let names = |files: &BTreeMap<PathBuf, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&pictures), names(&merged_pictures));
    for (name, picture) in &pictures {
        assert!(*picture == merged_pictures[name], "{}", name.display());
    }
    for name in ["items.jsonl", "grades.jsonl", "summary.json"] {
        let read = |run: &Path| std::fs::read_to_string(run.join(name)).unwrap();
        assert_eq!(read(whole), read(merged), "{name}");
    }
    for name in ["outputs.jsonl", "evidence.jsonl"] {
        assert_eq!(journal(whole, name), journal(merged, name), "{name}");
    }
    let left = std::fs::read_dir(merged).unwrap().filter_map(|entry| {
        let name = entry.unwrap().file_name().into_string().unwrap();
        name.starts_with("scratch").then_some(name)
    });
    assert_eq!(left.collect::<Vec<_>>(), Vec::<String>::new());
}

fn concurrent_shards_equal_the_whole_run(name: &str) {
    let trial = Trial::of_environment();
    let dir = tempfile::tempdir().unwrap();
    let model = miniature(dir.path(), name, trial.steps);
    let folder = |out: &str| {
        let run = format!("{out}/mini-geneval/{name}/seed0-limit{}", trial.limit);
        dir.path().join(run)
    };
    let begun = Instant::now();
    unigauge(dir.path())
        .args(arguments(&model, &trial, "whole"))
        .assert()
        .code(0);
    let span = u64::try_from(begun.elapsed().as_millis()).unwrap();
    let mut killed = 0;
    // A shard can be done before its first kill: rounds are added until one was killed.
    for round in 0..trial.rounds + 10 {
        if round >= trial.rounds && killed > 0 {
            break;
        }
        let out = format!("round{round}");
        let arguments = arguments(&model, &trial, &out);
        let begun = Instant::now();
        let kills: u32 = std::thread::scope(|scope| {
            let shard = |index: u64| {
                let (dir, arguments) = (dir.path(), &arguments);
                let chance = Chance(round * 1000 + index * 17 + name.len() as u64);
                scope.spawn(move || rough(dir, arguments, &format!("{index}/6"), span, chance))
            };
            let shards: Vec<_> = (1..=6).map(shard).collect();
            shards.into_iter().map(|shard| shard.join().unwrap()).sum()
        });
        let merge = unigauge(dir.path())
            .arg("merge")
            .arg(folder(&out))
            .output()
            .unwrap();
        assert_eq!(merge.status.code(), Some(0), "{}", stderr(&merge));
        assert_same(&folder("whole"), &folder(&out));
        eprintln!(
            "{name}, round {round}: {kills} kills, {:.1?}",
            begun.elapsed()
        );
        killed += kills;
        std::fs::remove_dir_all(dir.path().join(&out)).unwrap();
    }
    assert!(killed > 0, "every shard was done before its first kill");
}

#[test]
fn six_shards_of_flux_that_are_killed_at_random_merge_to_the_whole_run() {
    concurrent_shards_equal_the_whole_run("mini-flux");
}

#[test]
fn six_shards_of_uniworld_that_are_killed_at_random_merge_to_the_whole_run() {
    concurrent_shards_equal_the_whole_run("mini-uniworld");
}

fn echo_shard(dir: &Path, shard: &str) -> std::process::Output {
    unigauge(dir)
        .args(["run", "./questions.toml", "--model", "./echo.toml"])
        .args(["--shard", shard])
        .output()
        .unwrap()
}

fn merge(dir: &Path) -> std::process::Output {
    unigauge(dir).args(["merge", RUN]).output().unwrap()
}

const RUN: &str = "results/questions/echo/seed0";

fn manifest(dir: &Path) -> Value {
    let text = std::fs::read(dir.join(RUN).join("manifest.json")).unwrap();
    serde_json::from_slice(&text).unwrap()
}

#[test]
fn a_shard_that_never_began_leaves_a_partial_report() {
    let dir = tempfile::tempdir().unwrap();
    text_suite(dir.path(), 10);
    model(dir.path(), "echo", "echo", "");
    for shard in ["1/3", "3/3"] {
        assert_eq!(echo_shard(dir.path(), shard).status.code(), Some(0));
    }
    let early = merge(dir.path());
    assert_eq!(early.status.code(), Some(5), "{}", stderr(&early));
    let said = stderr(&early);
    assert!(said.contains("shard 2/3 has not started"), "{said}");
    let summary = std::fs::read(dir.path().join(RUN).join("summary.json")).unwrap();
    let summary: Value = serde_json::from_slice(&summary).unwrap();
    // Items 1, 4 and 7 are the second shard's.
    assert_eq!(summary["scored"], 7);
    assert_eq!(summary["unscored_by"], json!({"missing": 3}));
    assert_eq!(echo_shard(dir.path(), "2/3").status.code(), Some(0));
    assert_eq!(merge(dir.path()).status.code(), Some(0));
    // Joined in the order of the items.
    let order = |name: &str| -> Vec<String> {
        let lines = lines(&dir.path().join(RUN).join(name));
        lines.iter().map(|line| line["item"].to_string()).collect()
    };
    assert_eq!(order("outputs.jsonl"), order("items.jsonl"));
}

#[test]
fn a_merge_waits_for_no_shard_and_names_who_makes_it() {
    let dir = tempfile::tempdir().unwrap();
    text_suite(dir.path(), 6);
    model(dir.path(), "echo", "echo", "");
    for shard in ["1/2", "2/2"] {
        assert_eq!(echo_shard(dir.path(), shard).status.code(), Some(0));
    }
    let path = dir.path().join(RUN).join(".lock.2-of-2");
    let holder = std::fs::read_to_string(&path).unwrap();
    let host = nix::unistd::gethostname().unwrap();
    let host = host.to_str().unwrap();
    assert!(holder.contains(&format!(" on {host} since ")), "{holder}");
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    file.lock().unwrap();
    for output in [merge(dir.path()), echo_shard(dir.path(), "2/2")] {
        assert_eq!(output.status.code(), Some(7));
        let said = stderr(&output);
        assert!(
            said.contains("shard 2/2 is being made by process"),
            "{said}"
        );
        assert!(said.contains(&format!(" on {host} since ")), "{said}");
    }
    // The other shard is nobody's business.
    assert_eq!(echo_shard(dir.path(), "1/2").status.code(), Some(0));
    drop(file);
    assert_eq!(merge(dir.path()).status.code(), Some(0));
}

#[test]
fn the_manifest_of_a_merged_run_tells_how_each_shard_was_made() {
    let dir = tempfile::tempdir().unwrap();
    text_suite(dir.path(), 6);
    model(dir.path(), "echo", "echo", "");
    for shard in ["1/2", "2/2", "1/2"] {
        assert_eq!(echo_shard(dir.path(), shard).status.code(), Some(0));
    }
    assert_eq!(merge(dir.path()).status.code(), Some(0));
    let merged = manifest(dir.path());
    assert_eq!(merged.get("shard"), None);
    let executions = merged["executions"].as_array().unwrap();
    assert_eq!(executions.len(), 2);
    for (execution, shard) in executions.iter().zip(["1/2", "2/2"]) {
        assert_eq!(execution["shard"], shard);
        let command = execution["command"].as_array().unwrap();
        assert_eq!(command.last().unwrap(), shard);
        for key in ["host_name", "device", "started", "finished"] {
            assert!(execution[key].is_string(), "{key}: {execution}");
        }
        assert!(execution["host"]["cores"].as_u64().unwrap() > 0);
    }
    assert_eq!(merged["started"], executions[0]["started"]);

    // A run of one process has none, and other programs read the merged one as before.
    unigauge(dir.path())
        .args(["run", "./questions.toml", "--model", "./echo.toml"])
        .args(["--out", "whole"])
        .assert()
        .code(0);
    let whole = std::fs::read(dir.path().join("whole/questions/echo/seed0/manifest.json")).unwrap();
    let whole: Value = serde_json::from_slice(&whole).unwrap();
    assert_eq!(whole.get("executions"), None);
    unigauge(dir.path())
        .args(["compare", RUN, "whole/questions/echo/seed0"])
        .assert()
        .code(0);
}

/// Before each shard wrote a manifest of its own, `manifest.json` was the last one's.
#[test]
fn shards_that_an_earlier_version_made_are_gone_on_with_and_merged() {
    let dir = tempfile::tempdir().unwrap();
    text_suite(dir.path(), 6);
    model(dir.path(), "echo", "echo", "");
    for shard in ["1/2", "2/2"] {
        assert_eq!(echo_shard(dir.path(), shard).status.code(), Some(0));
        std::fs::remove_file(
            dir.path()
                .join(RUN)
                .join(format!("manifest.{}.json", shard.replace('/', "-of-"))),
        )
        .unwrap();
    }
    let scratch = dir.path().join(RUN).join("scratch");
    std::fs::create_dir_all(&scratch).unwrap();
    std::fs::write(scratch.join("left.safetensors"), b"x").unwrap();
    // A process killed in the middle of writing leaves such files.
    let partial = ["", "outputs", "outputs/deep"].map(|folder| {
        let folder = dir.path().join(RUN).join(folder);
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join(".partial-a1b2c3");
        std::fs::write(&path, b"half a pic").unwrap();
        path
    });
    let again = echo_shard(dir.path(), "1/2");
    assert_eq!(again.status.code(), Some(0));
    let said = String::from_utf8_lossy(&again.stdout).into_owned();
    assert!(said.contains("3 made before"), "{said}");
    assert_eq!(merge(dir.path()).status.code(), Some(0));
    assert_eq!(manifest(dir.path())["executions"][0]["shard"], "1/2");
    assert!(!scratch.exists(), "nothing needs it any more");
    for path in partial {
        assert!(!path.exists(), "{}", path.display());
    }
}

/// Observers look at what shards made before they are merged.
#[test]
fn shards_are_observed_before_they_are_merged() {
    let dir = tempfile::tempdir().unwrap();
    let common = ["mini-geneval", "--model", "world", "--limit", "6"];
    for shard in ["1/2", "2/2"] {
        unigauge(dir.path())
            .arg("generate")
            .args(common)
            .args(["--shard", shard])
            .assert()
            .code(0);
    }
    let run = "results/mini-geneval/world/seed0-limit6";
    let seen = unigauge(dir.path())
        .args(["observe", run])
        .output()
        .unwrap();
    assert_eq!(seen.status.code(), Some(0), "{}", stderr(&seen));
    let said = String::from_utf8_lossy(&seen.stdout).into_owned();
    assert!(said.contains("6 observations made, 0 failed"), "{said}");
    unigauge(dir.path()).args(["merge", run]).assert().code(0);
}
