//! `unigauge submit`: the scripts and manifests that it makes, what it sends, and the shards that it starts.

use crate::support::{lines, model, python_package, stderr, text_suite, unigauge};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Output;

const RUN: &str = "results/questions/echo/seed0";

fn folder(count: usize) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    text_suite(dir.path(), count);
    model(dir.path(), "echo", "echo", "");
    dir
}

/// `unigauge submit ENGINE` for the suite with the model `echo`, where no program of Slurm is.
fn submit(dir: &Path, engine: &str, options: &[&str]) -> Output {
    unigauge(dir)
        .env("PATH", dir.join("bin"))
        .env_remove("UNIGAUGE_SHARDS")
        .args([
            "submit",
            engine,
            "./questions.toml",
            "--model",
            "./echo.toml",
        ])
        .args(options)
        .output()
        .unwrap()
}

fn printed(dir: &Path, engine: &str, options: &[&str]) -> String {
    let output = submit(dir, engine, options);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// The lines of a script that begin so.
fn lines_of<'a>(script: &'a str, begin: &str) -> Vec<&'a str> {
    let lines = script.lines().map(str::trim);
    lines.filter(|line| line.starts_with(begin)).collect()
}

fn assert_shell_reads(script: &str) {
    for one in script.split("#!/bin/bash\n").skip(1) {
        let mut child = std::process::Command::new("bash")
            .arg("-n")
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), one.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success(), "{one}");
    }
}

#[test]
fn the_scripts_of_slurm_are_an_array_of_shards_and_a_job_that_always_joins_them() {
    let dir = folder(6);
    let options = [
        "--shards",
        "16",
        "--parallel",
        "8",
        "--gpus",
        "1",
        "--cpus",
        "8",
        "--memory",
        "64G",
        "--time",
        "04:00:00",
        "--limit",
        "5",
        "--dry-run",
        "--",
        "--partition=gpu",
        "--account=lab",
    ];
    let text = printed(dir.path(), "slurm", &options);
    assert_shell_reads(&text);
    assert!(!dir.path().join("results").exists(), "nothing is written");
    let (shards, merge) = text.split_once("merge.sbatch\n").unwrap();
    let options = lines_of(shards, "#SBATCH");
    for option in [
        "#SBATCH --array=0-15%8",
        "#SBATCH --ntasks=1",
        "#SBATCH --cpus-per-task=8",
        "#SBATCH --gres=gpu:1",
        "#SBATCH --mem=64G",
        "#SBATCH --time=04:00:00",
        "#SBATCH --partition=gpu",
        "#SBATCH --account=lab",
        "#SBATCH --requeue",
        "#SBATCH --open-mode=append",
        "#SBATCH --signal=B:USR2@180",
    ] {
        assert!(options.contains(&option), "{option}: {options:#?}");
    }
    assert!(
        shards.contains("--limit 5") && shards.contains("--shard auto --shards 16 &\n"),
        "{shards}"
    );
    assert!(!shards.contains("srun"), "{shards}");
    // The number of the job alone is that of the whole array in its last task.
    let requeue = "scontrol requeue \"${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}\"";
    assert!(shards.contains(requeue), "{shards}");
    assert!(merge.contains("merge --wait-lock 600"), "{merge}");
    assert!(merge.contains(&format!("{RUN}-limit5")), "{merge}");
    assert!(!merge.contains("gres"), "{merge}");
}

#[test]
fn stages_apart_are_two_arrays() {
    let dir = folder(6);
    let options = [
        "--shards",
        "4",
        "--gpus",
        "1",
        "--stages",
        "apart",
        "--observe-option",
        "--partition=cpu",
        "--grade-option",
        "--partition=short",
        "--dry-run",
    ];
    let text = printed(dir.path(), "slurm", &options);
    assert_shell_reads(&text);
    let (generate, rest) = text.split_once("observe.sbatch\n").unwrap();
    let (observe, merge) = rest.split_once("merge.sbatch\n").unwrap();
    assert!(
        generate.contains(" generate ./questions.toml"),
        "{generate}"
    );
    assert!(
        generate.contains("[ \"$code\" = 5 ] && code=0"),
        "{generate}"
    );
    assert!(
        observe.contains(" observe ") && observe.contains("--shard auto --shards 4"),
        "{observe}"
    );
    assert_eq!(
        lines_of(observe, "#SBATCH --partition"),
        ["#SBATCH --partition=cpu"]
    );
    assert_eq!(lines_of(observe, "#SBATCH --gres"), Vec::<&str>::new());
    assert_eq!(
        lines_of(merge, "#SBATCH --partition"),
        ["#SBATCH --partition=short"]
    );
}

#[test]
fn arrays_that_are_too_large_are_packed() {
    let dir = folder(6);
    // Without Slurm, its default counts: 1001 tasks.
    let text = printed(dir.path(), "slurm", &["--shards", "2500", "--dry-run"]);
    assert_shell_reads(&text);
    // Three shards in a task: 834 tasks make 2502.
    assert!(text.contains("#SBATCH --array=0-833\n"), "{text}");
    assert!(text.contains("#SBATCH --ntasks=3\n"), "{text}");
    assert!(
        text.contains("UNIGAUGE_SHARD_INDEX=$((SLURM_ARRAY_TASK_ID * 3 + SLURM_PROCID))"),
        "{text}"
    );
    assert!(
        text.contains("[ \"$UNIGAUGE_SHARD_INDEX\" -lt 2500 ] || exit 0"),
        "{text}"
    );
}

#[test]
fn templates_can_be_replaced_and_their_mistakes_are_named() {
    let dir = folder(2);
    let own = dir.path().join("own");
    std::fs::create_dir(&own).unwrap();
    std::fs::write(
        own.join("slurm-merge.sh"),
        "#!/bin/bash\n# ours\n{{ command }}\n",
    )
    .unwrap();
    let options = ["--shards", "2", "--dry-run", "--templates", "own"];
    let text = printed(dir.path(), "slurm", &options);
    assert!(text.contains("# ours\n"), "{text}");
    assert!(text.contains("#SBATCH --array=0-1\n"), "{text}");
    std::fs::write(own.join("slurm-merge.sh"), "{{ comand }}").unwrap();
    let output = submit(dir.path(), "slurm", &options);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("slurm-merge.sh"),
        "{}",
        stderr(&output)
    );
}

/// Programs in the place of Slurm's: `sbatch` notes its options and answers with the numbers 101, 102, …
#[cfg(unix)]
fn fake_slurm(dir: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    let bin = dir.join("bin");
    std::fs::create_dir_all(&bin).unwrap();
    let path = std::env::var("PATH").unwrap();
    let noted = dir.join("sent").display().to_string();
    for (name, text) in [
        (
            "sbatch",
            format!("echo \"$@\" >> {noted}\necho $((100 + $(wc -l < {noted})))\n"),
        ),
        (
            "scontrol",
            "echo 'MaxArraySize            = 4'\n".to_owned(),
        ),
        (
            "squeue",
            "echo 'R|None'\necho 'PD|BeginTime'\necho 'PD|BeginTime'\n".to_owned(),
        ),
    ] {
        let file = bin.join(name);
        std::fs::write(&file, format!("#!/bin/sh\nPATH={path}\n{text}")).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
}

#[test]
#[cfg(unix)]
fn scripts_are_sent_in_their_order_and_only_incomplete_shards_again() {
    let dir = folder(6);
    let none = submit(dir.path(), "slurm", &["--shards", "3"]);
    assert_eq!(none.status.code(), Some(6), "{}", stderr(&none));
    assert!(stderr(&none).contains("not installed"), "{}", stderr(&none));
    fake_slurm(dir.path());
    let said = printed(dir.path(), "slurm", &["--shards", "3", "--stages", "apart"]);
    let ids: Vec<&str> = said
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert_eq!(ids, ["101", "102", "103"]);
    let sent = std::fs::read_to_string(dir.path().join("sent")).unwrap();
    let sent: Vec<&str> = sent.lines().collect();
    assert!(!sent[0].contains("--dependency"), "{sent:#?}");
    assert!(sent[1].contains("--dependency=aftercorr:101 "), "{sent:#?}");
    assert!(
        sent[2].contains("--dependency=afterany:101,afterany:102 "),
        "{sent:#?}"
    );
    let jobs = dir.path().join(RUN).join("jobs");
    assert!(
        jobs.join("logs").is_dir(),
        "a log without a folder ends a job without a word"
    );
    let noted = std::fs::read(jobs.join("submitted.json")).unwrap();
    let noted: Value = serde_json::from_slice(&noted).unwrap();
    assert_eq!(
        (&noted["jobs"], &noted["shards"]),
        (&json!(["101", "102", "103"]), &json!(3))
    );

    // The second shard is made: the others are sent again, by the number that the folder notes.
    unigauge(dir.path())
        .args(["run", "./questions.toml", "--model", "./echo.toml"])
        .args(["--shard", "2/3"])
        .assert()
        .code(0);
    printed(dir.path(), "slurm", &["--again"]);
    let script = std::fs::read_to_string(jobs.join("shards.sbatch")).unwrap();
    assert!(script.contains("#SBATCH --array=0,2\n"), "{script}");
    assert!(script.contains("--shard auto --shards 3"), "{script}");
    let status = unigauge(dir.path())
        .env("PATH", dir.path().join("bin"))
        .arg("status")
        .output()
        .unwrap();
    let status = String::from_utf8(status.stdout).unwrap();
    assert!(status.contains("2 PD (BeginTime)"), "{status}");
    assert!(status.contains("--array=0,2"), "{status}");
    // Slurm's own limit packs five shards into three tasks.
    let text = printed(
        dir.path(),
        "slurm",
        &["--shards", "5", "--run", "other", "--dry-run"],
    );
    assert!(
        text.contains("#SBATCH --array=0-2\n") && text.contains("--ntasks=2\n"),
        "{text}"
    );
}

/// What the API server refuses and no schema sees.
fn assert_job_rules(job: &Value) {
    let spec = &job["spec"];
    let template = &spec["template"]["spec"];
    let indexed = spec["completionMode"] == "Indexed";
    let never = template["restartPolicy"] == "Never";
    assert!(!indexed || spec["completions"].is_u64());
    assert!(spec.get("backoffLimitPerIndex").is_none() || (indexed && never));
    if let Some(policy) = spec.get("podFailurePolicy") {
        assert!(never);
        assert_eq!(spec["podReplacementPolicy"], "Failed");
        for rule in policy["rules"].as_array().unwrap() {
            assert!(
                ["Ignore", "FailIndex", "FailJob", "Count"]
                    .contains(&rule["action"].as_str().unwrap())
            );
            if rule["action"] == "FailIndex" {
                assert!(spec.get("backoffLimitPerIndex").is_some());
            }
            if let Some(codes) = rule.get("onExitCodes") {
                let values: BTreeSet<u64> = (codes["values"].as_array().unwrap().iter())
                    .map(|value| value.as_u64().unwrap())
                    .collect();
                assert!(!values.contains(&0), "{values:?}");
                assert!(
                    !values.contains(&130) && !values.contains(&7),
                    "they are tried again"
                );
                assert_eq!(codes["containerName"], template["containers"][0]["name"]);
            }
            for condition in rule["onPodConditions"].as_array().into_iter().flatten() {
                assert_eq!(condition["status"], "True", "required up to 1.34");
            }
        }
    }
    let name = job["metadata"]["name"].as_str().unwrap();
    let letters = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    assert!(name.chars().all(letters) && name.len() + 12 <= 63, "{name}");
}

/// The manifest of Kubernetes, as it is printed and in its two parts.
fn k8s(dir: &Path, options: &[&str]) -> (String, Vec<Value>) {
    let output = unigauge(dir)
        .args(["submit", "k8s", "geneval", "--model", "flux-1-dev"])
        .args(["--shards", "16", "--image", "lab/unigauge:0.1.0"])
        .args(["--gpus", "1", "--cpus", "8", "--memory", "64Gi"])
        .args(["--only", "a: \"b\" $(c)$$", "--run", "mine"])
        .args(options)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    let parts = text.split("\n---\n");
    let parts = parts
        .map(|part| serde_saphyr::from_str(part).unwrap())
        .collect();
    (text, parts)
}

#[test]
fn with_an_object_store_pods_need_no_volume() {
    let dir = tempfile::tempdir().unwrap();
    let options = [
        "--out",
        "/r",
        "--sync",
        "s3://bucket/all",
        "--secret",
        "store",
    ];
    let (_, parts) = k8s(dir.path(), &options);
    parts.iter().for_each(assert_job_rules);
    for part in &parts {
        let pod = &part["spec"]["template"]["spec"];
        assert_eq!(pod["volumes"], json!([{"name": "results", "emptyDir": {}}]));
        let from = &pod["containers"][0]["envFrom"];
        assert_eq!(*from, json!([{"secretRef": {"name": "store"}}]));
    }
    let arguments =
        |part: usize| parts[part]["spec"]["template"]["spec"]["containers"][0]["args"].to_string();
    assert!(
        arguments(0).contains(r#""--sync","s3://bucket/all","--sync-every","60""#),
        "{}",
        arguments(0)
    );
    let merge = r#""s3://bucket/all/geneval/flux-1-dev/mine","--out","/r"]"#;
    assert!(arguments(1).ends_with(merge), "{}", arguments(1));
}

/// The published schemas. They do not see all that the API server refuses: see `assert_job_rules`.
#[test]
fn the_manifest_of_kubernetes_is_valid_by_the_published_schemas() {
    let Some(package) = python_package("kubernetes-validate==1.37.0") else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let volume = k8s(dir.path(), &["--out", "/results"]).0;
    let options = [
        "--out",
        "/r",
        "--sync",
        "s3://bucket/all",
        "--secret",
        "store",
    ];
    let store = k8s(dir.path(), &options).0;
    let valid = |text: &str, version: &str| {
        let file = dir.path().join("job.yaml");
        std::fs::write(&file, text).unwrap();
        let output = std::process::Command::new("python3")
            .args(["-m", "kubernetes_validate", "--strict", "-k", version])
            .arg(&file)
            .env("PYTHONPATH", &package)
            .output()
            .unwrap();
        eprintln!("{version}: {output:?}");
        output.status.success()
    };
    for version in ["1.29", "1.33", "1.37"] {
        assert!(
            valid(&volume, version) && valid(&store, version),
            "{version}"
        );
    }
    let typo = volume.replacen("parallelism:", "paralelism:", 1);
    assert!(!valid(&typo, "1.33"), "a typo is seen");
}

#[test]
fn the_manifest_of_kubernetes_follows_the_rules_of_the_api_server() {
    let dir = tempfile::tempdir().unwrap();
    let (_, parts) = k8s(dir.path(), &["--out", "/results", "--parallel", "8"]);
    assert_eq!(parts.len(), 2);
    parts.iter().for_each(assert_job_rules);
    let spec = &parts[0]["spec"];
    assert_eq!(
        (&spec["completions"], &spec["parallelism"]),
        (&json!(16), &json!(8))
    );
    let container = &spec["template"]["spec"]["containers"][0];
    let arguments = container["args"].as_array().unwrap();
    for word in [
        "run",
        "geneval",
        "flux-1-dev",
        "a: \"b\" $$(c)$$$$", // Kubernetes halves them.
        "/results",
        "auto",
        "16",
    ] {
        assert!(arguments.contains(&word.into()), "{word}: {arguments:?}");
    }
    assert_eq!(container["image"], "lab/unigauge:0.1.0");
    assert_eq!(
        container["resources"]["limits"],
        json!({"nvidia.com/gpu": 1, "memory": "64Gi"})
    );
    assert_eq!(container["resources"]["requests"], json!({"cpu": "8"}));
    assert_eq!(container["volumeMounts"][0]["mountPath"], "/results");
    let merge = &parts[1]["spec"]["template"]["spec"]["containers"][0]["args"];
    assert_eq!(merge[3], "/results/geneval/flux-1-dev/mine");
}

#[test]
fn local_shards_are_made_and_joined() {
    let dir = folder(9);
    let dry = printed(
        dir.path(),
        "local",
        &["--shards", "3", "--gpus", "2", "--dry-run"],
    );
    let dry: Vec<&str> = dry.lines().collect();
    assert_eq!(dry.len(), 3);
    assert!(
        dry[1].starts_with("CUDA_VISIBLE_DEVICES=1 UNIGAUGE_SHARD_INDEX=1 "),
        "{dry:#?}"
    );
    assert!(dry[2].starts_with("CUDA_VISIBLE_DEVICES=0 "), "{dry:#?}");
    let said = printed(dir.path(), "local", &["--shards", "3"]);
    assert!(said.contains("echo"), "{said}");
    let run = dir.path().join(RUN);
    assert_eq!(lines(&run.join("outputs.jsonl")).len(), 9);
    for shard in 0..3 {
        let log = run.join(format!("jobs/logs/shards-{shard}.log"));
        let log = std::fs::read_to_string(log).unwrap();
        assert!(log.contains("3 outputs made"), "{log}");
    }
    unigauge(dir.path())
        .args([
            "run",
            "./questions.toml",
            "--model",
            "./echo.toml",
            "--out",
            "whole",
        ])
        .assert()
        .code(0);
    for name in ["grades.jsonl", "summary.json"] {
        let read = |run: &str| std::fs::read_to_string(dir.path().join(run).join(name)).unwrap();
        assert_eq!(read("whole/questions/echo/seed0"), read(RUN), "{name}");
    }
}
