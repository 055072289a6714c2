//! Many runs of a suite, as a user looks back on them.

use crate::compare::{altered, echo, rewrite};
use crate::support::{model, stderr, text_suite, unigauge};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Answers to 60 items, of which the even ones are right by themselves. Two of these are wrong by chance,
/// others in each run; from the run 4 on, of the first 48 those that 4 divides are wrong, too.
fn answer(run: usize) -> impl Fn(usize) -> Option<String> {
    move |at| {
        let chance = [2 * ((run * 5 + 1) % 30), 2 * ((run * 11 + 3) % 30)];
        let worse = run >= 4 && at % 4 == 0 && at < 48;
        (chance.contains(&at) || worse).then(|| "nothing".to_owned())
    }
}

/// Eight runs, a day apart; the fifth is the first of another commit and another setting.
fn tree(dir: &Path) -> PathBuf {
    let first = echo(dir, 60);
    for run in 0..8 {
        let copy = altered(&first, &format!("run{run}"), answer(run));
        rewrite(&copy.join("manifest.json"), |manifest| {
            manifest["started"] = json!(format!("2026-03-{:02}T06:00:00Z", run + 1));
            manifest["seed"] = json!(run);
            manifest["program"]["commit"] = json!(if run < 4 { "a" } else { "b" }.repeat(40));
            manifest["model"]["settings"]["style"] = json!(if run < 4 { "plain" } else { "terse" });
        });
    }
    std::fs::remove_dir_all(&first).unwrap();
    first.parent().unwrap().to_owned()
}

fn history(dir: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = unigauge(dir)
        .arg("history")
        .args(arguments)
        .output()
        .unwrap();
    let shown = String::from_utf8(output.stdout.clone()).unwrap();
    (output.status.code(), shown, stderr(&output))
}

fn json_of(dir: &Path, arguments: &[&str]) -> Value {
    let (code, shown, said) = history(dir, &[arguments, &["--json"]].concat());
    assert_eq!(code, Some(0), "{said}");
    serde_json::from_str(&shown).unwrap()
}

fn summary(run: &Path) -> f64 {
    let summary = std::fs::read(run.join("summary.json")).unwrap();
    let summary: Value = serde_json::from_slice(&summary).unwrap();
    summary["overall"]["value"].as_f64().unwrap()
}

#[test]
fn a_change_is_named_with_what_had_changed() {
    let dir = tempfile::tempdir().unwrap();
    let model = tree(dir.path());
    let found = json_of(dir.path(), &["questions"]);
    let series = &found[0]["series"][0];
    let values: Vec<f64> = (0..8)
        .map(|run| summary(&model.join(format!("run{run}"))))
        .collect();
    let points = series["points"].as_array().unwrap();
    let shown: Vec<f64> = points
        .iter()
        .map(|p| p["value"].as_f64().unwrap())
        .collect();
    assert_eq!(shown, values);
    let step = points[4]["step"]["difference"].as_f64().unwrap();
    assert!((step - (values[4] - values[3])).abs() < 1e-12);
    let changes = series["changes"].as_array().unwrap();
    assert_eq!(changes.len(), 1, "{series:#}");
    let change = &changes[0];
    assert_eq!(
        (&change["run"], &change["from"]),
        (&json!("run4"), &json!("run3"))
    );
    let mean = |runs: std::ops::Range<usize>| values[runs].iter().sum::<f64>() / 4.0;
    let difference = change["difference"].as_f64().unwrap();
    assert!((difference - (mean(4..8) - mean(0..4))).abs() < 1e-12);
    assert!(change["p"].as_f64() < Some(0.01) && change["high"].as_f64() < Some(0.0));
    let paths: Vec<&str> = change["changed"]
        .as_array()
        .unwrap()
        .iter()
        .map(|changed| changed["path"].as_str().unwrap())
        .collect();
    assert_eq!(paths, ["model.settings.style", "seed", "program.commit"]);

    let (code, shown, _) = history(dir.path(), &["questions"]);
    assert_eq!(code, Some(0));
    for words in [
        "Questions, %: overall of echo, 8 runs, 2026-03-01 to 2026-03-08",
        "◆ fell",
        "◆ 2026-03-05, run4:",
        "4 runs before, 4 runs after. Changed since run3:",
        "model.settings.style: plain → terse",
        "program.commit: aaaaaaaaaaaa → bbbbbbbbbbbb",
        "1 change point among 8 runs",
    ] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    // Before the change nothing is seen, nor in a group that it did not touch.
    let later = json_of(dir.path(), &["questions", "--since", "2026-03-05"]);
    assert_eq!(later[0]["series"][0]["points"].as_array().unwrap().len(), 4);
    assert_eq!(later[0]["series"][0]["changes"], json!([]));
    let metrics = ["questions", "--metric", "kind=three", "correct"];
    let both = json_of(dir.path(), &metrics);
    let series = both[0]["series"].as_array().unwrap();
    assert_eq!(series.len(), 2);
    assert_eq!(series[1]["changes"][0]["run"], "run4");
}

#[test]
fn what_cannot_be_compared_is_marked_and_what_cannot_be_read_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let model = tree(dir.path());
    let manifest = |run: usize| model.join(format!("run{run}/manifest.json"));
    // The runs after the change are of another version: there is no change within either.
    for run in 4..8 {
        let summary = model.join(format!("run{run}/summary.json"));
        rewrite(&manifest(run), |manifest| {
            manifest["suite"]["version"] = json!("2")
        });
        rewrite(&summary, |summary| summary["suite_version"] = json!("2"));
    }
    rewrite(&model.join("run2/summary.json"), |summary| {
        summary["partial"] = json!(true);
        summary["scored"] = json!(41);
    });
    rewrite(&model.join("run7/summary.json"), |summary| {
        summary["judges"] = json!([{"judge": "other-judge"}]);
    });
    let cut = |path: &Path, part: usize| {
        let bytes = std::fs::read(path).unwrap();
        std::fs::write(path, &bytes[..bytes.len() / part]).unwrap();
    };
    cut(&model.join("run0/grades.parquet"), 2);
    cut(&manifest(1), 3);
    std::fs::create_dir(model.join("notes")).unwrap();
    std::fs::remove_file(model.join("run6/summary.json")).unwrap();
    let (code, shown, said) = history(dir.path(), &["questions"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("4 folders were skipped:"), "{said}");
    for (folder, why) in [
        ("run0", "grades.parquet cannot be read"),
        ("run1", "manifest.json"),
        ("notes", "not a run: it has no manifest.json"),
        ("run6", "not graded yet"),
    ] {
        let line = said.split("results/").find(|part| part.contains(folder));
        assert!(
            line.is_some_and(|line| line.contains(why)),
            "{folder}: {said}"
        );
    }
    for mark in [
        "partial: 41 of 60 outputs scored",
        "version 2 of the suite, before 1",
        "judge other-judge, before none",
    ] {
        assert!(shown.contains(mark), "{mark}: {shown}");
    }
    let series = &json_of(dir.path(), &["questions"])[0]["series"][0];
    assert_eq!(series["changes"], json!([]), "{series:#}");
    let segments: Vec<Option<u64>> = series["points"]
        .as_array()
        .unwrap()
        .iter()
        .map(|point| point["segment"].as_u64())
        .collect();
    // run2 is partial; run3; run4 and run5 of version 2; run7 of another judge.
    assert_eq!(segments, [None, Some(0), Some(1), Some(1), Some(2)]);
    let (code, _, said) = history(dir.path(), &["answers"]);
    assert_eq!(code, Some(4));
    assert!(said.contains("it has questions"), "{said}");
    assert_eq!(history(dir.path(), &["--model", "nobody"]).0, Some(4));
    assert_eq!(history(dir.path(), &["--since", "yesterday"]).0, Some(2));
}

#[test]
fn formats_and_the_page_hold_the_same() {
    let dir = tempfile::tempdir().unwrap();
    tree(dir.path());
    let (code, csv, said) = history(dir.path(), &["--format", "csv", "-o", "page"]);
    assert_eq!(code, Some(0), "{said}");
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 9);
    assert!(lines[0].starts_with("suite,model,metric,run,started,program,value,low,high,n,step"));
    assert!(
        lines[5].starts_with("questions,echo,overall,run4,2026-03-05T06:00:00Z,"),
        "{csv}"
    );
    assert!(lines[5].ends_with("◆ fell"), "{csv}");
    let (_, markdown, _) = history(dir.path(), &["--format", "markdown"]);
    assert!(
        markdown.contains("| run4 | 2026-03-05 | 60 |"),
        "{markdown}"
    );
    let page = std::fs::read_to_string(dir.path().join("page/index.html")).unwrap();
    for request in ["http://", "https://", "<script", "@import", "src=\"/"] {
        let own = page.replace("http://www.w3.org/2000/svg", "");
        assert!(!own.contains(request), "{request}");
    }
    assert!(
        page.contains("model.settings.style: plain → terse"),
        "{page}"
    );
    let chart = dir.path().join("page/charts/questions-overall");
    let svg = std::fs::read_to_string(chart.with_extension("svg")).unwrap();
    assert!(
        svg.contains("2026-03-01") && svg.contains("start of the run"),
        "{svg}"
    );
    image::open(chart.with_extension("png")).unwrap();
    let (_, html, _) = history(dir.path(), &["--format", "html"]);
    assert!(html.starts_with("<!doctype html>") && !html.contains("charts/questions"));
}

/// Metrics whose names are the same as files have charts of their own.
#[test]
fn every_metric_has_a_chart_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    text_suite(dir.path(), 6);
    let questions = dir.path().join("questions.jsonl");
    let text = std::fs::read_to_string(&questions).unwrap();
    let text = text.replace("three", "三").replace("\"other\"", "\"四\"");
    std::fs::write(&questions, text).unwrap();
    model(dir.path(), "echo", "echo", "");
    unigauge(dir.path())
        .args(["run", "./questions.toml", "--model", "./echo.toml"])
        .assert()
        .code(0);
    let metrics = ["questions", "--metric", "kind=三", "kind=四", "-o", "page"];
    let (code, _, said) = history(dir.path(), &metrics);
    assert_eq!(code, Some(0), "{said}");
    let page = std::fs::read_to_string(dir.path().join("page/index.html")).unwrap();
    for (name, metric) in [
        ("questions-kind--", "kind=三"),
        ("questions-kind---2", "kind=四"),
    ] {
        let svg = dir.path().join(format!("page/charts/{name}.svg"));
        let svg = std::fs::read_to_string(svg).unwrap();
        assert!(svg.contains(metric), "{name} is not of {metric}");
        assert!(page.contains(&format!("charts/{name}.svg")), "{name}");
    }
}
