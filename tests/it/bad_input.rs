//! Hostile and broken input, through the program: a clear error that names file and field, the other items go
//! on, and nothing written earlier is lost. (What a single room does with such input is tested beside that
//! room.)

use crate::support::{lines, model, stderr, text_suite, unigauge};
use std::path::Path;

fn one_pixel_png() -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::RgbImage::from_pixel(8, 8, image::Rgb([200, 30, 30]))
        .write_to(&mut bytes, image::ImageFormat::Png)
        .unwrap();
    bytes.into_inner()
}

/// A PNG whose header promises 30,000 × 30,000 pixels.
fn bomb() -> Vec<u8> {
    let mut bytes = one_pixel_png();
    bytes[16..20].copy_from_slice(&30_000u32.to_be_bytes());
    bytes[20..24].copy_from_slice(&30_000u32.to_be_bytes());
    let crc = crc32(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&crc.to_be_bytes());
    bytes
}

/// CRC-32 as the PNG specification defines it.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 {
                0xEDB8_8320 ^ (crc >> 1)
            } else {
                crc >> 1
            }
        })
    })
}

pub(crate) fn picture_suite(dir: &Path, ids: &[&str]) {
    text_suite(dir, 1);
    let items: String = ids
        .iter()
        .map(|id| {
            format!(
                "{}\n",
                serde_json::json!({"id": id, "prompt": id, "answers": ["x"], "kind": "k"})
            )
        })
        .collect();
    std::fs::write(dir.join("questions.jsonl"), items).unwrap();
    let suite = std::fs::read_to_string(dir.join("questions.toml")).unwrap();
    std::fs::write(
        dir.join("questions.toml"),
        suite.replace("understand", "text-to-image"),
    )
    .unwrap();
}

#[test]
fn broken_pictures_fail_alone_and_say_why() {
    let dir = tempfile::tempdir().unwrap();
    picture_suite(
        dir.path(),
        &["good", "empty", "cut", "bomb", "absent", "text"],
    );
    let folder = dir.path().join("theirs");
    std::fs::create_dir(&folder).unwrap();
    let png = one_pixel_png();
    for (name, bytes) in [
        ("good", &png[..]),
        ("empty", b""),
        ("cut", &png[..png.len() / 2]),
        ("bomb", &bomb()),
        ("text", b"no picture"),
    ] {
        std::fs::write(folder.join(format!("{name}.png")), bytes).unwrap();
    }
    model(
        dir.path(),
        "theirs",
        "folder",
        "path = \"theirs\"\nlayout = \"flat\"",
    );
    let output = unigauge(dir.path())
        .args(["generate", "./questions.toml", "--model", "./theirs.toml"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
    let records = lines(
        &dir.path()
            .join("results/questions/theirs/seed0/outputs.jsonl"),
    );
    assert_eq!(records.len(), 6);
    for record in records {
        let name = record["item"].as_str().unwrap();
        let message = record["error"]["message"].as_str().unwrap_or("");
        let expected = match name {
            "good" => "",
            "empty" => "empty",
            "bomb" => "30000",
            "absent" => "absent.png",
            _ => name,
        };
        assert_eq!(record.get("error").is_none(), name == "good", "{record}");
        assert!(message.contains(expected), "{name}: {message}");
        assert!(!message.contains("os error"), "{name}: {message}");
    }
}

#[test]
fn ids_that_would_leave_the_run_folder_are_refused_by_line() {
    let dir = tempfile::tempdir().unwrap();
    picture_suite(dir.path(), &["../secret", "fine", "/etc/passwd"]);
    model(dir.path(), "drawn", "typeset", "");
    let output = unigauge(dir.path())
        .args(["run", "./questions.toml", "--model", "./drawn.toml"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let message = stderr(&output);
    assert!(
        message.contains("questions.jsonl:1") && message.contains("questions.jsonl:3"),
        "{message}"
    );
    assert!(!dir.path().join("results").exists());
}

#[test]
#[cfg(unix)]
fn pictures_that_lie_outside_the_folder_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    picture_suite(dir.path(), &["fine", "link"]);
    let theirs = dir.path().join("theirs");
    std::fs::create_dir(&theirs).unwrap();
    std::fs::write(dir.path().join("secret.png"), one_pixel_png()).unwrap();
    std::fs::write(theirs.join("fine.png"), one_pixel_png()).unwrap();
    std::os::unix::fs::symlink(dir.path().join("secret.png"), theirs.join("link.png")).unwrap();
    model(
        dir.path(),
        "theirs",
        "folder",
        "path = \"theirs\"\nlayout = \"flat\"",
    );
    unigauge(dir.path())
        .args(["generate", "./questions.toml", "--model", "./theirs.toml"])
        .assert()
        .code(5);
    let run = dir.path().join("results/questions/theirs/seed0");
    let good: Vec<_> = lines(&run.join("outputs.jsonl"))
        .into_iter()
        .filter(|o| o.get("error").is_none())
        .collect();
    assert_eq!(good.len(), 1);
    assert_eq!(good[0]["item"], "fine");
}

#[test]
fn generated_names_stay_inside_the_run_folder() {
    let dir = tempfile::tempdir().unwrap();
    picture_suite(
        dir.path(),
        &["%2E%2E%2F..%2Fescape", "a:b*c?", "~", "名前 ü"],
    );
    model(
        dir.path(),
        "drawn",
        "typeset",
        "width = 64\nheight = 64\nmargin = 4",
    );
    unigauge(dir.path())
        .args(["generate", "./questions.toml", "--model", "./drawn.toml"])
        .assert()
        .code(0);
    let run = dir.path().join("results/questions/drawn/seed0");
    let root = run.canonicalize().unwrap();
    for output in lines(&run.join("outputs.jsonl")) {
        let file = run
            .join(output["file"].as_str().unwrap())
            .canonicalize()
            .unwrap();
        assert!(file.starts_with(&root), "{}", file.display());
    }
}

#[test]
fn a_suite_with_an_unknown_observer_names_the_known_ones() {
    let dir = tempfile::tempdir().unwrap();
    text_suite(dir.path(), 2);
    let suite = std::fs::read_to_string(dir.path().join("questions.toml")).unwrap();
    let with = suite.replace(
        "task = \"understand\"",
        "task = \"understand\"\nobservers = [\"pp-ocr\"]",
    );
    std::fs::write(dir.path().join("questions.toml"), with).unwrap();
    model(dir.path(), "echo", "echo", "");
    let output = unigauge(dir.path())
        .args(["run", "./questions.toml", "--model", "./echo.toml"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    let message = stderr(&output);
    assert!(
        message.contains("pp-ocr") && message.contains("ppocr"),
        "{message}"
    );
}

#[test]
fn a_broken_items_file_names_its_lines() {
    let dir = tempfile::tempdir().unwrap();
    text_suite(dir.path(), 2);
    std::fs::write(
        dir.path().join("questions.jsonl"),
        "\u{feff}{\"id\":\"a\",\"prompt\":\"x\",\"answers\":[\"x\"],\"kind\":\"k\"}\nnonsense\n",
    )
    .unwrap();
    let output = unigauge(dir.path())
        .args(["items", "./questions.toml"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("questions.jsonl:2"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_child_that_dies_hangs_or_babbles_costs_only_its_items() {
    let dir = tempfile::tempdir().unwrap();
    text_suite(dir.path(), 8);
    std::fs::write(
        dir.path().join("child.py"),
        r#"
import json, sys, time
for line in sys.stdin:
    request = json.loads(line)
    if request["item"] == "q1":
        sys.exit(3)
    if request["item"] == "q2":
        time.sleep(60)
    if request["item"] == "q3":
        print("not json at all", flush=True)
    print(json.dumps({"id": request["id"], "text": request["prompt"]}), flush=True)
"#,
    )
    .unwrap();
    model(
        dir.path(),
        "child",
        "command",
        "program = [\"python3\", \"child.py\"]\ntimeout_seconds = 3\nstartup_timeout_seconds = 1",
    );
    let output = unigauge(dir.path())
        .args([
            "generate",
            "./questions.toml",
            "--model",
            "./child.toml",
            "--jobs",
            "1",
        ])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
    let records = lines(
        &dir.path()
            .join("results/questions/child/seed0/outputs.jsonl"),
    );
    let failed: Vec<&str> = records
        .iter()
        .filter(|o| o.get("error").is_some())
        .map(|o| o["item"].as_str().unwrap())
        .collect();
    assert_eq!(failed, ["q1", "q2"]);
    assert_eq!(records.len(), 8);
}
