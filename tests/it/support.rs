//! What several tests need: the program, small suites, assets.

use candle_core::Device;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use unigauge::cancel::Cancel;
use unigauge::hub::{Hub, HubOptions};
use unigauge::observe::ppocr::{PpOcrModels, PpOcrSettings};
use unigauge::train::{Outcome, Place, TrainError, TrainingChange, no_rewards};

/// The program, in a folder of its own, with no user settings in the way.
pub(crate) fn unigauge(dir: &Path) -> assert_cmd::Command {
    let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_unigauge"));
    command
        .current_dir(dir)
        .env("NO_COLOR", "1")
        .env_remove("UNIGAUGE_OFFLINE");
    command
}

/// The same program for tests that must hold on to the process.
pub(crate) fn unigauge_process(dir: &Path) -> std::process::Command {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_unigauge"));
    command
        .current_dir(dir)
        .env("NO_COLOR", "1")
        .env_remove("UNIGAUGE_OFFLINE");
    command
}

/// Writes `questions.jsonl` and `questions.toml`: a text suite of `count` items that `echo` answers by half:
/// the answer to even items stands in their prompt.
pub(crate) fn text_suite(dir: &Path, count: usize) -> PathBuf {
    let lines: String = (0..count)
        .map(|i| {
            let answer = if i % 2 == 0 { format!("number {i}") } else { "something else".into() };
            format!(
                "{}\n",
                serde_json::json!({"id": format!("q{i}"), "prompt": format!("say number {i}"), "answers": [answer],
                    "kind": if i % 3 == 0 { "three" } else { "other" }})
            )
        })
        .collect();
    std::fs::write(dir.join("questions.jsonl"), lines).unwrap();
    let path = dir.join("questions.toml");
    std::fs::write(
        &path,
        r#"name = "questions"
version = "1"
title = "Questions"
task = "understand"

[items]
file = "questions.jsonl"

[items.map]
expect = ["answers"]
tags = { kind = "kind" }

[grade]
rule = "contains"

[report]
group_by = ["kind"]
"#,
    )
    .unwrap();
    path
}

/// Writes a model file for a generator.
pub(crate) fn model(dir: &Path, name: &str, generator: &str, settings: &str) -> PathBuf {
    let path = dir.join(format!("{name}.toml"));
    let text = format!(
        "name = \"{name}\"\ntitle = \"{name}\"\ngenerator = \"{generator}\"\n\n[settings]\n{settings}\n"
    );
    std::fs::write(&path, text).unwrap();
    path
}

/// Trains a committed definition with changes (`KEY=VALUE`) into a folder, on the CPU and without rewards, until a
/// step. What was begun in the folder goes on.
pub(crate) fn trained_until(
    name: &str,
    folder: &Path,
    set: &[String],
    until: u64,
) -> Result<Outcome, TrainError> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("configs/training/{name}.toml"));
    let change = TrainingChange {
        set,
        ..TrainingChange::default()
    };
    let training = unigauge::train::training(path.to_str().unwrap(), Path::new(""), change);
    let place = Place {
        folder,
        beside: folder.parent().unwrap(),
        device: &Device::Cpu,
        cancel: &Cancel::default(),
        restart: false,
        until,
        shipped: &|_| Ok(None),
        rewards: &no_rewards,
        on: &|_| {},
    };
    unigauge::train::train(&training.unwrap(), &place)
}

/// The same to the end. With `stop`, the training is interrupted after this step and goes on.
pub(crate) fn trained(
    name: &str,
    folder: &Path,
    set: &[String],
    stop: Option<u64>,
) -> Result<serde_json::Value, TrainError> {
    if let Some(step) = stop {
        let outcome = trained_until(name, folder, set, step)?;
        assert_eq!(outcome, Outcome::Interrupted { step });
    }
    match trained_until(name, folder, set, u64::MAX)? {
        Outcome::Complete(record) => Ok(record),
        other => panic!("{other:?}"),
    }
}

/// Whether a program is installed.
pub(crate) fn is_installed(program: &str) -> bool {
    let found = std::process::Command::new("sh")
        .args(["-c", &format!("command -v {program}")])
        .output();
    found.is_ok_and(|output| output.status.success())
}

/// Waits until something is true, so many seconds at most.
pub(crate) fn wait_for(what: &str, limit: u64, mut is_true: impl FnMut() -> bool) {
    let begun = std::time::Instant::now();
    while !is_true() {
        assert!(begun.elapsed().as_secs() < limit, "{what}");
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
}

/// Says that the running test is skipped, and why; `tests/skipped.rs` lists it at the end of `cargo test`.
/// With `UNIGAUGE_REQUIRE_ALL` set, as in CI, nothing may be skipped, and the test fails.
pub(crate) fn skip(why: &str) {
    assert!(
        std::env::var_os("UNIGAUGE_REQUIRE_ALL").is_none(),
        "must not be skipped here: {why}"
    );
    note_skip(why);
}

/// The same for what no package brings, such as a kernel that runs containers: it is listed, and never a failure.
pub(crate) fn note_skip(why: &str) {
    eprintln!("skipped: {why}");
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("skipped");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(
        folder.join(test.replace("::", ".")),
        format!("{test}: {why}\n"),
    )
    .unwrap();
}

/// The OCR models and their runtime, in the cache or fetched into it once; None where they cannot be had.
pub(crate) fn ocr_models() -> Option<PpOcrModels> {
    static MODELS: OnceLock<Option<PpOcrModels>> = OnceLock::new();
    let models = MODELS.get_or_init(|| models_of(&PpOcrSettings::default()));
    if models.is_none() {
        skip("the OCR models cannot be fetched");
    }
    models.clone()
}

/// The same of PP-OCRv6.
pub(crate) fn ocr_v6_models() -> Option<PpOcrModels> {
    static MODELS: OnceLock<Option<PpOcrModels>> = OnceLock::new();
    let models = MODELS.get_or_init(|| {
        models_of(&PpOcrSettings {
            models: "v6".into(),
            ..PpOcrSettings::default()
        })
    });
    if models.is_none() {
        skip("the models of PP-OCRv6 cannot be fetched");
    }
    models.clone()
}

fn models_of(settings: &PpOcrSettings) -> Option<PpOcrModels> {
    let hub = Hub::new(HubOptions::default()).ok()?;
    let models = PpOcrModels::from_settings(settings, &hub).expect("these settings name models");
    models.inspect_err(|error| eprintln!("{error}")).ok()
}

/// The folder of a Python package with everything that it needs. `None` where it cannot be installed.
pub(crate) fn python_package(package: &str) -> Option<PathBuf> {
    static ONE: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _one = ONE
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    let name = package.replace("==", "-");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("packages")
        .join(name);
    let done = target.join(".installed");
    if !done.is_file() {
        let mut pip = std::process::Command::new("python3");
        pip.args(["-m", "pip", "install", "-q", "--upgrade", "--target"]);
        let output = pip.arg(&target).arg(package).output();
        if !output.as_ref().is_ok_and(|output| output.status.success()) {
            eprintln!("{output:?}");
            skip(&format!("the Python package {package} cannot be installed"));
            return None;
        }
        std::fs::write(done, "").unwrap();
    }
    Some(target)
}

/// Reads JSON lines.
pub(crate) fn lines(path: &Path) -> Vec<serde_json::Value> {
    let text =
        std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.split_terminator('\n')
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// A shipped miniature model that takes another number of steps, as a file in a folder.
pub(crate) fn miniature(dir: &Path, name: &str, steps: u32) -> String {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("configs/models/{name}.toml"));
    let text = std::fs::read_to_string(shipped).unwrap();
    let changed = text.replace(
        "num_inference_steps = 16",
        &format!("num_inference_steps = {steps}"),
    );
    std::fs::write(dir.join(format!("{name}.toml")), changed).unwrap();
    format!("./{name}.toml")
}

/// Standard error of a finished command, with wrapped lines of messages joined again.
pub(crate) fn stderr(output: &std::process::Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr).replace("\n  │ ", " ");
    let lines = text.split('\n').map(str::trim);
    lines.collect::<Vec<_>>().join(" ")
}

/// All files below a folder.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path)
            } else {
                found.push(path)
            }
        }
    }
    found
}
