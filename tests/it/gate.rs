//! The gate as CI meets it: a baseline, a policy, a verdict.

use crate::compare::{altered, echo, grade};
use crate::support::{lines, model, ocr_models, stderr, unigauge};
use insta::assert_snapshot;
use serde_json::Value;
use std::path::Path;
use std::process::Output;

const RUN: &str = "results/questions/echo/seed0";

fn says(dir: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = unigauge(dir)
        .args(arguments)
        .env_remove("GITHUB_STEP_SUMMARY")
        .env_remove("GITHUB_ACTIONS")
        .output()
        .unwrap();
    told(&output)
}

fn told(output: &Output) -> (Option<i32>, String, String) {
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.code(), shown, stderr(output))
}

/// A run of 40 items, its baseline, and a worse run: 10 of 20 right answers gone.
fn bench() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let run = echo(dir.path(), 40);
    let (code, _, said) = says(
        dir.path(),
        &["baseline", "save", RUN, "--to", "baseline.json"],
    );
    assert_eq!(code, Some(0), "{said}");
    altered(&run, "worse", |at| {
        (at % 4 == 0).then(|| "nothing".to_owned())
    });
    altered(&run, "slip", |at| (at == 4).then(|| "nothing".to_owned()));
    dir
}

fn gate(dir: &Path, run: &str, more: &[&str]) -> (Option<i32>, String, String) {
    let run = format!("results/questions/echo/{run}");
    let arguments = ["gate", &run, "--baseline", "baseline.json"];
    says(dir, &[&arguments[..], more].concat())
}

/// Ten items lost and none gained: p = 1 / 2^10, the drop is 25 points.
#[test]
fn a_drop_with_evidence_is_a_breach() {
    let dir = bench();
    let (code, shown, said) = gate(dir.path(), "worse", &["--out", "gate"]);
    assert_eq!(code, Some(3), "{said}");
    assert_snapshot!(shown, @r#"
    BREACH: beyond what is allowed: overall of questions
    ──────────────────────────────────────────────────────────────────────────────────────────────────────────────
     rule                             tier   result    n   baseline    now    drop   allowed        p   seen from
    ══════════════════════════════════════════════════════════════════════════════════════════════════════════════
     overall of questions, echo   critical   breach   40       50.0   25.0   +25.0       0.5   0.0010        20.3
    ──────────────────────────────────────────────────────────────────────────────────────────────────────────────
    overall of questions: fell by more than the allowed drop, and the test gives evidence of it
    overall of questions: a drop just beyond the allowed one takes about 61820 items to be seen; there are 40.
    Changed most of questions (10 items fell, 0 rose):
      100.0 → 0.0  q0, flipped
      100.0 → 0.0  q4, flipped
      100.0 → 0.0  q8, flipped
      100.0 → 0.0  q12, flipped
      100.0 → 0.0  q16, flipped
      100.0 → 0.0  q20, flipped
      and 4 more
    A breach is a drop beyond the allowed one, with evidence of a drop: false alarms in at most 5 % over all critical and supporting rules together (Holm). “Seen from” is the smallest drop that one such test finds with a probability of 80 %.
    "#);
    let read = |name: &str| std::fs::read_to_string(dir.path().join("gate").join(name)).unwrap();
    assert_snapshot!(read("junit.xml"), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <testsuites name="unigauge gate: default" tests="1" skipped="0" failures="1" errors="0">
        <testsuite name="questions/echo/worse" tests="1" skipped="0" errors="0" failures="1">
            <testcase name="overall" classname="questions/echo/worse">
                <failure message="fell by more than the allowed drop, and the test gives evidence of it" type="breach"/>
                <system-out>breach: n 40, baseline 50.0, now 25.0, drop +25.0, allowed 0.5, p 0.0010, seen from 20.3</system-out>
            </testcase>
        </testsuite>
    </testsuites>
    "#);
    let verdict: Value = serde_json::from_str(&read("verdict.json")).unwrap();
    let rule = &verdict["rules"][0];
    assert_eq!(
        (&verdict["status"], &rule["status"]),
        (&"breach".into(), &"breach".into())
    );
    assert!((rule["p"].as_f64().unwrap() - 1.0 / 1024.0).abs() < 1e-12);
    assert_eq!(rule["drop"].as_f64(), Some(0.25));
    let page = read("index.html");
    assert!(
        page.contains("beyond what is allowed: overall of questions") && page.contains(">q4<"),
        "{page}"
    );
    assert!(page.contains("a baseline keeps scores, but no outputs"));
    assert!(read("summary.md").contains("| q4 | 100.0 | 0.0 | flipped |"));
}

#[test]
fn an_equal_run_passes_and_a_slip_is_inconclusive() {
    let dir = bench();
    let (code, shown, _) = gate(dir.path(), "seed0", &[]);
    assert_eq!(code, Some(0), "{shown}");
    assert!(
        shown.starts_with("PASS") && shown.contains("No item of questions changed"),
        "{shown}"
    );
    // One of 40 items: the drop of 2.5 points is more than 1 % of 50, and p is ½.
    let (code, shown, _) = gate(dir.path(), "slip", &[]);
    assert_eq!(code, Some(5), "{shown}");
    assert!(
        shown.starts_with("INCONCLUSIVE") && shown.contains("but it may be chance"),
        "{shown}"
    );
    let exits = |more: &[&str]| ["slip", "worse"].map(|run| gate(dir.path(), run, more).0);
    assert_eq!(exits(&["--fail-on", "breach"]), [Some(0), Some(3)]);
    assert_eq!(exits(&["--fail-on", "never"]), [Some(0), Some(0)]);
    assert_eq!(exits(&["--informational"]), [Some(0), Some(0)]);
    // A run folder is as good a baseline.
    let args = ["gate", "results/questions/echo/worse", "--baseline", RUN];
    assert_eq!(says(dir.path(), &args).0, Some(3));
}

#[test]
fn a_policy_sets_tiers_tolerances_and_what_partial_runs_do() {
    let dir = bench();
    let policy = |rules: &str| {
        let text = format!("name = \"mine\"\ntitle = \"Mine\"\n{rules}");
        std::fs::write(dir.path().join("mine.toml"), text).unwrap();
    };
    let judged = |run: &str| gate(dir.path(), run, &["--policy", "mine.toml"]);
    policy("[[rules]]\nmetric = \"overall\"\ntier = \"critical\"\nmax_drop = 0.3\n");
    assert_eq!(judged("worse").0, Some(0), "within the allowed drop");
    policy(
        "[[rules]]\nmetric = \"overall\"\ntier = \"critical\"\nmax_drop = 0.3\nmax_relative_drop = 0.1\n",
    );
    assert_eq!(judged("worse").0, Some(3), "the smaller of both counts");
    policy("[[rules]]\nmetric = \"overall\"\ntier = \"advisory\"\n");
    assert_eq!(judged("worse").0, Some(0), "advisory rules are only shown");
    policy("[[rules]]\nmetric = \"overall\"\ntier = \"supporting\"\n");
    assert_eq!((judged("worse").0, judged("slip").0), (Some(3), Some(0)));
    policy("min_pairs = 50\n[[rules]]\nmetric = \"overall\"\ntier = \"critical\"\n");
    assert_eq!(judged("worse").0, Some(5), "40 items are too few");
    policy("[[rules]]\nmetric = \"kind=*\"\ntier = \"critical\"\n");
    let (code, shown, _) = judged("worse");
    assert_eq!(code, Some(3));
    assert!(
        shown.contains("kind=three of questions") && shown.contains("kind=other of"),
        "{shown}"
    );
    policy("[[rules]]\nmetric = \"part:sc\"\ntier = \"critical\"\n");
    assert_eq!(judged("seed0").0, Some(5), "nothing has such a part");
    policy("[[rules]]\nmetric = \"overall\"\nsuite = \"geneval\"\ntier = \"critical\"\n");
    assert_eq!(judged("seed0").0, Some(5), "no run of the suite was given");

    let partial = altered(&dir.path().join(RUN), "partial", |_| None);
    let outputs = std::fs::read_to_string(partial.join("outputs.jsonl")).unwrap();
    let part: String = outputs
        .lines()
        .take(30)
        .map(|line| format!("{line}\n"))
        .collect();
    std::fs::write(partial.join("outputs.jsonl"), part).unwrap();
    grade(&partial);
    for (partial, code) in [("inconclusive", 5), ("breach", 3), ("compare", 0)] {
        policy(&format!(
            "partial = \"{partial}\"\n[[rules]]\nmetric = \"overall\"\ntier = \"critical\"\n"
        ));
        assert_eq!(judged("partial").0, Some(code), "{partial}");
    }

    policy("[[rules]]\nmetric = \"overal\"\ntier = \"critical\"\n");
    let (code, _, said) = judged("seed0");
    assert_eq!(code, Some(2));
    assert!(
        said.contains("mine.toml:4") && said.contains("`overal` is not a metric"),
        "{said}"
    );
}

#[test]
fn a_baseline_is_small_and_changes_are_noted_with_their_reason() {
    let dir = bench();
    let path = dir.path().join("baseline.json");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(
        text.contains("\n{\"item\":\"q4\",\"asked\":"),
        "one line an item: {text}"
    );
    assert!(text.len() < 40 * 100 + 2000, "{} bytes", text.len());
    let (code, _, said) = says(
        dir.path(),
        &["baseline", "save", RUN, "--to", "baseline.json"],
    );
    assert_eq!(code, Some(2));
    assert!(
        said.contains("already has a run of questions by echo") && said.contains("accept"),
        "{said}"
    );
    let worse = "results/questions/echo/worse";
    let compare = ["baseline", "compare", "baseline.json", worse];
    let (code, shown, _) = says(dir.path(), &compare);
    assert_eq!(code, Some(0));
    assert!(shown.contains("10 lost"), "{shown}");
    let accept = ["baseline", "accept", "baseline.json", worse, "--reason"];
    assert_eq!(says(dir.path(), &[&accept[..], &[" "]].concat()).0, Some(2));
    assert_eq!(
        says(dir.path(), &[&accept[..], &["smaller model"]].concat()).0,
        Some(0)
    );
    assert_eq!(gate(dir.path(), "worse", &[]).0, Some(0));
    let file: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let noted = &file["accepted"][0];
    assert_eq!(noted["reason"], "smaller model");
    assert_eq!(
        (noted["from"].as_f64(), noted["to"].as_f64()),
        (Some(0.5), Some(0.25))
    );

    std::fs::write(&path, &text[..text.len() / 2]).unwrap();
    let (code, _, said) = gate(dir.path(), "worse", &[]);
    assert_eq!(code, Some(2));
    assert!(said.contains("baseline.json is not a baseline"), "{said}");
}

#[test]
fn github_gets_a_summary_and_annotations() {
    let dir = bench();
    let summary = dir.path().join("summary.md");
    let run = |informational: &[&str]| {
        let output = unigauge(dir.path())
            .args([
                "gate",
                "results/questions/echo/worse",
                "--baseline",
                "baseline.json",
            ])
            .args(informational)
            .env("GITHUB_STEP_SUMMARY", &summary)
            .env("GITHUB_ACTIONS", "true")
            .output()
            .unwrap();
        told(&output).1
    };
    let shown = run(&[]);
    let notes: Vec<&str> = shown
        .lines()
        .filter(|line| line.starts_with("::"))
        .collect();
    assert_snapshot!(notes.join("\n"), @"::error title=breach%3A overall of questions::echo (worse): 50.0 → 25.0 on 40 items, drop +25.0, allowed 0.5, p 0.0010. fell by more than the allowed drop, and the test gives evidence of it");
    assert!(!run(&["--informational"]).contains("::error"));
    let text = std::fs::read_to_string(&summary).unwrap();
    assert_eq!(
        text.matches("## ❌ unigauge gate: breach").count(),
        2,
        "the step's file is appended to"
    );
    // A full file stays within GitHub's limit.
    std::fs::write(&summary, "x".repeat((1 << 20) - 700)).unwrap();
    run(&[]);
    let size = std::fs::metadata(&summary).unwrap().len();
    assert!(size <= 1 << 20, "{size}");
    assert!(
        std::fs::read_to_string(&summary)
            .unwrap()
            .ends_with("whole text.\n")
    );
}

/// Forty questions, every second one to be answered with yes, all answered right; then 8 of the 20 yeses
/// become noes. Recall falls from 1 to 0.6, and of the 2^8 exchanges one alone leaves as large a drop.
#[test]
fn further_metrics_are_watched_by_their_names() {
    let dir = tempfile::tempdir().unwrap();
    let word = |at: usize| if at.is_multiple_of(2) { "yes" } else { "no" };
    let items: String = (0..40)
        .map(|at| {
            let word = word(at);
            format!(
                "{{\"id\": \"q{at}\", \"prompt\": \"{word} to {at}\", \"answers\": [\"{word}\"]}}\n"
            )
        })
        .collect();
    std::fs::write(dir.path().join("polar.jsonl"), items).unwrap();
    let suite = "name = \"polar\"\nversion = \"1\"\ntitle = \"Polar\"\ntask = \"understand\"\n[items]\nfile = \"polar.jsonl\"\n\
        [items.map]\nexpect = [\"answers\"]\n[grade]\nrule = \"yes-no\"\n";
    std::fs::write(dir.path().join("polar.toml"), suite).unwrap();
    model(dir.path(), "echo", "echo", "");
    let run = ["run", "./polar.toml", "--model", "./echo.toml"];
    assert_eq!(says(dir.path(), &run).0, Some(0));
    let run = "results/polar/echo/seed0";
    altered(&dir.path().join(run), "worse", |at| {
        (at % 2 == 0 && at < 16).then(|| "no".to_owned())
    });
    assert_eq!(
        says(dir.path(), &["baseline", "save", run, "--to", "b.json"]).0,
        Some(0)
    );
    let worse = "results/polar/echo/worse";
    let judged = |metric: &str, baseline: &str| {
        let policy = format!(
            "name = \"mine\"\ntitle = \"Mine\"\n[[rules]]\nmetric = \"{metric}\"\ntier = \"critical\"\n"
        );
        std::fs::write(dir.path().join("mine.toml"), policy).unwrap();
        let args = [
            "gate",
            worse,
            "--baseline",
            baseline,
            "--policy",
            "mine.toml",
            "--json",
        ];
        let (code, shown, said) = says(dir.path(), &args);
        let verdict: Value = serde_json::from_str(&shown).unwrap_or_else(|_| panic!("{said}"));
        (code, verdict["rules"][0].clone())
    };
    for baseline in ["b.json", run] {
        let (code, rule) = judged("recall", baseline);
        assert_eq!(
            (code, &rule["metric"]),
            (Some(3), &"recall".into()),
            "{rule}"
        );
        assert!(
            (rule["drop"].as_f64().unwrap() - 0.4).abs() < 1e-9,
            "{rule}"
        );
        assert!(
            (rule["p"].as_f64().unwrap() - 1.0 / 256.0).abs() < 1e-9,
            "{rule}"
        );
        let bound = |key: &str| rule["difference"][key].as_f64().unwrap();
        // The error of 8 of 20 that changed: √(0.4 · 0.6 / 20) = 0.1095, of which parts left out give nearly
        // as much.
        assert!((bound("low") + 0.4 + 1.96 * 0.1095).abs() < 0.03, "{rule}");
        assert!((bound("high") + 0.4 - 1.96 * 0.1095).abs() < 0.03, "{rule}");
    }
    let (code, rule) = judged("yes ratio", "b.json");
    assert_eq!((code, rule["status"].as_str()), (Some(3), Some("breach")));
    assert_eq!(judged("precision", "b.json").0, Some(0));
    let (code, rule) = judged("recal", "b.json");
    let reason = rule["reason"].as_str().unwrap();
    assert_eq!(code, Some(5), "{reason}");
    assert!(
        reason.contains("no metric `recal`") && reason.contains("F1, accuracy, precision, recall"),
        "{reason}"
    );
}

/// The whole loop with pictures: clean type is the baseline, the same again passes, degraded type fails and
/// the page shows what fell.
#[test]
fn degraded_type_fails_the_gate() {
    if ocr_models().is_none() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    for (model, name) in [
        ("typeset", "first"),
        ("typeset", "again"),
        ("typeset-degraded-3", "first"),
    ] {
        let args = [
            "run", "quick", "--model", model, "--limit", "12", "--run", name,
        ];
        let (code, _, said) = says(dir.path(), &args);
        assert_eq!(code, Some(0), "{said}");
    }
    let first = "results/quick/typeset/first";
    assert_eq!(
        says(dir.path(), &["baseline", "save", first, "--to", "b.json"]).0,
        Some(0)
    );
    let gate = |run: &str, baseline: &str, out: &str| {
        let run = format!("results/quick/{run}");
        let args = ["gate", &run, "--baseline", baseline, "--out", out];
        says(dir.path(), &args)
    };
    let (code, shown, said) = gate("typeset/again", "b.json", "pass");
    assert_eq!(code, Some(0), "{shown}{said}");
    let degraded = "typeset-degraded-3/first";
    assert_eq!(gate(degraded, "b.json", "kept").0, Some(3));
    let (code, shown, said) = gate(degraded, first, "fail");
    assert_eq!(code, Some(3), "{shown}{said}");
    let read = |name: &str| std::fs::read_to_string(dir.path().join("fail").join(name)).unwrap();
    let junit = read("junit.xml");
    assert!(
        junit.contains("failures=\"1\"") && junit.contains("type=\"breach\""),
        "{junit}"
    );
    let summary = read("summary.md");
    assert!(
        summary.starts_with("## ❌ unigauge gate: breach") && summary.contains("items fell"),
        "{summary}"
    );
    let page = read("index.html");
    let cards = page.matches("<article").count();
    assert!(cards >= 6, "{cards} items changed");
    let pictures = page.matches("<img src=\"thumbs/").count();
    assert_eq!(pictures, 2 * cards, "both pictures");
    let grades = lines(
        &dir.path()
            .join("results/quick/typeset-degraded-3/first/grades.jsonl"),
    );
    let fell = grades
        .iter()
        .find(|grade| grade["score"].as_f64() < Some(1.0));
    let reason = fell.unwrap()["reason"].as_str().unwrap();
    assert!(page.contains(reason.split(';').next().unwrap()), "{reason}");
}
