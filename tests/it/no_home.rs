//! Without HOME there is no asset cache: a run goes on unless something must be put there.
#![cfg(unix)]

use crate::support::{model, stderr, text_suite};
use base64::Engine as _;
use std::path::Path;
use std::process::{Command, Output};

/// The program with no environment but PATH, and what is given.
fn bare(dir: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_unigauge"))
        .current_dir(dir)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .envs(variables.iter().copied())
        .args(arguments)
        .output()
        .unwrap()
}

fn code(output: &Output) -> Option<i32> {
    eprintln!("{}", stderr(output));
    output.status.code()
}

#[test]
fn what_needs_no_asset_needs_no_home() {
    let dir = tempfile::tempdir().unwrap();
    text_suite(dir.path(), 4);
    model(dir.path(), "echo", "echo", "");
    let run = "results/questions/echo/seed0";
    for arguments in [
        &["run", "./questions.toml", "--model", "./echo.toml"][..],
        &["items", "geneval"],
        &["grade", run],
        &["list", "assets"],
        &["fetch"],
        &["table", "geneval"],
    ] {
        let output = bare(dir.path(), arguments, &[]);
        assert_eq!(code(&output), Some(0), "{arguments:?}");
    }
    let words = "index\tquestion\tanswer\n1\tIs it?\tYes\n";
    std::fs::write(dir.path().join("t.tsv"), words).unwrap();
    table(dir.path(), "file = \"t.tsv\"", "id = \"index\"");
    let output = bare(dir.path(), &["items", "./own.toml"], &[]);
    assert_eq!(code(&output), Some(0), "a table without pictures");
}

/// A suite over a table.
fn table(dir: &Path, items: &str, map: &str) {
    let text = format!(
        "name = \"own\"\nversion = \"1\"\ntitle = \"Own\"\ntask = \"understand\"\n\n[items]\n{items}\n\n\
         [items.map]\n{map}\nprompt = \"question\"\nexpect = {{ answers = \"answer\" }}\n\n[grade]\nrule = \"contains\"\n"
    );
    std::fs::write(dir.join("own.toml"), text).unwrap();
}

/// One row with a picture inside.
fn pictured(dir: &Path) {
    let mut png = std::io::Cursor::new(Vec::new());
    image::RgbImage::from_pixel(6, 4, image::Rgb([7, 10, 200]))
        .write_to(&mut png, image::ImageFormat::Png)
        .unwrap();
    let encoded = base64::engine::general_purpose::STANDARD.encode(png.into_inner());
    let rows =
        serde_json::json!([{"index": 1, "question": "Which?", "image": encoded, "answer": "blue"}]);
    std::fs::write(dir.join("t.json"), rows.to_string()).unwrap();
    table(
        dir,
        "file = \"t.json\"",
        "id = \"index\"\nimages = \"image\"\nimage_encoding = \"base64\"",
    );
}

#[test]
fn what_must_be_put_into_a_cache_asks_for_one() {
    let dir = tempfile::tempdir().unwrap();
    pictured(dir.path());
    for arguments in [
        &[
            "run",
            "mini-geneval",
            "--model",
            "mini-flux",
            "--limit",
            "1",
        ][..],
        &["items", "mini-edit"],
        &["items", "ocrbench"],
        &["items", "./own.toml"],
        &["fetch", "--offline", "ppocr-v4-det"],
    ] {
        let output = bare(dir.path(), arguments, &[]);
        assert_eq!(code(&output), Some(6), "{arguments:?}");
        assert!(stderr(&output).contains("UNIGAUGE_CACHE"), "{arguments:?}");
    }
    // Any of the three variables will do.
    let place = dir.path().to_str().unwrap();
    for variable in ["UNIGAUGE_CACHE", "XDG_CACHE_HOME", "HOME"] {
        let output = bare(dir.path(), &["items", "mini-edit"], &[(variable, place)]);
        assert_eq!(code(&output), Some(0), "{variable}");
    }
}

#[test]
fn a_cache_that_cannot_be_written_is_named_in_plain_words() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    let below = file.join("cache");
    for arguments in [
        &[
            "run",
            "mini-geneval",
            "--model",
            "mini-flux",
            "--limit",
            "1",
        ][..],
        &["items", "mini-edit"],
    ] {
        let output = bare(
            dir.path(),
            arguments,
            &[("UNIGAUGE_CACHE", below.to_str().unwrap())],
        );
        assert_ne!(code(&output), Some(0), "{arguments:?}");
        let said = stderr(&output);
        let named = ["cannot write", "cannot create the folder"];
        assert!(named.iter().any(|words| said.contains(words)), "{said}");
        assert!(!said.contains("cannot cannot"), "{said}");
    }
}
