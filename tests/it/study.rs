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

/// 20 items, of which the even ones are right without an encoder. The bad level answers items 0, 4, 8, 12, 16
/// wrong in its first run and item 0 in its second; the good one answers seven odd items right in both runs.
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

/// By hand. Without: 10 of 20 in both runs. Bad: 5 and 9 of 20, mean 0.35, sample deviation √2 / 10; items
/// differ by −1, four times −1/2 and 15 times 0, so by −0.15 on average; of 2⁵ exchanges of the five items
/// that differ, 2 are as far out: p = 1/16. Good: 17 of 20; seven items differ by 1: p = 2/2⁷. Holm: 2/64 and
/// 1/16. d is the mean over the deviation of the items' differences.
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
        "a.csv: lines that are torn or lack `step` or `loss`: 1; values of `loss` that are not numbers, left as gaps: 2.",
        "b.jsonl: lines that are torn or lack `step` or `loss`: 1; values of `loss` that are not numbers, left as gaps: 1.",
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

/// One level, one run, one output each: a page without differences; and levels that were asked other things
/// are not compared.
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
        shown.contains("other is not compared with the control: only one run was observed by judge (--allow-observers allows it)"),
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
        (
            "[factor]",
            "[[more]]\nmodels = [\"./echo.toml\"]\nsuites = [\"./questions.toml\"]\n[factor]",
        ),
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

/// A study whose levels are run folders below `root`, the first one the control.
fn of_runs(suite: &str, root: &str, levels: &[(&str, &[&str])]) -> String {
    let control = levels[0].0;
    let mut text = format!(
        "name = \"encoders\"\ntitle = \"T\"\nsuites = [\"./{suite}.toml\"]\n\n[factor]\ntitle = \"encoder\"\ncontrol = \"{control}\"\n"
    );
    for (name, runs) in levels {
        let runs: Vec<String> = runs.iter().map(|run| format!("{root}/{run}")).collect();
        text += &format!("\n[[factor.levels]]\nname = \"{name}\"\nruns = {runs:?}\n");
    }
    text
}

fn numbers(dir: &Path) -> Value {
    serde_json::from_str(&read(page(dir).join("study.json"))).unwrap()
}

fn close(found: &Value, wanted: f64) {
    let number = found
        .as_f64()
        .unwrap_or_else(|| panic!("{found} is no number"));
    assert!((number - wanted).abs() < 1e-9, "{number} is not {wanted}");
}

/// Runs over four signs that say `ab cd`, graded by OneIG-Bench's rule; the numbers are the signs that a
/// reader took for `ab ce`.
fn signs(dir: &Path, runs: &[(&str, &[usize])]) {
    let kind = |at: usize| if at < 2 { "menu" } else { "sign" };
    let items = (0..4).map(|at| {
        let item = json!({"id": format!("i{at}"), "prompt": "p", "texts": ["ab cd"], "language": "en", "kind": kind(at)});
        format!("{item}\n")
    });
    std::fs::write(dir.join("signs.jsonl"), items.collect::<String>()).unwrap();
    let suite = r#"name = "signs"
version = "1"
title = "Signs"
task = "understand"

[items]
file = "signs.jsonl"

[items.map]
expect = ["texts", "language"]
tags = { kind = "kind" }

[grade]
rule = "oneig-text"

[report]
group_by = ["kind"]
"#;
    std::fs::write(dir.join("signs.toml"), suite).unwrap();
    model(dir, "echo", "echo", "");
    program(dir, &["run", "./signs.toml", "--model", "./echo.toml"]);
    let first = dir.join("results/signs/echo/seed0");
    for (name, misread) in runs {
        let run = first.with_file_name(name);
        std::fs::create_dir(&run).unwrap();
        for file in ["manifest.json", "items.jsonl", "outputs.jsonl"] {
            std::fs::copy(first.join(file), run.join(file)).unwrap();
        }
        let seen = (0..4).map(|at| {
            let text = if misread.contains(&at) { "ab ce" } else { "ab cd" };
            let line = json!({"item": format!("i{at}"), "repeat": 0, "observer": "eye", "evidence": {"text": text}});
            format!("{line}\n")
        });
        std::fs::write(run.join("evidence.jsonl"), seen.collect::<String>()).unwrap();
        crate::compare::grade(&run);
    }
}

/// By hand. With k of n signs misread, each by one letter of its second word, ED = k/n, CR = 1 − k/n, WAC = 1
/// − k/2n, so the rule's number is 1 − (k/n)³ / 200: k/n is 3/4 for the control, 0 and 2/8. Of the 2³
/// exchanges of the three signs that differ between control and the first level, only none and all are as far
/// out: p = 1/4. The further number `wac_en` is 5/8, 1 and 7/8. Without each sign in turn the control's is
/// 3/6 and three times 4/6, whose jackknife gives a standard error of 1/8.
#[test]
fn numbers_by_a_formula_are_those_of_the_rule() {
    let dir = tempfile::tempdir().unwrap();
    let misread: [(&str, &[usize]); 4] = [
        ("some", &[1, 2, 3]),
        ("none", &[]),
        ("half", &[2, 3]),
        ("again", &[]),
    ];
    signs(dir.path(), &misread);
    let levels: [(&str, &[&str]); 3] = [
        ("control", &["some"]),
        ("one", &["none"]),
        ("two", &["half", "again"]),
    ];
    let text = of_runs("signs", "results/signs/echo", &levels);
    study(dir.path(), &text);
    let (code, _, said) = program(dir.path(), &["study", "./encoders.toml"]);
    assert_eq!(code, Some(0), "{said}");
    let found = numbers(dir.path());
    let levels = &found["sections"][0]["levels"];
    let formula = |share: f64| 1.0 - share.powi(3) / 200.0;
    for (at, share) in [(0, 0.75), (1, 0.0), (2, 0.25)] {
        close(&levels[at]["value"], formula(share));
    }
    close(&levels[2]["by_run"][0], formula(0.5));
    close(&levels[2]["by_run"][1], 1.0);
    let difference = &levels[1]["difference"];
    close(&difference["difference"], 0.75f64.powi(3) / 200.0);
    close(&difference["p"], 0.25);
    close(
        &levels[2]["difference"]["difference"],
        formula(0.25) - formula(0.75),
    );
    // The interval is the one in the run's summary.
    let summary = read(dir.path().join("results/signs/echo/some/summary.json"));
    let summary: Value = serde_json::from_str(&summary).unwrap();
    for bound in ["low", "high"] {
        close(
            &levels[0][bound],
            summary["overall"][bound].as_f64().unwrap(),
        );
    }
    let groups = &found["sections"][0]["groups"][0];
    assert_eq!(groups["keys"], json!(["menu", "sign"]));
    close(&groups["cells"][0][0]["value"], formula(0.5));
    close(&groups["cells"][0][1]["value"], formula(1.0));
    close(
        &groups["cells"][1][1]["difference"]["difference"],
        1.0 / 200.0,
    );

    let named = text.replace("\n[factor]", "primary = \"wac_en\"\n[factor]");
    study(dir.path(), &named);
    let (code, shown, said) = program(dir.path(), &["study", "./encoders.toml"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        shown.contains("wac_en") && shown.contains("62.5"),
        "{shown}"
    );
    let found = numbers(dir.path());
    let levels = &found["sections"][0]["levels"];
    for (at, value) in [(0, 0.625), (1, 1.0), (2, 0.875)] {
        close(&levels[at]["value"], value);
    }
    close(&levels[0]["low"], 0.625 - 1.959_963_984_540_054 / 8.0);
    close(&levels[0]["high"], 0.625 + 1.959_963_984_540_054 / 8.0);
    close(&levels[1]["difference"]["difference"], 0.375);
    close(&levels[2]["by_run"][0], 0.75);

    // A number that no level has.
    study(dir.path(), &named.replace("wac_en", "recall"));
    let (code, shown, _) = program(dir.path(), &["study", "./encoders.toml"]);
    assert_eq!(code, Some(5), "{shown}");
    let note = "No level has a value for `recall`; the metrics here are: overall, correct, part:cr, part:ed, part:limit, \
                part:matched, part:reference, part:wac, kind=menu, kind=sign, cr_en, ed_en, score_en, wac_en.";
    assert!(shown.contains(note), "{shown}");
    let html = read(page(dir.path()).join("index.html"));
    assert!(html.contains("Signs: no level has a value for recall."));
}

/// A run that does not belong with the others is missing, not counted: the level is its first run alone, 5 of
/// 20.
#[test]
fn a_run_left_out_counts_nowhere() {
    let dir = tempfile::tempdir().unwrap();
    levels(dir.path());
    let odd = dir.path().join("results/questions/echo/bad1");
    crate::compare::rewrite(&odd.join("manifest.json"), |manifest| {
        manifest["observers"] = json!({"judge": {"model": "other"}});
    });
    let slow = |run: &str, seconds: f64| {
        let path = dir
            .path()
            .join(format!("results/questions/echo/{run}/outputs.jsonl"));
        let outputs = lines(&path).into_iter().map(|mut output| {
            output["timings"] = json!({"generate": seconds});
            format!("{output}\n")
        });
        std::fs::write(&path, outputs.collect::<String>()).unwrap();
    };
    slow("bad0", 2.0);
    slow("bad1", 10.0);
    let text = of_runs(
        "questions",
        "results/questions/echo",
        &[("none", &["seed0"]), ("bad", &["bad0", "bad1"])],
    );
    study(dir.path(), &format!("{text}\n[cost]\nof = \"seconds\"\n"));
    let (code, shown, said) = program(dir.path(), &["study", "./encoders.toml"]);
    assert_eq!(code, Some(5), "{said}");
    let note = "bad lacks a run: ./results/questions/echo/bad1 is left out: only one run was observed by judge (--allow-observers allows it).";
    assert!(shown.contains(note), "{shown}");
    let bad = &numbers(dir.path())["sections"][0]["levels"][1];
    assert_eq!(bad["runs"], json!(["./results/questions/echo/bad0"]));
    assert_eq!(bad["by_run"], json!([0.25]));
    assert_eq!(
        (&bad["deviation"], &bad["cost"]),
        (&Value::Null, &json!(2.0))
    );
    assert_eq!((&bad["expected"], &bad["scored"]), (&json!(20), &json!(20)));
    close(&bad["value"], 0.25);
}

/// Where control and level lack different runs, or a run lacks an item, only outputs of the same run are
/// paired. Three runs: the third of both differs in item 1 alone, so by 1/20. An item lacking in the
/// control's first run: the second runs are the same.
#[test]
fn outputs_are_paired_by_their_run_whatever_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    let before = echo(dir.path(), 20);
    let nothing = || Some("nothing".to_owned());
    altered(&before, "zero", |_| nothing());
    altered(&before, "same", |_| None);
    altered(&before, "more", |at| {
        (at == 1).then(|| "something else".to_owned())
    });
    altered(&before, "less", |at| (at == 0).then(nothing).flatten());
    let short = altered(&before, "short", |_| None);
    for file in ["items.jsonl", "outputs.jsonl"] {
        let path = short.join(file);
        let kept = lines(&path).into_iter().filter(|line| line["item"] != "q0");
        let kept: String = kept.map(|line| format!("{line}\n")).collect();
        std::fs::write(path, kept).unwrap();
    }
    crate::compare::grade(&short);
    let run = |control: &[&str], level: &[&str]| {
        let levels = [("none", control), ("other", level)];
        study(
            dir.path(),
            &of_runs("questions", "results/questions/echo", &levels),
        );
        let (code, shown, said) = program(dir.path(), &["study", "./encoders.toml"]);
        assert!(code == Some(5) || code == Some(0), "{said}");
        (
            code,
            shown,
            numbers(dir.path())["sections"][0]["levels"].clone(),
        )
    };
    let (code, shown, found) = run(&["zero", "gone0", "same"], &["gone1", "seed0", "more"]);
    assert_eq!(code, Some(5));
    close(&found[0]["value"], 10.0 / 40.0);
    close(&found[1]["value"], 21.0 / 40.0);
    close(&found[1]["difference"]["difference"], 1.0 / 20.0);
    assert_eq!(found[1]["difference"]["won"], 1);
    let note = "other: Δ is over the outputs that it and the control both have.";
    assert!(shown.contains(note), "{shown}");

    let (_, shown, found) = run(&["zero", "gone0"], &["gone1", "seed0"]);
    assert_eq!(found[1]["difference"], Value::Null);
    let note = "other is not compared with the control: no output of the same item and run has a score in both.";
    assert!(shown.contains(note), "{shown}");

    let (code, _, found) = run(&["short", "same"], &["less", "seed0"]);
    assert_eq!(code, Some(0));
    close(&found[0]["value"], 19.0 / 39.0);
    close(&found[1]["value"], 19.0 / 40.0);
    close(&found[1]["difference"]["difference"], 0.0);
    assert_eq!(found[1]["difference"]["n"], 20);
}

/// Columns whose names are the same as files have files of their own.
#[test]
fn every_curve_has_a_file_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    levels(dir.path());
    let log = "step,train/loss,train_loss,损失,精度\n0,1,2,3,4\n1,5,6,7,8\n";
    std::fs::write(dir.path().join("log.csv"), log).unwrap();
    let curves = "\n[[curves]]\nlevel = \"good\"\nfiles = [\"log.csv\"]\nvalues = [\"train/loss\", \"train_loss\", \"损失\", \"精度\"]\n";
    study(
        dir.path(),
        &format!("{HEAD}{LEVELS}{curves}").replace("seeds = [0, 1]", "seeds = [0]"),
    );
    let (code, _, said) = program(dir.path(), &["study", "./encoders.toml"]);
    assert_eq!(code, Some(0), "{said}");
    let html = read(page(dir.path()).join("index.html"));
    for (name, axis) in [
        ("curves-train-loss", "train/loss"),
        ("curves-train-loss-2", "train_loss"),
        ("curves---", "损失"),
        ("curves----2", "精度"),
    ] {
        let svg = read(page(dir.path()).join(format!("charts/{name}.svg")));
        assert!(svg.contains(axis), "{name} is not of {axis}");
        assert!(
            html.contains(&format!("href=\"charts/{name}.svg\"")),
            "{name}"
        );
    }
}

/// A report of two versions of a suite has the charts of both: the one of 3 right of 6, the other of 6.
#[test]
fn versions_of_a_suite_have_charts_of_their_own() {
    let dir = tempfile::tempdir().unwrap();
    let before = echo(dir.path(), 6);
    let right = |at: usize| (at % 2 == 1).then(|| "something else".to_owned());
    let other = altered(&before, "other", right);
    crate::compare::rewrite(&other.join("manifest.json"), |manifest| {
        manifest["suite"]["version"] = json!("2");
    });
    crate::compare::rewrite(&other.join("summary.json"), |summary| {
        summary["suite_version"] = json!("2");
    });
    let root = "results/questions/echo";
    let [one, two] = ["seed0", "other"].map(|run| format!("{root}/{run}"));
    let (code, _, said) = program(dir.path(), &["report", &one, &two, "--out", "both"]);
    assert_eq!(code, Some(0), "{said}");
    let html = read(dir.path().join("both/index.html"));
    for (name, value) in [("questions-bars", "50.0"), ("questions-bars-2", "100.0")] {
        let svg = read(dir.path().join(format!("both/charts/{name}.svg")));
        assert!(svg.contains(value), "{name} lacks {value}");
        assert!(
            html.contains(&format!("href=\"charts/{name}.svg\"")),
            "{name}"
        );
    }
}

/// `\\` takes a `[` or `*` behind it for its own, and `\midrule` a `[`: no row begins with one.
#[test]
fn rows_of_latex_are_not_taken_for_arguments() {
    let dir = tempfile::tempdir().unwrap();
    text_suite(dir.path(), 6);
    let suite = dir.path().join("questions.toml");
    let text = read(suite.clone());
    let text = text
        .replace("{ kind =", "{ \"[kind]\" =")
        .replace("[\"kind\"]", "[\"[kind]\"]");
    std::fs::write(&suite, text).unwrap();
    model(dir.path(), "echo", "echo", "");
    program(
        dir.path(),
        &["run", "./questions.toml", "--model", "./echo.toml"],
    );
    let before = dir.path().join("results/questions/echo/seed0");
    for (run, title) in [("one", "[0.5] echo"), ("two", "*echo")] {
        let run = altered(&before, run, |_| None);
        crate::compare::rewrite(&run.join("manifest.json"), |manifest| {
            manifest["model"]["title"] = json!(title);
        });
    }
    let root = "results/questions/echo";
    let levels: [(&str, &[&str]); 3] = [("plain", &["seed0"]), ("[a]", &["one"]), ("*b", &["two"])];
    let text = of_runs("questions", root, &levels);
    study(
        dir.path(),
        &text.replace("title = \"encoder\"", "title = \"[encoder]\""),
    );
    let (code, _, said) = program(dir.path(), &["study", "./encoders.toml"]);
    assert_eq!(code, Some(0), "{said}");
    let [one, two] = ["one", "two"].map(|run| format!("{root}/{run}"));
    let compared = |more: &[&str]| {
        let arguments = [&["compare", &one, &two, "--format", "latex"], more].concat();
        program(dir.path(), &arguments).1
    };
    for (tex, rows) in [
        (
            read(page(dir.path()).join("table.tex")),
            &["{}[encoder] &", "{}[a] &", "{}*b &"][..],
        ),
        (compared(&[]), &["{}[0.5] echo &", "{}*echo &"]),
        (compared(&["--pairs"]), &["{}[kind]=three &"]),
    ] {
        for row in rows {
            assert!(
                tex.lines().any(|line| line.trim().starts_with(row)),
                "{row}: {tex}"
            );
        }
        let taken = |line: &str| line.trim().starts_with(['[', '*']);
        assert!(!tex.lines().any(taken), "{tex}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever stands in a log, its points are finite in step and in their order, and its line has no step
    /// twice.
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
