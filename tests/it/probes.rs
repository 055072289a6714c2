//! The probes as a user runs them: noise, text beside an edit, and drawn maps. The controls come out as
//! docs/guides/probes.md says.

use crate::support::{lines, model, stderr, unigauge};
use image::{Rgb, RgbImage};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// Runs a suite with a control and gives its summary.
fn run(dir: &Path, suite: &str, model: &str) -> Value {
    let output = unigauge(dir)
        .args(["run", suite, "--model", model, "--quiet"])
        .env("UNIGAUGE_CACHE", dir.join("cache"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let suite = Path::new(suite).file_stem().unwrap().to_str().unwrap();
    let model = Path::new(model).file_stem().unwrap().to_str().unwrap();
    let folder = dir.join(format!("results/{suite}/{model}/seed0"));
    serde_json::from_slice(&fs::read(folder.join("summary.json")).unwrap()).unwrap()
}

fn grades(dir: &Path, suite: &str, model: &str) -> Vec<Value> {
    lines(&dir.join(format!("results/{suite}/{model}/seed0/grades.jsonl")))
}

/// The items that `unigauge items` prints.
fn items_of(dir: &Path, args: &[&str]) -> Vec<Value> {
    let output = unigauge(dir)
        .arg("items")
        .args(args)
        .env("UNIGAUGE_CACHE", dir.join("cache"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The mean of a part over the grades whose tag `level` passes.
fn mean(grades: &[Value], part: &str, level: impl Fn(f64) -> bool) -> f64 {
    let at = |grade: &Value| grade["tags"]["level"].as_str().unwrap().parse::<f64>();
    let chosen = grades.iter().filter(|grade| level(at(grade).unwrap()));
    let values: Vec<f64> = chosen
        .filter_map(|grade| grade["parts"][part].as_f64())
        .collect();
    assert!(!values.is_empty(), "no grade has `{part}`");
    values.iter().sum::<f64>() / values.len() as f64
}

#[test]
fn the_controls_of_noise_come_out_as_they_must() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    let suite = "mini-noise-restore";
    let clean = run(at, suite, "control-clean");
    assert_eq!(
        (&clean["expected"], &clean["overall"]["value"]),
        (&json!(600), &json!(1.0))
    );
    assert_eq!(clean["metrics"]["t_half_reached"], 0.0);

    let identity = run(at, suite, "control-identity");
    let noisy = grades(at, suite, "control-identity");
    assert!(noisy.iter().all(|grade| grade["parts"]["gain"] == 0.0));
    let half = identity["metrics"]["t_half"].as_f64().unwrap();
    assert!((0.0..0.9).contains(&half), "{identity}");

    // What the contrast alone gains is told apart. It is no gain here, since these pictures are mostly grey.
    run(at, suite, "control-rescale");
    let rescaled = grades(at, suite, "control-rescale");
    assert!(mean(&rescaled, "gain_rescaled", |_| true).abs() < 1e-9);
    run(at, suite, "control-smooth");
    let smooth = grades(at, suite, "control-smooth");
    assert!(mean(&smooth, "gain", |level| level >= 0.5) > 0.0);

    let blank = run(at, suite, "control-blank");
    assert_eq!(blank["overall"]["value"], 0.0);
    let nothing = grades(at, suite, "control-blank");
    assert_eq!(mean(&nothing, "nothing", |level| level <= 0.1), 1.0);

    let other = run(at, suite, "control-other");
    assert_eq!(other["overall"]["value"], 0.0);
    assert_eq!(
        mean(&grades(at, suite, "control-other"), "swap", |_| true),
        1.0
    );
}

#[test]
fn the_ladder_is_the_same_for_a_restorer_and_for_a_reader() {
    let dir = tempfile::tempdir().unwrap();
    let items = |suite: &str| items_of(dir.path(), &[suite]);
    let (restored, read) = (items("mini-noise-restore"), items("mini-noise-read"));
    assert_eq!(restored.len(), 600);
    for (a, b) in restored.iter().zip(&read) {
        assert_eq!((&a["item"], &a["images"]), (&b["item"], &b["images"]));
        assert_eq!(a["expect"]["scene"], b["expect"]["scene"]);
    }
}

#[test]
fn own_pictures_get_noise_options_and_levels() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    for (name, color) in [("sun", [240, 200, 40]), ("sea", [30, 90, 200])] {
        RgbImage::from_pixel(700, 350, Rgb(color))
            .save(at.join(format!("{name}.png")))
            .unwrap();
    }
    let item = |name: &str| json!({"id": name, "images": [format!("{name}.png")], "label": name});
    fs::write(
        at.join("noise.jsonl"),
        format!("{}\n{}\n", item("sun"), item("sea")),
    )
    .unwrap();
    let items = items_of(at, &["noise-read", "--items", "noise.jsonl"]);
    assert_eq!(items.len(), 20);
    let last = &items[9];
    assert_eq!(
        (&last["item"], &last["expect"]["level"]),
        (&json!("sun@mix0.9"), &json!(0.9))
    );
    let prompt = last["prompt"].as_str().unwrap();
    assert!(prompt.contains("A. ") && prompt.contains("B. ") && !prompt.contains("C. "));
    let fitted = image::open(last["images"][0].as_str().unwrap()).unwrap();
    assert_eq!((fitted.width(), fitted.height()), (512, 256));
}

#[test]
fn the_controls_of_drift_come_out_as_they_must() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    let target = run(at, "mini-drift", "control-target");
    assert_eq!(
        (&target["expected"], &target["overall"]["value"]),
        (&json!(72), &json!(1.0))
    );
    assert_eq!(
        (&target["metrics"]["done"], &target["metrics"]["kept_done"]),
        (&json!(1.0), &json!(1.0))
    );
    let identity = run(at, "mini-drift", "control-identity");
    assert_eq!(
        (&identity["overall"]["value"], &identity["metrics"]["done"]),
        (&json!(1.0), &json!(0.0))
    );
    assert!(identity["metrics"].get("kept_done").is_none());
    assert_eq!(identity["metrics"]["dist_median"], 0.0);

    let shifted = model(at, "shifted", "control", "control = 'shift'\namount = 3");
    let shifted = run(at, "mini-drift", shifted.to_str().unwrap());
    let moved = shifted["metrics"]["global_x"].as_f64().unwrap();
    assert!((2.0..=3.0).contains(&moved), "{shifted}");
    let blank = run(at, "mini-drift", "control-blank");
    assert_eq!(
        (&blank["overall"]["value"], &blank["metrics"]["lost"]),
        (&json!(0.0), &json!(1.0))
    );
}

#[test]
fn the_controls_of_maps_come_out_as_they_must() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    let exact = run(at, "mini-maps", "control-exact");
    assert_eq!(
        (&exact["expected"], &exact["overall"]["value"]),
        (&json!(120), &json!(1.0))
    );
    for name in ["ods", "ois", "f0", "miou", "accuracy"] {
        assert_eq!(exact["metrics"][name], 1.0, "{name}");
    }
    let null = exact["metrics"]["null"].as_f64().unwrap();
    assert!((0.1..0.9).contains(&null), "{null}");

    let by_kind = |summary: &Value, kind: &str| -> f64 {
        let groups = summary["groups"].as_array().unwrap();
        let group = groups.iter().find(|group| group["key"] == kind).unwrap();
        group["value"].as_f64().unwrap()
    };
    let inverted = model(at, "inverted", "control", "control = 'inverted'");
    let inverted = run(at, "mini-maps", inverted.to_str().unwrap());
    assert_eq!(
        (by_kind(&inverted, "edges"), by_kind(&inverted, "canny")),
        (1.0, 1.0)
    );
    assert_eq!(by_kind(&inverted, "depth"), 0.0);
    assert_eq!(inverted["metrics"]["reversed"], 1.0);

    let black = run(at, "mini-maps", "control-black");
    assert_eq!(
        (by_kind(&black, "edges"), by_kind(&black, "canny")),
        (0.0, 0.0)
    );
    assert_eq!(by_kind(&black, "depth"), 0.5);
    // Brighter below is no order here.
    let gradient = run(at, "mini-maps", "control-gradient");
    assert!(by_kind(&gradient, "depth") < 0.6, "{gradient}");

    let shifted = model(at, "shifted", "control", "control = 'shifted-map'");
    let shifted = run(at, "mini-maps", shifted.to_str().unwrap());
    let edges = by_kind(&shifted, "edges");
    assert!(edges > 0.9, "{edges}");
    let jpeg = model(at, "jpeg", "control", "control = 'jpeg-map'\namount = 95");
    let jpeg = run(at, "mini-maps", jpeg.to_str().unwrap());
    assert!(by_kind(&jpeg, "segment") > 0.8, "{jpeg}");
}
