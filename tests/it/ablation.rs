//! Levels that change a model, by its options or by what it was trained with, from the study's file to its
//! page.

use crate::mini::chain;
use crate::support::{lines, stderr, unigauge};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Output;

fn program(dir: &Path, arguments: &[&str]) -> Output {
    unigauge(dir).args(arguments).output().unwrap()
}

fn code(output: &Output, wanted: i32) -> String {
    assert_eq!(output.status.code(), Some(wanted), "{}", stderr(output));
    stderr(output)
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// What pictures a run made.
fn pictures(run: &Path) -> BTreeMap<String, Value> {
    let outputs = lines(&run.join("outputs.jsonl"));
    outputs
        .iter()
        .map(|output| (output["item"].to_string(), output["sha256"].clone()))
        .collect()
}

const MISTAKES: &str = r#"name = "mistakes"
title = "T"
suites = ["mini-edit"]
limit = 10

[factor]
title = "drawing"
control = "exact"

[[factor.levels]]
name = "exact"
models = ["world"]

[[factor.levels]]
name = "wrong"
title = "a fifth wrong"
models = ["world"]
settings = { mistakes = 0.2 }
"#;

#[test]
fn a_level_changes_options_of_a_model() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("mistakes.toml"), MISTAKES).unwrap();
    code(&program(dir.path(), &["run", "./mistakes.toml"]), 0);
    // The same drawings as those of a model of its own file.
    let own = [
        "run",
        "mini-edit",
        "--model",
        "world-mistaken",
        "--limit",
        "10",
    ];
    code(&program(dir.path(), &own), 0);
    let results = dir.path().join("results/mini-edit");
    let level = results.join("mistakes-wrong/seed0-limit10");
    assert_eq!(
        pictures(&level),
        pictures(&results.join("world-mistaken/seed0-limit10"))
    );
    assert_ne!(
        pictures(&level),
        pictures(&results.join("world/seed0-limit10"))
    );
    let model = &json(&level.join("manifest.json"))["model"];
    assert_eq!(model["title"], "World, exact, a fifth wrong");
    assert_eq!(model["settings"]["mistakes"], 0.2);
    // The page alone finds the same runs.
    code(&program(dir.path(), &["study", "./mistakes.toml"]), 0);
}

#[test]
fn mistakes_in_what_a_level_changes_are_located() {
    let dir = tempfile::tempdir().unwrap();
    for (from, to, message) in [
        (
            "mistakes = 0.2",
            "mistaks = 0.2",
            "mistakes.toml:18:14: unknown key `mistaks`",
        ),
        (
            "name = \"wrong\"",
            "name = \"a/b\"",
            "mistakes.toml:15:8: the name `a/b` cannot",
        ),
        (
            "title = \"a fifth wrong\"\nmodels = [\"world\"]",
            "runs = [\"x\"]",
            "the level `wrong` changes models, but has no `models`",
        ),
        (
            "limit = 10",
            "limit = 10\ntraining_seeds = [1]",
            "mistakes.toml:5:18: `training_seeds` requires a level with a `training`",
        ),
        (
            "settings = { mistakes = 0.2 }",
            "training = \"mini-vea\"",
            "did you mean `mini-vae`?",
        ),
    ] {
        let text = MISTAKES.replace(from, to);
        assert_ne!(text, MISTAKES);
        fs::write(dir.path().join("mistakes.toml"), text).unwrap();
        let told = code(&program(dir.path(), &["run", "./mistakes.toml"]), 2);
        assert!(told.contains(message), "{told}");
    }
}

const EDITS: &str = r#"base = "mini-edits"
name = "tiny-edits"
title = "Few"
steps = 3
batch = 4

[optimizer]
warmup = 1

[settings]
samples = 8
encoder = "none"
"#;

const BLIND: &str = r#"base = "./few.toml"
name = "tiny-blind"
title = "Few, blind"

[settings]
vlm_sees_images = false
"#;

/// The encoder sees what the language model does not.
const ALONE: &str = r#"base = "./few-blind.toml"
name = "tiny-alone"
title = "Few, DINOv2 alone"

[from]
reference = "mini-dinov2"

[settings]
encoder = "dinov2"
"#;

const STUDY: &str = r#"name = "eyes"
title = "Eyes?"
suites = ["mini-edit"]
limit = 3
training_seeds = [1, 2]
training_curves = ["loss"]

[factor]
title = "eyes"
control = "blind"

[[factor.levels]]
name = "blind"
models = ["mini-uniworld"]
training = "./few-blind.toml"
settings = { reference = { encoder = "none" }, vlm_sees_images = false, num_inference_steps = 2 }

[[factor.levels]]
name = "dinov2"
models = ["mini-uniworld"]
training = "./few-alone.toml"
settings = { reference = { encoder = "dinov2", size = 32 }, vlm_sees_images = false, num_inference_steps = 2 }

[[factor.levels]]
name = "seeing"
models = ["mini-uniworld"]
training = "./few.toml"
settings = { reference = { encoder = "none" }, num_inference_steps = 2 }
"#;

#[test]
fn a_study_trains_its_levels_and_compares_them() {
    let dir = chain();
    for (name, text) in [
        ("few", EDITS),
        ("few-blind", BLIND),
        ("few-alone", ALONE),
        ("eyes", STUDY),
    ] {
        fs::write(dir.join(format!("{name}.toml")), text).unwrap();
    }
    let told = code(&program(dir, &["run", "./eyes.toml"]), 6);
    assert!(
        told.contains("tiny-blind-seed1 and 5 more are not trained yet"),
        "{told}"
    );
    assert!(told.contains("`unigauge train ./eyes.toml`"), "{told}");
    let plan = program(dir, &["train", "./eyes.toml", "--dry-run"]);
    code(&plan, 0);
    let plan = String::from_utf8(plan.stdout).unwrap();
    assert_eq!(plan.matches("3 steps, to be done").count(), 6, "{plan}");
    let told = code(&program(dir, &["train", "./eyes.toml", "--seed", "3"]), 2);
    assert!(told.contains("`--seed` is for a single training"), "{told}");

    // What another process is at is left to it, and the rest is trained.
    let checkpoints = dir.join("checkpoints");
    let busy = checkpoints.join("tiny-blind-seed2");
    fs::create_dir(&busy).unwrap();
    let lock = fs::File::create(busy.join(".lock")).unwrap();
    lock.try_lock().unwrap();
    let told = code(&program(dir, &["train", "./eyes.toml"]), 5);
    assert!(told.contains("is training here"), "{told}");
    assert!(!busy.join("training.json").exists());
    lock.unlock().unwrap();
    let again = program(dir, &["train", "./eyes.toml"]);
    code(&again, 0);
    let shown = String::from_utf8(again.stdout).unwrap();
    assert_eq!(shown.matches("complete already").count(), 5, "{shown}");

    // A seed of the study is what `--seed` of the training is.
    let alone = [
        "train",
        "./few.toml",
        "--seed",
        "2",
        "--out",
        "checkpoints/alone",
    ];
    code(&program(dir, &alone), 0);
    let weights = |name: &str| fs::read(checkpoints.join(name).join("uniworld/model.safetensors"));
    assert!(weights("alone").unwrap() == weights("tiny-edits-seed2").unwrap());
    assert!(weights("alone").unwrap() != weights("tiny-edits-seed1").unwrap());

    code(&program(dir, &["run", "./eyes.toml"]), 0);
    let results = dir.join("results/mini-edit");
    let run = results.join("eyes-seeing-seed2/seed0-limit3");
    let model = &json(&run.join("manifest.json"))["model"];
    assert_eq!(
        model["settings"]["checkpoint"],
        "checkpoints/tiny-edits-seed2"
    );
    assert_eq!(model["title"], "mini UniWorld-V1, seeing, training seed 2");
    assert_ne!(
        pictures(&run),
        pictures(&results.join("eyes-seeing-seed1/seed0-limit3"))
    );
    let page = fs::read_to_string(dir.join("results/studies/eyes/index.html")).unwrap();
    assert!(
        page.contains("loss"),
        "the curves of the trainings are drawn"
    );
}
