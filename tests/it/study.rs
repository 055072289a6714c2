//! An ablation study, from its file to the page, as a user makes it.

use crate::compare::{altered, echo};
use crate::support::{lines, model, stderr, text_suite, unigauge};
use insta::assert_snapshot;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use unigauge::study::Series;

const HEAD: &str = r#"name = "encoders"
title = "Which <encoder>?"
description = "Two levels beside none."
suites = ["./questions.toml"]
seeds = [0, 1]

[factor]
title = "encoder"
control = "none"
"#;

const LEVELS: &str = r#"
[[factor.levels]]
name = "none"
models = ["./echo.toml"]
cost = 1

[[factor.levels]]
name = "bad"
title = "A bad one & more"
runs = ["results/questions/echo/bad0", "results/questions/echo/bad1"]
cost = 2.5

[[factor.levels]]
name = "good"
runs = ["results/questions/echo/good0", "results/questions/echo/good1"]
cost = 40

[cost]
title = "GPU hours"
"#;

fn program(dir: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = unigauge(dir).args(arguments).output().unwrap();
    let shown = String::from_utf8(output.stdout.clone()).unwrap();
    (output.status.code(), shown, stderr(&output))
}

/// 20 items, of which the even ones are right without an encoder. The bad level answers items 0, 4, 8, 12, 16 wrong in its
/// first run and item 0 in its second; the good one answers seven odd items right in both runs.
fn levels(dir: &Path) {
    let before = echo(dir, 20);
    let nothing = |wrong: bool| wrong.then(|| "nothing".to_owned());
    let right = |at: usize| (at % 2 == 1 && at < 14).then(|| "something else".to_owned());
    altered(&before, "bad0", |at| nothing(at % 4 == 0));
    altered(&before, "bad1", |at| nothing(at == 0));
    altered(&before, "good0", right);
    altered(&before, "good1", right);
}

fn study(dir: &Path, text: &str) {
    std::fs::write(dir.join("encoders.toml"), text).unwrap();
}

fn page(dir: &Path) -> PathBuf {
    dir.join("results/studies/encoders")
}

fn read(path: PathBuf) -> String {
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// By hand. Without: 10 of 20 in both runs. Bad: 5 and 9 of 20, mean 0.35, sample deviation √2 / 10; items differ by −1, four times
/// −1/2 and 15 times 0, so by −0.15 on average; of 2⁵ exchanges of the five items that differ, 2 are as far out: p = 1/16. Good: 17
/// of 20; seven items differ by 1: p = 2/2⁷. Holm: 2/64 and 1/16. d is the mean over the deviation of the items' differences.
#[test]
fn numbers_of_a_study_are_those_worked_out_by_hand() {
    let dir = tempfile::tempdir().unwrap();
    levels(dir.path());
    study(dir.path(), &format!("{HEAD}{LEVELS}"));
    let (code, shown, said) = program(dir.path(), &["run", "./encoders.toml"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("results/studies/encoders/index.html"),
        "{said}"
    );
    assert!(
        shown.contains("Δ to none") && shown.contains("85.0*"),
        "{shown}"
    );
    let markdown = read(page(dir.path()).join("table.md"));
    assert_snapshot!("study_markdown", markdown);
    assert_snapshot!("study_latex", read(page(dir.path()).join("table.tex")));

    let json: Value = serde_json::from_str(&read(page(dir.path()).join("study.json"))).unwrap();
    let level = |at: usize| &json["sections"][0]["levels"][at];
    let near = |found: &Value, wanted: f64| {
        let found = found.as_f64().unwrap();
        assert!((found - wanted).abs() < 1e-9, "{found} is not {wanted}");
    };
    for (at, value) in [(0, 0.5), (1, 0.35), (2, 0.85)] {
        near(&level(at)["value"], value);
        let (low, high) = (&level(at)["low"], &level(at)["high"]);
        assert!(low.as_f64() < Some(value) && high.as_f64() > Some(value));
    }
    assert_eq!(level(0)["difference"], Value::Null);
    assert_eq!(level(1)["by_run"], json!([0.25, 0.45]));
    near(&level(1)["deviation"], 0.02f64.sqrt());
    for (at, difference, p, holm, counts) in [
        (1, -0.15, 1.0 / 16.0, 1.0 / 16.0, [0, 15, 5]),
        (2, 0.35, 1.0 / 64.0, 1.0 / 32.0, [7, 13, 0]),
    ] {
        let found = &level(at)["difference"];
        near(&found["difference"], difference);
        near(&found["p"], p);
        near(&found["p_holm"], holm);
        let effect = match at {
            1 => -0.15 / ((2.0 - 20.0 * 0.15f64.powi(2)) / 19.0).sqrt(),
            _ => 0.35 / ((7.0 - 20.0 * 0.35f64.powi(2)) / 19.0).sqrt(),
        };
        near(&found["effect"], effect);
        assert_eq!(
            json!([found["won"], found["tied"], found["lost"]]),
            json!(counts)
        );
    }
    // The same from the grades themselves.
    let mean = |run: &str| {
        let grades = lines(
            &dir.path()
                .join(format!("results/questions/echo/{run}/grades.jsonl")),
        );
        let scores: f64 = grades
            .iter()
            .map(|grade| grade["score"].as_f64().unwrap())
            .sum();
        scores / grades.len() as f64
    };
    near(&level(1)["value"], (mean("bad0") + mean("bad1")) / 2.0);
    // Kind `three` holds items 0, 3, …, 18, of which 0, 6, 12 and 18 are right without an encoder.
    let three = &json["sections"][0]["groups"][0];
    assert_eq!(three["keys"], json!(["three", "other"]));
    near(&three["cells"][0][0]["value"], 4.0 / 7.0);
    near(&three["cells"][1][0]["value"], (2.0 + 3.0) / 14.0);
    let csv = read(page(dir.path()).join("table.csv"));
    assert_eq!(csv.lines().count(), 1 + 3 * 3);
    assert!(
        csv.contains("encoders,questions,1,good,false,,overall,2,20,0.85,"),
        "{csv}"
    );
}

/// Every chart is there twice, is XML that a parser takes, names its levels and holds its numbers.
#[test]
fn charts_are_well_formed_and_hold_their_numbers() {
    let dir = tempfile::tempdir().unwrap();
    levels(dir.path());
    let curve = |at: usize| format!("step,loss\n0,{}\n10,{}\n20,{}\n", 3 + at, 2 + at, 1 + at);
    for at in [0, 1] {
        std::fs::write(dir.path().join(format!("loss{at}.csv")), curve(at)).unwrap();
    }
    let curves = "\n[[curves]]\nlevel = \"good\"\nfiles = [\"loss0.csv\", \"loss1.csv\"]\nvalues = [\"loss\"]\n";
    study(dir.path(), &format!("{HEAD}{LEVELS}{curves}"));
    program(dir.path(), &["run", "./encoders.toml"]);
    for (width, units, millimetres) in [("column", 1000.0, "88mm"), ("page", 2045.0, "179.96mm")] {
        let (code, _, said) = program(dir.path(), &["study", "./encoders.toml", "--width", width]);
        assert_eq!(code, Some(0), "{said}");
        for (name, words) in [
            (
                "questions-bars",
                &["overall", "three", "85.0", "A bad one & more"][..],
            ),
            ("questions-forest", &["−15.0", "+35.0", "good", "*"]),
            ("questions-cost", &["GPU hours", "good", "none"]),
            ("questions-heatmap-kind", &["three", "57.1", "35.7"]),
            ("curves-loss", &["step", "loss", "20"]),
        ] {
            let file = page(dir.path()).join("charts").join(name);
            let svg = read(file.with_extension("svg"));
            let parsed = roxmltree::Document::parse(&svg).unwrap();
            let root = parsed.root_element();
            assert_eq!(root.attribute("width"), Some(millimetres), "{name}");
            let texts: Vec<&str> = root
                .descendants()
                .filter(|node| node.has_tag_name("text"))
                .filter_map(|node| node.text())
                .map(str::trim)
                .collect();
            let all = texts.join("\n");
            for word in words {
                assert!(all.contains(word), "{name}: {word:?} is not in {texts:?}");
            }
            let png = image::open(file.with_extension("png")).unwrap();
            assert_eq!(f64::from(png.width()), units * 2.0, "{name}");
            let edge = png.to_rgb8();
            let white = |x: u32, y: u32| edge.get_pixel(x, y).0 == [255; 3];
            let (right, bottom) = (png.width() - 1, png.height() - 1);
            assert!(
                (0..=bottom).all(|y| white(0, y) && white(right, y)),
                "{name} is cut"
            );
            assert!(
                (0..=right).all(|x| white(x, 0) && white(x, bottom)),
                "{name} is cut"
            );
        }
    }
    let html = read(page(dir.path()).join("index.html"));
    assert!(html.contains("Which &#60;encoder&#62;?") && !html.contains("<encoder>"));
    assert!(
        html.contains("href=\"../../questions/echo/seed0/report/index.html\""),
        "links to runs"
    );
    for request in ["http://", "https://", "<script", "@import", "src=\"/"] {
        let found = html
            .replace("http://www.w3.org/2000/svg", "")
            .contains(request);
        assert!(!found, "{request}");
    }
}

/// What is not there is named, and all else is shown.
#[test]
fn missing_runs_and_broken_logs_cost_themselves_only() {
    let dir = tempfile::tempdir().unwrap();
    levels(dir.path());
    std::fs::remove_dir_all(dir.path().join("results/questions/echo/bad1")).unwrap();
    std::fs::remove_file(dir.path().join("results/questions/echo/good1/summary.json")).unwrap();
    // A NaN, an empty value, a torn line, a step that was logged again.
    let csv = "step,loss\n0,4\n1,nan\n2,\n3,1\n3,2\n4,1\n5";
    std::fs::write(dir.path().join("a.csv"), csv).unwrap();
    let json = "{\"step\": 0, \"loss\": 2}\n{\"step\": 1, \"loss\": NaN}\n{\"event\": \"saved\"}\n{\"step\": 4, \"loss\": 3}\n{\"st";
    std::fs::write(dir.path().join("b.jsonl"), json).unwrap();
    let curves = "\n[[curves]]\nlevel = \"good\"\nfiles = [\"a.csv\", \"b.jsonl\", \"c.csv\"]\nvalues = [\"loss\"]\n\
                  \n[[curves]]\nlevel = \"bad\"\nfiles = [\"a.csv\"]\nvalues = [\"loss\", \"accuracy\"]\n";
    let text = format!("{HEAD}{LEVELS}{curves}");
    study(dir.path(), &text.replace("seeds = [0, 1]", "seeds = [0]"));
    let (code, shown, said) = program(dir.path(), &["study", "./encoders.toml"]);
    assert_eq!(code, Some(5), "{said}");
    assert_snapshot!("study_incomplete", shown);
    let html = read(page(dir.path()).join("index.html"));
    for note in [
        "A bad one &#38; more: 1 run missing.",
        "there is no ./results/questions/echo/bad1",
        "is not graded yet",
        "a.csv: lines that are torn or lack `step` or `loss`: 1; values of `loss` that are no number, left as gaps: 2.",
        "b.jsonl: lines that are torn or lack `step` or `loss`: 1; values of `loss` that are no number, left as gaps: 1.",
        "c.csv: there is no such file.",
        "a.csv: it has no column `accuracy` (it has: step, loss).",
    ] {
        assert!(html.contains(note), "{note}");
    }
    assert!(!page(dir.path()).join("charts/curves-accuracy.svg").exists());

    // Without any run there is nothing to show.
    std::fs::remove_dir_all(dir.path().join("results")).unwrap();
    let (code, _, said) = program(dir.path(), &["study", "./encoders.toml"]);
    assert_eq!(code, Some(5));
    assert!(
        said.contains("no run of the study `encoders` is in results"),
        "{said}"
    );
}

/// One level, one run, one output each: a page without differences; and levels that were asked other things are not compared.
#[test]
fn a_single_level_and_levels_that_do_not_compare_have_pages() {
    let dir = tempfile::tempdir().unwrap();
    let before = echo(dir.path(), 6);
    let one = HEAD.replace("seeds = [0, 1]\n", "")
        + "\n[[factor.levels]]\nname = \"none\"\nmodels = [\"./echo.toml\"]\n";
    study(dir.path(), &one);
    let (code, shown, said) = program(dir.path(), &["run", "./encoders.toml"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(shown.contains("none (control)"), "{shown}");
    assert!(
        !page(dir.path())
            .join("charts/questions-forest.svg")
            .exists()
    );

    let other = altered(&before, "other", |_| None);
    crate::compare::rewrite(&other.join("manifest.json"), |manifest| {
        manifest["observers"] = json!({"judge": {"model": "other"}});
    });
    let more = "\n[[factor.levels]]\nname = \"other\"\nruns = [\"results/questions/echo/other\"]\n";
    study(dir.path(), &format!("{one}{more}"));
    let (code, shown, _) = program(dir.path(), &["study", "./encoders.toml"]);
    assert_eq!(code, Some(0));
    assert!(
        shown.contains("other is not compared with the control: only one run was seen by judge (--allow-observers lets it pass)"),
        "{shown}"
    );
    let (_, shown, _) = program(
        dir.path(),
        &["study", "./encoders.toml", "--allow-observers"],
    );
    assert!(!shown.contains("is not compared"), "{shown}");
}

/// Mistakes point at their place.
#[test]
fn mistakes_in_a_study_name_file_line_and_column() {
    let dir = tempfile::tempdir().unwrap();
    text_suite(dir.path(), 4);
    model(dir.path(), "echo", "echo", "");
    let whole = format!(
        "{HEAD}{LEVELS}\n[[curves]]\nlevel = \"good\"\nfiles = [\"a.csv\"]\nvalues = [\"loss\"]\n"
    );
    let mut said = String::new();
    for (from, to) in [
        ("control = \"none\"", "control = \"nome\""),
        ("name = \"good\"", "name = \"bad\""),
        ("models = [\"./echo.toml\"]\n", ""),
        ("echo/good1", "echo/bad1"),
        ("cost = 40", "cost = -1"),
        ("title = \"GPU hours\"", "of = \"seconds\""),
        ("title = \"GPU hours\"", "of = \"minutes\""),
        ("level = \"good\"\nfiles", "level = \"goood\"\nfiles"),
        ("\"a.csv\"", "\"a.txt\""),
        ("values = [\"loss\"]", "values = []"),
        ("seeds = [0, 1]", "seeds = [1, 1]"),
        ("seeds = [0, 1]", "seeds = [0, 1]\nseed = 3"),
        ("seeds = [0, 1]", "seeds = [0, 1]\nprimary = \"kind=*\""),
        (
            "seeds = [0, 1]",
            "seeds = [0, 1]\nmodels = [\"./echo.toml\"]",
        ),
        ("[factor]", "[factr]"),
    ] {
        study(dir.path(), &whole.replace(from, to));
        let (code, _, error) = program(dir.path(), &["study", "./encoders.toml"]);
        assert_eq!(code, Some(2), "{to}: {error}");
        let lines: Vec<&str> = error.split("   ").map(str::trim).collect();
        let message = lines
            .iter()
            .find(|line| line.contains("encoders.toml"))
            .unwrap();
        let help = lines.iter().find(|line| line.contains("help:"));
        said += &format!(
            "{}\n{}",
            message.trim_start_matches("× "),
            help.map_or(String::new(), |help| format!("  {help}\n"))
        );
    }
    study(
        dir.path(),
        "name = \"plain\"\ntitle = \"P\"\nmodels = [\"./echo.toml\"]\nsuites = [\"./questions.toml\"]\n",
    );
    let (code, _, error) = program(dir.path(), &["study", "./encoders.toml"]);
    assert_eq!(code, Some(2));
    said += &error;
    assert_snapshot!("study_mistakes", said);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever stands in a log, its points are finite in step and in their order, and its line has no step twice.
    #[test]
    fn any_log_is_read(
        lines in proptest::collection::vec("[-0-9.eE,:\\[\\]{}\"naiftysplo ]{0,24}", 0..12),
        json in any::<bool>(),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(if json { "log.jsonl" } else { "log.csv" });
        let whole = "{\"step\": 7, \"loss\": 1}";
        let head = if json { whole } else { "step,loss\n7,1" };
        std::fs::write(&file, format!("{head}\n{}", lines.join("\n"))).unwrap();
        let one = Series::read(0, std::slice::from_ref(&file), "step", "loss");
        prop_assert!(one.points.iter().any(|point| point.x == 7.0));
        prop_assert!(one.points.windows(2).all(|pair| pair[0].x < pair[1].x));
        // The mean of a log with itself is the log without its gaps.
        let twice = Series::read(0, &[file.clone(), file], "step", "loss");
        let finite = one.points.iter().filter(|point| point.y.is_finite());
        let steps: Vec<f64> = finite.map(|point| point.x).collect();
        prop_assert_eq!(twice.points.iter().map(|point| point.x).collect::<Vec<_>>(), steps);
    }
}
