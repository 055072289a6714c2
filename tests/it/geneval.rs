//! The observer `geneval-detector` and the suite GenEval with it: tests/golden/detector/make.py says where
//! the expected numbers come from.

use crate::support::{lines, stderr, unigauge};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/detector")
}

/// A suite whose items ask for the colour that the Python reference was asked for.
fn suite(dir: &Path, expected: &[Value]) -> PathBuf {
    let items: String = expected
        .iter()
        .map(|line| {
            let stem = line["picture"].as_str().unwrap().trim_end_matches(".png");
            let include = [json!({"class": line["color_of"], "count": 1, "color": "red"})];
            let expect = json!({"tag": "colors", "include": include});
            let item =
                json!({"id": stem, "prompt": "p", "expect": expect, "tags": {"tag": "colors"}});
            format!("{item}\n")
        })
        .collect();
    fs::write(dir.join("own.jsonl"), items).unwrap();
    let path = dir.join("own.toml");
    let text = format!(
        "name = \"own\"\nversion = \"1\"\ntitle = \"Own\"\ntask = \"text-to-image\"\n\
         observers = [\"geneval-detector\"]\n\n[items]\nfile = \"own.jsonl\"\n\n[grade]\nrule = \"geneval\"\n\n\
         [observe.geneval-detector]\ndetector = {:?}\nclip = {:?}\n",
        golden().join("mask2former"),
        golden().join("clip"),
    );
    fs::write(&path, text).unwrap();
    path
}

fn observe(dir: &Path, suite: &Path, images: &Path, more: &[&str]) -> assert_cmd::assert::Assert {
    let mut command = unigauge(dir);
    command.args(["observe", "--device", "cpu", "--suite"]);
    command.arg(suite).arg("--images").arg(images).args(more);
    command.assert()
}

fn close(got: &Value, want: &Value, allowed: f64) -> bool {
    (got.as_f64().unwrap() - want.as_f64().unwrap()).abs() < allowed
}

#[test]
fn detections_and_colours_are_those_of_the_python_reference() {
    let dir = tempfile::tempdir().unwrap();
    let expected = lines(&golden().join("expected.jsonl"));
    let suite = suite(dir.path(), &expected);
    let images = golden().join("images");
    observe(dir.path(), &suite, &images, &["--jobs", "1"]).success();
    let evidence = lines(&dir.path().join("results/own/folder/seed0/evidence.jsonl"));
    assert_eq!(evidence.len(), expected.len());
    for want in &expected {
        let stem = want["picture"].as_str().unwrap().trim_end_matches(".png");
        let record = evidence.iter().find(|line| line["item"] == stem).unwrap();
        let got = &record["evidence"];
        assert_eq!(
            (&got["width"], &got["height"]),
            (&want["width"], &want["height"])
        );
        let (got, want) = (
            got["detections"].as_array().unwrap(),
            want["detections"].as_array().unwrap(),
        );
        assert_eq!(got.len(), want.len(), "{stem}");
        for (got, want) in got.iter().zip(want) {
            assert_eq!(
                (&got["class"], &got["box"]),
                (&want["class"], &want["box"]),
                "{stem}"
            );
            assert!(
                close(&got["score"], &want["score"], 1e-4),
                "{stem}: {got} {want}"
            );
            assert_eq!(got.get("color"), want.get("color"), "{stem}");
            for (color, score) in want["color_scores"].as_object().into_iter().flatten() {
                assert!(
                    close(&got["color_scores"][color], score, 1e-3),
                    "{stem} {color}: {got} {want}"
                );
            }
        }
    }

    // Several at a time, in another order, without cropping: the same objects, byte for byte, with other
    // colours.
    observe(
        dir.path(),
        &suite,
        &images,
        &["--jobs", "3", "--name", "many"],
    )
    .success();
    let by_item = |run: &str| {
        let mut all = lines(&dir.path().join(format!("results/own/{run}/evidence.jsonl")));
        all.sort_by_key(|line| line["item"].to_string());
        all.into_iter()
            .map(|line| line["evidence"].to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(by_item("folder/seed0"), by_item("many/seed0"));
    let whole = [
        "--name",
        "whole",
        "--set",
        "observe.geneval-detector.crop=false",
    ];
    let output = observe(dir.path(), &suite, &images, &whole).success();
    let shown = String::from_utf8_lossy(&output.get_output().stdout).into_owned();
    assert!(
        shown.contains("whole (observe.geneval-detector.crop=false)"),
        "{shown}"
    );
    assert_ne!(by_item("folder/seed0"), by_item("whole/seed0"));
}

#[test]
fn missing_pictures_and_wrong_settings_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let expected = lines(&golden().join("expected.jsonl"));
    let suite = suite(dir.path(), &expected);
    let images = dir.path().join("images");
    fs::create_dir(&images).unwrap();
    fs::copy(golden().join("images/0.png"), images.join("0.png")).unwrap();
    fs::copy(golden().join("images/1.png"), images.join("unasked.png")).unwrap();
    let output = observe(dir.path(), &suite, &images, &[]).code(5);
    let said = stderr(output.get_output());
    assert!(
        said.contains("1 of 4 pictures found") && said.contains("3 missing"),
        "{said}"
    );
    assert!(said.contains("1 not asked for: unasked.png"), "{said}");

    for (set, words) in [
        ("observe.geneval-detector.bgcolor=\"#12\"", "bgcolor"),
        ("observe.geneval-detector.bgcolour=\"#123\"", "bgcolor"),
        ("observe.ppocr.direction=false", "has no observer `ppocr`"),
        (
            "observe.geneval-detector.detector=\"nowhere\"",
            "no such file or folder",
        ),
        ("rule.threshold=0.4", "`rule` cannot be set"),
    ] {
        let failed = observe(dir.path(), &suite, &images, &["--set", set]).failure();
        let said = stderr(failed.get_output());
        assert!(said.contains(words), "{set}: {said}");
    }
}

/// GenEval names one checkpoint; without it the program says which files to fetch.
#[test]
fn the_files_that_the_official_detector_needs_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let check = unigauge(dir.path())
        .args(["--offline", "--cache"])
        .arg(dir.path().join("cache"))
        .args([
            "check", "geneval", "--model", "typeset", "--limit", "1", "--device", "cpu",
        ])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&check.stdout).into_owned();
    for asset in ["mask2former-swin-s-coco", "clip-vit-l-14"] {
        assert!(said.contains(asset), "{said}");
    }
}

#[test]
fn a_detector_that_answers_otherwise_than_before_scores_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let suite = suite(dir.path(), &lines(&golden().join("expected.jsonl"))[..1]);
    let images = golden().join("images");
    let look = || {
        let mut command = unigauge(dir.path());
        command.args(["observe", "--device", "cpu", "--cache", "cache", "--suite"]);
        command.arg(&suite).arg("--images").arg(&images);
        command.output().unwrap()
    };
    let first = look();
    assert_eq!(first.status.code(), Some(0), "{}", stderr(&first));
    let kept = dir.path().join("cache/self-tests/geneval-detector");
    let file = fs::read_dir(&kept).unwrap().next().unwrap().unwrap().path();
    let mut answer: Vec<f64> = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    fs::remove_dir_all(dir.path().join("results")).unwrap();
    assert_eq!(look().status.code(), Some(0));

    answer[3] += 1.0;
    fs::write(&file, serde_json::to_string(&answer).unwrap()).unwrap();
    fs::remove_dir_all(dir.path().join("results")).unwrap();
    let changed = look();
    assert_eq!(changed.status.code(), Some(6), "{}", stderr(&changed));
    let told = stderr(&changed);
    let name = file.file_name().unwrap().to_string_lossy();
    assert!(
        told.contains("first loaded") && told.contains(&*name),
        "{told}"
    );
}
