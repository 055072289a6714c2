//! Models without a TOML file: Python files, functions in them, and pipelines of diffusers.
#![cfg(unix)]

use crate::support::{lines, stderr, text_suite, unigauge};
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Output;

/// Takes the place of the Python package: runs the function, and names a batch.
const RUN_MODEL: &str = r#"
import json, runpy, sys
name = sys.argv[1]
if name.startswith("diffusers:"):
    answer = lambda prompt: " ".join(sys.argv[1:])
else:
    file, _, function = name.partition(":")
    answer = runpy.run_path(file).get(function or "generate")
if answer is None:
    print("unigauge: the file has no function", function, file=sys.stderr)
    sys.exit(2)
open("started", "a").write("once\n")
print(json.dumps({"ready": True, "batch": 3}), flush=True)
for line in sys.stdin:
    told = json.loads(line)
    for request in told.get("requests", [told]):
        print(json.dumps({"id": request["id"], "text": answer(request["prompt"])}), flush=True)
"#;

const MODEL: &str =
    "def generate(prompt):\n    return prompt\n\ndef shout(prompt):\n    return prompt.upper()\n";

/// A suite of seven questions, a model, and the package.
fn bench() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    text_suite(dir.path(), 7);
    std::fs::write(dir.path().join("my_model.py"), MODEL).unwrap();
    let package = dir.path().join("packages/unigauge");
    std::fs::create_dir_all(&package).unwrap();
    std::fs::write(package.join("__init__.py"), "").unwrap();
    std::fs::write(package.join("_run_model.py"), RUN_MODEL).unwrap();
    dir
}

fn run(dir: &Path, model: &str) -> Output {
    unigauge(dir)
        .args(["run", "./questions.toml", "-j", "4", "--model", model])
        .env("PYTHONPATH", dir.join("packages"))
        .env_remove("UNIGAUGE_PYTHON")
        .output()
        .unwrap()
}

/// The last text of each item, in the order of the items.
fn texts(dir: &Path, model: &str) -> Vec<String> {
    let path = format!("results/questions/{model}/seed0/outputs.jsonl");
    let mut last = std::collections::BTreeMap::new();
    for line in lines(&dir.join(path)) {
        let text = |key: &str| line[key].as_str().unwrap().to_owned();
        last.insert(text("item"), text("text"));
    }
    last.into_values().collect()
}

fn manifest(dir: &Path, model: &str) -> Value {
    let path = dir.join(format!("results/questions/{model}/seed0/manifest.json"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn a_python_file_is_a_model_and_an_edited_one_is_another() {
    let dir = bench();
    let output = run(dir.path(), "my_model.py");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    // The weights are loaded once, whatever `-j` says.
    let started = std::fs::read_to_string(dir.path().join("started")).unwrap();
    assert_eq!(started, "once\n");
    let texts_before = texts(dir.path(), "my_model");
    assert_eq!(texts_before.len(), 7);
    assert_eq!(texts_before[3], "say number 3");
    let settings = &manifest(dir.path(), "my_model")["model"]["settings"];
    assert_eq!(
        settings["program"],
        serde_json::json!(["python3", "-m", "unigauge._run_model", "my_model.py"])
    );

    let output = run(dir.path(), "./my_model.py");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let again = run(dir.path(), "./my_model.py");
    assert!(
        !stderr(&again).contains("to make again"),
        "{}",
        stderr(&again)
    );

    let edited = MODEL.replace("return prompt\n", "return prompt + '!'\n");
    std::fs::write(dir.path().join("my_model.py"), edited).unwrap();
    let output = run(dir.path(), "./my_model.py");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let said = stderr(&output);
    assert!(
        said.contains("since their settings or their item changed: 7"),
        "{said}"
    );
    assert_eq!(texts(dir.path(), "my_model")[3], "say number 3!");
}

#[test]
fn a_function_and_a_pipeline_of_diffusers_have_names_of_their_own() {
    let dir = bench();
    for (model, name, text) in [
        ("my_model.py:shout", "my_model-shout", "SAY NUMBER 3"),
        ("diffusers:lab/tiny-sd", "tiny-sd", "diffusers:lab/tiny-sd"),
        (
            "diffusers:lab/tiny-sd,num_inference_steps=4,timeout_seconds=60",
            "tiny-sd-num_inference_steps-4",
            "diffusers:lab/tiny-sd num_inference_steps=4",
        ),
    ] {
        let output = run(dir.path(), model);
        assert_eq!(
            output.status.code(),
            Some(0),
            "{model}: {}",
            stderr(&output)
        );
        assert_eq!(texts(dir.path(), name)[3], text);
    }
    // A pipeline in a folder is another one when a file in it changes.
    std::fs::create_dir(dir.path().join("pipe")).unwrap();
    for content in ["one", "another"] {
        std::fs::write(dir.path().join("pipe/model_index.json"), content).unwrap();
        let output = run(dir.path(), "diffusers:pipe");
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let said = stderr(&output);
        assert_eq!(
            said.contains("to make again"),
            content == "another",
            "{said}"
        );
    }
}

#[test]
fn a_plan_of_a_python_model_runs_nothing() {
    let dir = bench();
    std::fs::remove_dir_all(dir.path().join("packages")).unwrap();
    let output = unigauge(dir.path())
        .args(["check", "./questions.toml", "--model", "my_model.py"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

#[test]
fn a_python_without_the_package_is_named_with_what_to_install() {
    let dir = bench();
    let python = dir.path().join("bare-python");
    std::fs::write(&python, "#!/bin/sh\nexec python3 -I -S \"$@\"\n").unwrap();
    std::fs::set_permissions(&python, std::fs::Permissions::from_mode(0o755)).unwrap();
    let with_python = |python: &Path| {
        unigauge(dir.path())
            .args(["run", "./questions.toml", "--model", "my_model.py"])
            .env("UNIGAUGE_PYTHON", python)
            .output()
            .unwrap()
    };
    let output = with_python(&python);
    assert_ne!(output.status.code(), Some(0));
    let said = stderr(&output);
    assert!(said.contains("pip install unigauge-"), "{said}");
    assert!(said.contains("bare-python"), "{said}");
    assert!(!said.contains("times in a row"), "{said}");

    let output = with_python(Path::new("no-such-python"));
    assert_ne!(output.status.code(), Some(0));
    let said = stderr(&output);
    assert!(
        said.contains("no-such-python") && said.contains("UNIGAUGE_PYTHON"),
        "{said}"
    );
}

#[test]
fn a_model_that_cannot_be_served_ends_the_run_at_once() {
    let dir = bench();
    let output = run(dir.path(), "my_model.py:whisper");
    assert_eq!(output.status.code(), Some(6), "{}", stderr(&output));
    let said = stderr(&output);
    assert!(said.contains("the file has no function whisper"), "{said}");
    assert!(!said.contains("times in a row"), "{said}");
}

#[test]
fn a_file_that_is_not_there_is_a_usage_error() {
    let dir = bench();
    for model in ["other.py", "other.py:draw"] {
        let output = run(dir.path(), model);
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        let said = stderr(&output);
        assert!(said.contains("other.py: there is no such file"), "{said}");
    }
}

#[test]
fn settings_that_a_python_file_lacks_are_usage_errors() {
    let dir = bench();
    for (model, named) in [
        (
            "my_model.py,num_inference_steps=4",
            "no setting `num_inference_steps`",
        ),
        ("my_model.py:shout,batch=many", "\"many\" is not a number"),
    ] {
        let output = run(dir.path(), model);
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        let said = stderr(&output);
        assert!(said.contains(named), "{said}");
    }
}

#[test]
fn two_models_of_one_name_are_refused_before_any_output() {
    let dir = bench();
    std::fs::create_dir(dir.path().join("other")).unwrap();
    std::fs::write(dir.path().join("other/my_model.py"), MODEL).unwrap();
    let output = unigauge(dir.path())
        .args([
            "run",
            "./questions.toml",
            "--model",
            "my_model.py",
            "other/my_model.py",
        ])
        .env("PYTHONPATH", dir.path().join("packages"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    let said = stderr(&output);
    assert!(
        said.contains("two models have the name `my_model`"),
        "{said}"
    );
    assert!(!dir.path().join("results").exists());
}
