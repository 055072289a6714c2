//! A run as a user sees it: stages, resume, shards, kills.

use crate::support::{lines, model, ocr_models, stderr, text_suite, unigauge, unigauge_process};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

fn echo_run(dir: &Path, count: usize) -> std::path::PathBuf {
    text_suite(dir, count);
    model(dir, "echo", "echo", "");
    dir.join("results/questions/echo/seed0")
}

#[test]
fn a_run_leaves_every_file_that_the_format_names() {
    let dir = tempfile::tempdir().unwrap();
    let run = echo_run(dir.path(), 10);
    unigauge(dir.path())
        .args(["run", "./questions.toml", "--model", "./echo.toml"])
        .assert()
        .code(0);
    for file in [
        "manifest.json",
        "items.jsonl",
        "outputs.jsonl",
        "evidence.jsonl",
        "grades.jsonl",
        "grades.parquet",
        "summary.json",
        "report/index.html",
    ] {
        assert!(run.join(file).is_file(), "{file}");
    }
    let summary: Value =
        serde_json::from_slice(&std::fs::read(run.join("summary.json")).unwrap()).unwrap();
    // Even items hold their answer in the prompt: five of ten.
    assert_eq!(summary["overall"]["value"], 0.5);
    assert_eq!(summary["scored"], 10);
    // Items 0, 3, 6, 9 are `three`: of these 0 and 6 are even.
    let three = summary["groups"]
        .as_array()
        .unwrap()
        .iter()
        .find(|g| g["key"] == "three")
        .unwrap();
    assert_eq!(three["value"], 0.5);
    assert_eq!(three["n"], 4);
    assert_eq!(lines(&run.join("grades.jsonl"))[1]["score"], 0.0);
}

#[test]
fn the_same_command_again_finds_everything_done() {
    let dir = tempfile::tempdir().unwrap();
    let run = echo_run(dir.path(), 10);
    let args = ["run", "./questions.toml", "--model", "./echo.toml"];
    unigauge(dir.path()).args(args).assert().code(0);
    let before = std::fs::read(run.join("outputs.jsonl")).unwrap();
    let grades = std::fs::metadata(run.join("grades.jsonl"))
        .unwrap()
        .modified()
        .unwrap();
    unigauge(dir.path()).args(args).assert().code(0);
    assert_eq!(std::fs::read(run.join("outputs.jsonl")).unwrap(), before);
    assert_eq!(
        std::fs::metadata(run.join("grades.jsonl"))
            .unwrap()
            .modified()
            .unwrap(),
        grades
    );
}

#[test]
fn a_changed_item_is_asked_again_and_the_rest_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let run = echo_run(dir.path(), 6);
    let args = ["run", "./questions.toml", "--model", "./echo.toml"];
    unigauge(dir.path()).args(args).assert().code(0);
    let text = std::fs::read_to_string(dir.path().join("questions.jsonl")).unwrap();
    std::fs::write(
        dir.path().join("questions.jsonl"),
        text.replace("say number 3", "say number three"),
    )
    .unwrap();
    let again = unigauge(dir.path()).args(args).output().unwrap();
    assert!(
        stderr(&again)
            .contains("outputs to make again, since their settings or their item changed: 1"),
        "{}",
        stderr(&again)
    );
    let outputs = lines(&run.join("outputs.jsonl"));
    assert_eq!(outputs.len(), 7);
    assert_eq!(outputs[6]["text"], "say number three");
}

#[test]
fn changed_settings_are_named_and_the_outputs_made_again() {
    let dir = tempfile::tempdir().unwrap();
    text_suite(dir.path(), 2);
    let suite = std::fs::read_to_string(dir.path().join("questions.toml")).unwrap();
    std::fs::write(
        dir.path().join("questions.toml"),
        suite.replace("understand", "text-to-image"),
    )
    .unwrap();
    model(
        dir.path(),
        "drawn",
        "typeset",
        "width = 128\nheight = 128\nmargin = 8",
    );
    let args = ["generate", "./questions.toml", "--model", "./drawn.toml"];
    unigauge(dir.path()).args(args).assert().code(0);
    model(
        dir.path(),
        "drawn",
        "typeset",
        "width = 160\nheight = 128\nmargin = 8",
    );
    let again = unigauge(dir.path()).args(args).output().unwrap();
    assert!(
        stderr(&again).contains("model.settings.width: 128 → 160"),
        "{}",
        stderr(&again)
    );
    let outputs = lines(
        &dir.path()
            .join("results/questions/drawn/seed0/outputs.jsonl"),
    );
    assert_eq!(
        outputs
            .iter()
            .map(|o| o["width"].as_u64().unwrap())
            .collect::<Vec<_>>(),
        [128, 128, 160, 160]
    );
}

#[test]
fn shards_joined_equal_the_whole_run() {
    let (whole, parts) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let one = echo_run(whole.path(), 25);
    let many = echo_run(parts.path(), 25);
    unigauge(whole.path())
        .args(["run", "./questions.toml", "--model", "./echo.toml"])
        .assert()
        .code(0);
    for shard in ["1/3", "3/3"] {
        unigauge(parts.path())
            .args([
                "run",
                "./questions.toml",
                "--model",
                "./echo.toml",
                "--shard",
                shard,
            ])
            .assert()
            .code(0);
    }
    let early = unigauge(parts.path())
        .args(["merge"])
        .arg(&many)
        .output()
        .unwrap();
    assert_eq!(early.status.code(), Some(5));
    assert!(
        stderr(&early).contains("shard 2/3 has not started"),
        "{}",
        stderr(&early)
    );
    unigauge(parts.path())
        .args([
            "run",
            "./questions.toml",
            "--model",
            "./echo.toml",
            "--shard",
            "2/3",
        ])
        .assert()
        .code(0);
    unigauge(parts.path())
        .arg("merge")
        .arg(&many)
        .assert()
        .code(0);
    assert_eq!(
        std::fs::read(one.join("grades.jsonl")).unwrap(),
        std::fs::read(many.join("grades.jsonl")).unwrap()
    );
}

#[test]
fn a_torn_last_line_is_repaired_and_its_output_made_again() {
    let dir = tempfile::tempdir().unwrap();
    let run = echo_run(dir.path(), 5);
    let args = ["run", "./questions.toml", "--model", "./echo.toml"];
    unigauge(dir.path()).args(args).assert().code(0);
    let grades = std::fs::read(run.join("grades.jsonl")).unwrap();
    let outputs = std::fs::read(run.join("outputs.jsonl")).unwrap();
    std::fs::write(run.join("outputs.jsonl"), &outputs[..outputs.len() - 20]).unwrap();
    let again = unigauge(dir.path()).args(args).output().unwrap();
    assert_eq!(again.status.code(), Some(0), "{}", stderr(&again));
    assert!(
        stderr(&again).contains("torn last line"),
        "{}",
        stderr(&again)
    );
    assert_eq!(std::fs::read(run.join("grades.jsonl")).unwrap(), grades);
}

#[test]
fn a_second_run_into_the_same_folder_is_told_who_holds_it() {
    let dir = tempfile::tempdir().unwrap();
    let run = echo_run(dir.path(), 5);
    std::fs::create_dir_all(&run).unwrap();
    let file = std::fs::File::create(run.join(".lock")).unwrap();
    file.lock().unwrap();
    std::io::Write::write_all(&mut &file, b"process 4711 since yesterday\n").unwrap();
    let output = unigauge(dir.path())
        .args(["run", "./questions.toml", "--model", "./echo.toml"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(7));
    assert!(
        stderr(&output).contains("process 4711"),
        "{}",
        stderr(&output)
    );
}

/// What must not depend on interruptions: grades, and which picture an output is.
fn essence(run: &Path) -> (Vec<u8>, BTreeMap<(String, u64), String>) {
    let pictures = lines(&run.join("outputs.jsonl"))
        .into_iter()
        .filter(|output| output.get("error").is_none())
        .map(|o| {
            let key = (
                o["item"].as_str().unwrap().to_owned(),
                o["repeat"].as_u64().unwrap(),
            );
            (key, o["sha256"].as_str().unwrap().to_owned())
        })
        .collect();
    (std::fs::read(run.join("grades.jsonl")).unwrap(), pictures)
}

#[test]
fn a_run_killed_again_and_again_ends_like_an_undisturbed_one() {
    if ocr_models().is_none() {
        return;
    }
    let (calm, rough) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let args = [
        "run",
        "quick",
        "--model",
        "typeset-drop",
        "--limit",
        "10",
        "--repeats",
        "2",
    ];
    unigauge(calm.path()).args(args).assert().code(0);
    let (mut kills, mut wait) = (0, 400);
    loop {
        let mut child = unigauge_process(rough.path())
            .args(args)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_millis(wait));
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success());
            break;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
        // Never the same moment; slowly longer, so that the run ends.
        wait = 300 + (wait * 7 + 131) % 900 + kills * 40;
    }
    assert!(kills > 0, "the run was over before the first kill");
    let run = Path::new("results/quick/typeset-drop/seed0-limit10");
    assert_eq!(
        essence(&calm.path().join(run)),
        essence(&rough.path().join(run))
    );
}

#[test]
#[cfg(unix)]
fn ctrl_c_keeps_what_is_finished_and_says_how_to_go_on() {
    let dir = tempfile::tempdir().unwrap();
    text_suite(dir.path(), 400);
    let suite = std::fs::read_to_string(dir.path().join("questions.toml")).unwrap();
    std::fs::write(
        dir.path().join("questions.toml"),
        suite.replace("understand", "text-to-image"),
    )
    .unwrap();
    model(dir.path(), "drawn", "typeset", "");
    let child = unigauge_process(dir.path())
        .args(["generate", "./questions.toml", "--model", "./drawn.toml"])
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let journal = dir
        .path()
        .join("results/questions/drawn/seed0/outputs.jsonl");
    while std::fs::metadata(&journal).map_or(0, |meta| meta.len()) == 0 {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert!(
        stderr(&output).contains("run the same command again to continue"),
        "{}",
        stderr(&output)
    );
    let made = lines(&journal);
    assert!(!made.is_empty() && made.len() < 400, "{}", made.len());
    for output in made {
        let file = dir
            .path()
            .join("results/questions/drawn/seed0")
            .join(output["file"].as_str().unwrap());
        assert!(file.is_file(), "{}", file.display());
    }
}

#[test]
fn a_folder_of_images_scores_like_the_run_that_made_them() {
    if ocr_models().is_none() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    unigauge(dir.path())
        .args(["run", "quick", "--model", "typeset-drop", "--limit", "4"])
        .assert()
        .code(0);
    let run = dir.path().join("results/quick/typeset-drop/seed0-limit4");
    let observed = unigauge(dir.path())
        .args([
            "observe", "--suite", "quick", "--limit", "4", "--name", "theirs", "--images",
        ])
        .arg(run.join("outputs"))
        .output()
        .unwrap();
    assert_eq!(observed.status.code(), Some(0), "{}", stderr(&observed));
    assert!(
        stderr(&observed).contains("4 of 4 pictures found"),
        "{}",
        stderr(&observed)
    );
    let theirs = dir.path().join("results/quick/theirs/seed0-limit4");
    assert_eq!(essence(&run), essence(&theirs));
    std::fs::remove_file(run.join("outputs/en-sign-01_0.png")).unwrap();
    let partial = unigauge(dir.path())
        .args([
            "observe", "--suite", "quick", "--limit", "4", "--name", "partial", "--images",
        ])
        .arg(run.join("outputs"))
        .output()
        .unwrap();
    assert_eq!(partial.status.code(), Some(5), "{}", stderr(&partial));
    assert!(
        stderr(&partial).contains("1 missing"),
        "{}",
        stderr(&partial)
    );
}

/// A study may have models that not every suite is for.
#[test]
fn a_study_runs_further_models_on_suites_of_their_own() {
    let dir = tempfile::tempdir().unwrap();
    let study = "name = 'look'\ntitle = 'A look'\nmodels = ['world', 'world-mistaken']\nsuites = ['mini-text']\nlimit = 3\n\
                 [[more]]\nmodels = ['world']\nsuites = ['mini-edit', 'mini-geneval']\n";
    std::fs::write(dir.path().join("look.toml"), study).unwrap();
    let output = unigauge(dir.path())
        .args(["run", "./look.toml"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let mut runs: Vec<String> = Vec::new();
    for suite in ["mini-text", "mini-edit", "mini-geneval"] {
        for model in ["world", "world-mistaken"] {
            let run = format!("results/{suite}/{model}/seed0-limit3");
            if dir.path().join(&run).join("summary.json").is_file() {
                runs.push(format!("{suite} {model}"));
            }
        }
    }
    let wanted = [
        "mini-text world",
        "mini-text world-mistaken",
        "mini-edit world",
        "mini-geneval world",
    ];
    assert_eq!(runs, wanted);
    let page = dir.path().join("results/studies/look/index.html");
    let page = std::fs::read_to_string(page).unwrap();
    for title in ["Mini-Text", "Mini-Edit", "Mini-GenEval"] {
        assert!(page.contains(title), "{title}");
    }

    for (from, to, told) in [
        (
            "models = ['world']",
            "models = []",
            "needs at least one of `models`",
        ),
        (
            "['mini-edit', ",
            "['mini-edit', 'mini-edit', ",
            "`mini-edit` appears twice",
        ),
        (
            "models = ['world']",
            "model = ['world']",
            "unknown key `model`",
        ),
    ] {
        assert!(study.contains(from));
        std::fs::write(dir.path().join("look.toml"), study.replace(from, to)).unwrap();
        let output = unigauge(dir.path())
            .args(["run", "./look.toml", "--dry-run"])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{to}");
        let error = stderr(&output);
        assert!(
            error.contains(told) && error.contains("look.toml"),
            "{error}"
        );
    }
}
