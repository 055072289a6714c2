//! The CI recipes of the documentation, carried out: their YAML is read, and the lines that run the program
//! are run.

use crate::docs::page::pages;
use crate::support::{ocr_models, unigauge};
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

/// The YAML blocks of the guide to gates.
fn recipes() -> Vec<Value> {
    let guide = Path::new("docs/guides/gate-in-ci.md");
    let guide = pages().into_iter().find(|page| page.path == guide).unwrap();
    let yaml = guide
        .blocks()
        .into_iter()
        .filter(|block| block.language == "yaml");
    yaml.map(|block| serde_saphyr::from_str(&block.text).unwrap())
        .collect()
}

/// The command lines of a GitHub workflow or a GitLab job, without those that install.
fn commands(recipe: &Value) -> Vec<String> {
    let job = recipe.get("jobs").map_or(recipe, |jobs| jobs);
    let job = &job["gate"];
    let lines: Vec<&str> = match (job.get("steps"), job.get("script")) {
        (Some(steps), _) => {
            let steps = steps.as_array().unwrap();
            steps
                .iter()
                .filter_map(|step| step["run"].as_str())
                .collect()
        }
        (_, Some(script)) => {
            let lines = script.as_array().unwrap().iter();
            lines.map(|line| line.as_str().unwrap()).collect()
        }
        _ => panic!("{recipe:#}"),
    };
    let installs = |line: &&str| line.contains("apt-get") || line.starts_with("cargo install ");
    assert!(lines.iter().any(|line| line.starts_with("cargo install ")));
    let own: Vec<String> = lines
        .iter()
        .filter(|l| !installs(l))
        .map(|l| (*l).to_owned())
        .collect();
    assert!(
        own.iter().all(|line| line.starts_with("unigauge ")),
        "{own:?}"
    );
    own
}

/// Runs the lines one by one, as a CI does, until one fails; the exit code and the line.
fn carried_out(dir: &Path, lines: &[String]) -> (i32, String) {
    for line in lines {
        let path = format!(
            "{}:{}",
            dir.join("bin").display(),
            std::env::var("PATH").unwrap()
        );
        let status = Command::new("bash")
            .args(["-e", "-c", line])
            .current_dir(dir)
            .env("PATH", path)
            .env_remove("GITHUB_STEP_SUMMARY")
            .env_remove("GITHUB_ACTIONS")
            .output()
            .unwrap()
            .status;
        if !status.success() {
            return (status.code().unwrap(), line.clone());
        }
    }
    (0, String::new())
}

fn model(dir: &Path, settings: &str) {
    let text = format!(
        "name = \"my-model\"\ntitle = \"My model\"\ngenerator = \"typeset\"\n[settings]\n{settings}\n"
    );
    std::fs::write(dir.join("my-model.toml"), text).unwrap();
}

#[test]
fn the_recipes_pass_and_fail_as_they_should() {
    let recipes = recipes();
    assert_eq!(
        recipes.len(),
        2,
        "a workflow for GitHub and a job for GitLab"
    );
    assert!(recipes[0].get("on").is_some() && recipes[0]["jobs"]["gate"]["runs-on"].is_string());
    assert!(recipes[1]["gate"]["image"].is_string());
    if ocr_models().is_none() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let program = dir.path().join("bin/unigauge");
    std::fs::create_dir(dir.path().join("bin")).unwrap();
    // The program itself, on fewer items, so that the test is quick.
    let short = format!(
        "#!/bin/bash\nif [ \"$1\" = run ]; then set -- \"$@\" --limit 12 --run seed0; fi\nexec {} \"$@\"\n",
        env!("CARGO_BIN_EXE_unigauge")
    );
    std::fs::write(&program, short).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();

    model(dir.path(), "");
    let run = commands(&recipes[0])[0].clone();
    assert_eq!(carried_out(dir.path(), &[run]), (0, String::new()));
    let save = [
        "baseline",
        "save",
        "results/quick/my-model/seed0",
        "--to",
        "baseline.json",
    ];
    unigauge(dir.path()).args(save).assert().code(0);
    for recipe in &recipes {
        assert_eq!(
            carried_out(dir.path(), &commands(recipe)),
            (0, String::new())
        );
    }
    // A change to the model that blurs its type and loses words.
    model(dir.path(), "blur = 4.0\ndrop = 0.3");
    for recipe in &recipes {
        let _ = std::fs::remove_dir_all(dir.path().join("gate"));
        let (code, line) = carried_out(dir.path(), &commands(recipe));
        assert_eq!(code, 3, "{line}");
        assert!(line.starts_with("unigauge gate "), "{line}");
        // What the recipes upload.
        for path in [
            "gate/index.html",
            "gate/junit.xml",
            "results/quick/my-model/seed0/report",
        ] {
            assert!(dir.path().join(path).exists(), "{path}");
        }
    }
}
