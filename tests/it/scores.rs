//! The observers `clip-score` and `hpsv2` beside the Python references.

use crate::support::{lines, stderr, unigauge};
use serde_json::Value;
use std::fs;
use std::path::Path;

/// tests/golden/detector/scores.py says where the numbers come from.
#[test]
fn similarities_of_pictures_and_prompts_are_those_of_the_python_references() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/detector");
    let expected: Value =
        serde_json::from_slice(&fs::read(golden.join("scores.json")).unwrap()).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let items = expected["items"].as_array().unwrap();
    let text: String = items
        .iter()
        .map(|item| {
            format!(
                "{}\n",
                serde_json::json!({"id": item["id"], "prompt": item["prompt"]})
            )
        })
        .collect();
    fs::write(dir.path().join("own.jsonl"), text).unwrap();
    for (observer, key, options) in [
        (
            "clip-score",
            "clip_t",
            format!("clip = {:?}", golden.join("clip")),
        ),
        (
            "hpsv2",
            "hpsv2",
            format!("checkpoint = {:?}", golden.join("hpsv2")),
        ),
        (
            "hpsv2",
            "hpsv2_plain",
            format!("checkpoint = {:?}\nantialias = false", golden.join("hpsv2")),
        ),
    ] {
        let written = key.trim_end_matches("_plain");
        let suite = format!(
            "name = \"own\"\nversion = \"1\"\ntitle = \"Own\"\ntask = \"text-to-image\"\nobservers = [\"{observer}\"]\n\n\
             [items]\nfile = \"own.jsonl\"\n\n[grade]\nrule = \"measure\"\noptions = {{ key = \"{written}\", scale = 100 }}\n\n\
             [observe.{observer}]\n{options}\n"
        );
        fs::write(dir.path().join("own.toml"), suite).unwrap();
        let output = unigauge(dir.path())
            .args([
                "observe", "--device", "cpu", "--suite", "own.toml", "--name", key, "--images",
            ])
            .arg(golden.join("images"))
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let grades = lines(
            &dir.path()
                .join(format!("results/own/{key}/seed0/grades.jsonl")),
        );
        assert_eq!(grades.len(), items.len());
        for (grade, item) in grades.iter().zip(items) {
            let (got, want) = (
                grade["score"].as_f64().unwrap(),
                100.0 * item[key].as_f64().unwrap(),
            );
            assert!((got - want).abs() < 1e-3, "{observer} {key}: {got} {want}");
        }
    }
}
