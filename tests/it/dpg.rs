//! DPG-Bench: its rule, its table of questions, and the observer `mplug-vqa`.

use crate::support::{lines, stderr, unigauge};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name)
}

fn write_lines(path: &Path, values: &Value) {
    let lines = values.as_array().unwrap().iter();
    fs::write(
        path,
        lines.map(|line| format!("{line}\n")).collect::<String>(),
    )
    .unwrap();
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-9
}

/// tests/golden/grading/dpg.py computes the expectations from the specification of the official script.
#[test]
fn grades_are_those_of_the_official_script() {
    let dir = tempfile::tempdir().unwrap();
    let file =
        std::env::var_os("UNIGAUGE_DPG_CASES").map_or(golden("grading/dpg.json"), PathBuf::from);
    let case: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    write_lines(&dir.path().join("items.jsonl"), &case["items"]);
    write_lines(&dir.path().join("evidence.jsonl"), &case["evidence"]);
    let output = unigauge(dir.path())
        .args([
            "grade",
            "--suite",
            "dpg-bench",
            "--items",
            "items.jsonl",
            "--evidence",
            "evidence.jsonl",
            "--out",
            "out",
        ])
        .output()
        .unwrap();
    // Items that the official script leaves out make the numbers partial.
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
    let expected = &case["expected"];
    let mut left_out = 0;
    let grades = lines(&dir.path().join("out/grades.jsonl"));
    assert!(grades.len() >= 360);
    for grade in grades {
        let item = grade["item"].as_str().unwrap();
        match expected["scores"][item].as_array() {
            Some(scores) => {
                let want = scores[grade["repeat"].as_u64().unwrap() as usize]
                    .as_f64()
                    .unwrap();
                assert!(close(grade["score"].as_f64().unwrap(), want), "{grade}");
            }
            None => {
                assert!(
                    grade["score"].is_null() && grade["unscored"].is_string(),
                    "{grade}"
                );
                left_out += 1;
            }
        }
    }
    assert!(left_out > 0);
    let summary: Value =
        serde_json::from_slice(&fs::read(dir.path().join("out/summary.json")).unwrap()).unwrap();
    let overall = summary["overall"]["value"].as_f64().unwrap();
    assert!(
        close(overall, expected["overall"].as_f64().unwrap()),
        "{overall}"
    );
    let (got, want) = (
        summary["metrics"].as_object().unwrap(),
        expected["metrics"].as_object().unwrap(),
    );
    assert_eq!(
        got.keys().collect::<std::collections::BTreeSet<_>>(),
        want.keys().collect()
    );
    for (name, value) in want {
        assert!(
            close(got[name].as_f64().unwrap(), value.as_f64().unwrap()),
            "{name}"
        );
    }
    let official =
        fs::read_to_string(dir.path().join("out/official/dpg-bench_results.txt")).unwrap();
    let last = official.lines().last().unwrap();
    let score: f64 = last
        .strip_prefix("DPG-Bench score: ")
        .unwrap()
        .parse()
        .unwrap();
    assert!(close(score, 100.0 * overall), "{last}");
    let counted = expected["scores"]
        .as_object()
        .unwrap()
        .values()
        .filter(|scores| scores.is_array())
        .count();
    assert_eq!(
        official
            .lines()
            .filter(|line| line.starts_with("outputs/"))
            .count(),
        counted
    );
}

const TABLE: &str = "\
item_id,text,keywords,proposition_id,dependency,category_broad,category_detailed,tuple,question_natural_language
a,\"A cat, on a mat\",,1,0,entity,whole,entity - whole (cat),Is there a cat?
a,\"A cat, on a mat\",,2,1,attribute,color,\"attribute - color (cat, red)\",Is the cat red?
b,Two dogs,,1,0,entity,whole,entity - whole (dogs),Are there dogs?
b,Two dogs,,2,1,other,count,\"other - count (dogs, ==2)\",Are there two dogs?
c,A house,,1,0,entity,whole,entity - whole (house),Is there a house?
b,Two dogs,,3,\"0\",global,,global - (photo),\"Is it a photo, or \"\"not\"\"?\"
";

fn suite(dir: &Path, format: &str) -> PathBuf {
    fs::write(dir.join("table.csv"), TABLE).unwrap();
    let path = dir.join("own.toml");
    let text = format!(
        "name = \"own\"\nversion = \"1\"\ntitle = \"Own\"\ntask = \"text-to-image\"\nrepeats = 4\nlayout = \"dpg\"\n\
         observers = [\"mplug-vqa\"]\n\n[items]\nfile = \"table.csv\"\nformat = \"{format}\"\n\n[items.map]\n\
         expect = [\"propositions\"]\n\n[grade]\nrule = \"dpg-bench\"\n\n[observe.mplug-vqa]\ncheckpoint = {:?}\n",
        golden("parity/mplug_vqa/checkpoint"),
    );
    fs::write(&path, text).unwrap();
    path
}

/// The first row is lost as officially; rows of an item that stand apart replace the earlier ones.
#[test]
fn the_table_is_read_as_the_official_script_reads_it() {
    let dir = tempfile::tempdir().unwrap();
    let items = |format: &str| {
        let output = unigauge(dir.path())
            .arg("items")
            .arg(suite(dir.path(), format))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .collect::<Vec<_>>()
    };
    let ids = |item: &Value| {
        let rows = item["expect"]["propositions"].as_array().unwrap().iter();
        rows.map(|row| row["id"].as_i64().unwrap())
            .collect::<Vec<_>>()
    };
    let official = items("dpg-csv");
    let names: Vec<&str> = official
        .iter()
        .map(|item| item["item"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["a", "b", "c"]);
    assert_eq!(official[0]["prompt"], "A cat, on a mat");
    assert_eq!(
        official.iter().map(ids).collect::<Vec<_>>(),
        [vec![2], vec![3], vec![1]]
    );
    assert_eq!(
        official[1]["expect"]["propositions"][0],
        json!({"id": 3, "dependency": "0", "category_broad": "global", "category_detailed": "",
            "tuple": "global - (photo)", "question": "Is it a photo, or \"not\"?"})
    );
    assert_eq!(ids(&items("dpg-csv-whole")[0]), [1, 2]);
}

/// Grids of 2 × 2 in the official layout, looked at by a tiny random mPLUG.
#[test]
fn grids_are_cut_asked_and_graded() {
    let dir = tempfile::tempdir().unwrap();
    let suite = suite(dir.path(), "dpg-csv-whole");
    let images = dir.path().join("images");
    fs::create_dir(&images).unwrap();
    for (name, shade) in [("b", 40), ("c", 200)] {
        let grid = image::RgbImage::from_fn(64, 64, |x, y| {
            image::Rgb([
                shade,
                (x * 4 % 256) as u8,
                if x < 32 && y < 32 { 255 } else { (y * 3) as u8 },
            ])
        });
        grid.save(images.join(format!("{name}.png"))).unwrap();
    }
    let observe = |more: &[&str]| {
        let mut command = unigauge(dir.path());
        command
            .args(["observe", "--device", "cpu", "--suite"])
            .arg(&suite);
        command
            .arg("--images")
            .arg(&images)
            .args(more)
            .output()
            .unwrap()
    };
    let output = observe(&[]);
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
    let said = stderr(&output);
    assert!(
        said.contains("8 of 12 pictures found") && said.contains("4 missing"),
        "{said}"
    );
    let run = dir.path().join("results/own/folder/seed0");
    let evidence = lines(&run.join("evidence.jsonl"));
    assert_eq!(evidence.len(), 8);
    for record in &evidence {
        let asked = record["evidence"]["answers"].as_object().unwrap();
        assert_eq!(asked.len(), 1);
        assert!(asked.values().all(Value::is_string));
    }
    let summary: Value =
        serde_json::from_slice(&fs::read(run.join("summary.json")).unwrap()).unwrap();
    assert_eq!(
        (&summary["scored"], &summary["partial"]),
        (&json!(8), &json!(true))
    );

    // The question is part of what is observed: another wording is asked again, the rest is kept.
    let table = fs::read_to_string(dir.path().join("table.csv")).unwrap();
    fs::write(
        dir.path().join("table.csv"),
        table.replace("Is there a house?", "Is there a home?"),
    )
    .unwrap();
    let again = observe(&[]);
    assert_eq!(again.status.code(), Some(5), "{}", stderr(&again));
    assert_eq!(lines(&run.join("evidence.jsonl")).len(), 12);
}
