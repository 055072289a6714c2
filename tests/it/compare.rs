//! Two runs item by item, as a user compares them.

use crate::support::{lines, model, stderr, text_suite, unigauge};
use insta::assert_snapshot;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use unigauge::compare::{Allowed, DifferenceOptions, IntervalKind, Recount, compare};
use unigauge::config::TestChoice;
use unigauge::record::{ItemOutcome, Outcomes, OutputOutcome, Overall, RunFacts, Tags};
use unigauge::stats::formula::{Formula, Terms};
use unigauge::stats::power::Plan;

/// A graded run of a text suite of `count` items, half of them right.
pub(crate) fn echo(dir: &Path, count: usize) -> PathBuf {
    text_suite(dir, count);
    model(dir, "echo", "echo", "");
    unigauge(dir)
        .args(["run", "./questions.toml", "--model", "./echo.toml"])
        .assert()
        .code(0);
    dir.join("results/questions/echo/seed0")
}

/// A copy of a run whose answers to some items were replaced, graded again.
pub(crate) fn altered(run: &Path, name: &str, answer: impl Fn(usize) -> Option<String>) -> PathBuf {
    let copy = run.with_file_name(name);
    std::fs::create_dir_all(&copy).unwrap();
    for file in [
        "manifest.json",
        "items.jsonl",
        "outputs.jsonl",
        "evidence.jsonl",
    ] {
        std::fs::copy(run.join(file), copy.join(file)).unwrap();
    }
    rewrite(&copy.join("manifest.json"), |manifest| {
        manifest["run"] = json!(name)
    });
    let mut outputs = lines(&copy.join("outputs.jsonl"));
    for output in &mut outputs {
        // Outputs stand in the order in which they were made.
        let number = output["item"].as_str().unwrap().trim_start_matches('q');
        if let Some(answer) = answer(number.parse().unwrap()) {
            output["text"] = json!(answer);
        }
    }
    write_lines(&copy.join("outputs.jsonl"), &outputs);
    grade(&copy);
    copy
}

pub(crate) fn grade(run: &Path) {
    unigauge(run).args(["grade", "."]).output().unwrap();
}

pub(crate) fn rewrite(path: &Path, change: impl FnOnce(&mut Value)) {
    let mut value: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    change(&mut value);
    std::fs::write(path, serde_json::to_vec(&value).unwrap()).unwrap();
}

fn write_lines(path: &Path, lines: &[Value]) {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    std::fs::write(path, text).unwrap();
}

/// Even items are right (their answer stands in the prompt). Items 0, 4, 8, … turn wrong, items 1 and 3 turn
/// right: `something else` is what odd items want.
fn worse(at: usize) -> Option<String> {
    match at {
        1 | 3 => Some("something else".to_owned()),
        at if at % 4 == 0 => Some("nothing".to_owned()),
        _ => None,
    }
}

fn compared(dir: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = unigauge(dir)
        .arg("compare")
        .args(arguments)
        .output()
        .unwrap();
    let shown = String::from_utf8(output.stdout.clone()).unwrap();
    (output.status.code(), shown, stderr(&output))
}

/// 40 items: 20 right before; 10 of them turn wrong and 2 others right, so 12 after. McNemar's exact p is
/// 2 · P(at most 2 of 12 tosses) = 2 · 79 / 4096 = 0.0386; the odds are 2 : 10.
#[test]
fn two_runs_are_compared_item_by_item() {
    let dir = tempfile::tempdir().unwrap();
    let before = echo(dir.path(), 40);
    altered(&before, "seed1", worse);
    let runs = [
        "results/questions/echo/seed0",
        "results/questions/echo/seed1",
    ];
    let (code, shown, _) = compared(dir.path(), &runs);
    assert_eq!(code, Some(0));
    assert_snapshot!(shown, @r#"
    Questions (version 1), %
    ─────────────────────────────────────────────
     model           n   overall   three   other
    ═════════════════════════════════════════════
     echo (seed0)   40     50.0*   50.0*   50.0*
     echo (seed1)   40     30.0'   28.6'   30.8'
    ─────────────────────────────────────────────
    * best, ' second

    Questions (version 1), %: echo (seed1) (B) against echo (seed0) (A), 40 items in both
    ─────────────────────────────────────────────────────────────────────────────────────────────────
                   n      A      B   B − A   95 % interval      p   Holm       d   won / tied / lost
    ═════════════════════════════════════════════════════════════════════════════════════════════════
     overall      40   50.0   30.0   −20.0   [−37.5, −5.0]   0.04      –   −0.39         2 / 28 / 10
     kind=three   14   50.0   28.6   −21.4   [−50.0, +7.1]   0.37   0.37   −0.37           1 / 9 / 4
     kind=other   26   50.0   30.8   −19.2    [−38.5, 0.0]   0.12   0.25   −0.39          1 / 19 / 6
    ─────────────────────────────────────────────────────────────────────────────────────────────────
    p: McNemar's exact test; groups: Holm over all 2 of them; d: mean over deviation of the items' differences.
    2 items gained, 10 lost: odds 0.20 [0.02, 0.94].
    40 items like these show a difference of 24.2 points with a chance of 80 %; one as large as that seen takes 61 items.
    Changed most, A → B:
      100.0 → 0.0  q0, flipped
      100.0 → 0.0  q4, flipped
      100.0 → 0.0  q8, flipped
      100.0 → 0.0  q12, flipped
      100.0 → 0.0  q16, flipped
      100.0 → 0.0  q20, flipped
      100.0 → 0.0  q24, flipped
      100.0 → 0.0  q28, flipped
      and 4 more
    "#);
    let (_, json, _) = compared(dir.path(), &[&runs[..], &["--format", "json"]].concat());
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["tables"][0]["rows"].as_array().unwrap().len(), 2);
    let overall = &json["comparisons"][0]["overall"];
    assert_eq!(overall["difference"], json!(-0.2));
    assert_eq!(overall["test"], "mcnemar");
    assert!((overall["p"].as_f64().unwrap() - 158.0 / 4096.0).abs() < 1e-9);
    assert_eq!(overall["flips"], json!({"gained": 2, "lost": 10}));
    assert_eq!(
        [&overall["won"], &overall["tied"], &overall["lost"]],
        [2, 28, 10]
    );
    let groups = json["comparisons"][0]["groups"].as_array().unwrap();
    assert_eq!(groups.len(), 2);
    assert_eq!(groups[0]["metric"], "kind=three");
    assert!(
        groups
            .iter()
            .all(|g| g["p_holm"].as_f64() >= g["p"].as_f64())
    );
    // Formats of tables alone stay tables.
    let (code, csv, _) = compared(dir.path(), &[&runs[..], &["--format", "csv"]].concat());
    assert_eq!((code, csv.lines().count()), (Some(0), 7));
}

#[test]
fn what_should_not_be_compared_is_refused_and_marked_when_allowed() {
    let dir = tempfile::tempdir().unwrap();
    let before = echo(dir.path(), 20);
    let pair = |name: &str| {
        [
            "results/questions/echo/seed0".to_owned(),
            format!("results/questions/echo/{name}"),
        ]
    };
    let check = |name: &str, option: &str, code: i32, why: &str| {
        let [one, other] = pair(name);
        let (found, shown, said) = compared(dir.path(), &[&one, &other]);
        assert_eq!(found, Some(code), "{name}: {said}");
        assert!(said.contains(why) && said.contains(option), "{said}");
        assert!(
            shown.contains("overall") && !shown.contains("B − A"),
            "{shown}"
        );
        let (_, shown, said) = compared(dir.path(), &[&one, &other, option]);
        let mark = format!("compared although they differ: {why}");
        assert!(shown.contains(&mark), "{shown}{said}");
    };

    let prompts = altered(&before, "prompts", |_| None);
    let mut items = lines(&prompts.join("items.jsonl"));
    items[2]["prompt"] = json!("please say number 2");
    write_lines(&prompts.join("items.jsonl"), &items);
    check(
        "prompts",
        "--allow-prompts",
        2,
        "1 of 20 items has a different prompt",
    );

    let seen = altered(&before, "seen", |_| None);
    rewrite(&seen.join("manifest.json"), |manifest| {
        manifest["observers"] = json!({"judge": {"model": "other"}});
    });
    check(
        "seen",
        "--allow-observers",
        2,
        "only one run was observed by judge",
    );

    let version = altered(&before, "version", |_| None);
    rewrite(&version.join("manifest.json"), |manifest| {
        manifest["suite"]["version"] = json!("2")
    });
    grade(&version);
    check(
        "version",
        "--allow-version",
        2,
        "different versions of the suite: 1 and 2",
    );

    let strict = altered(&before, "strict", |_| None);
    let regraded = unigauge(&strict)
        .args(["grade", ".", "--set", "from=\"ocr\""])
        .output()
        .unwrap();
    assert_eq!(regraded.status.code(), Some(5), "no output has a picture");
    let [one, other] = pair("strict");
    let (code, _, said) = compared(dir.path(), &[&one, &other]);
    assert_eq!(code, Some(2));
    assert!(
        said.contains("graded in different ways") && said.contains("--allow-grading"),
        "{said}"
    );

    let partial = altered(&before, "partial", |_| None);
    let outputs = lines(&partial.join("outputs.jsonl"));
    write_lines(&partial.join("outputs.jsonl"), &outputs[..15]);
    grade(&partial);
    check(
        "partial",
        "--allow-partial",
        5,
        "echo (partial) is partial: 15 of 20 outputs scored",
    );
}

/// The page stands by itself and shows both answers of the items that changed.
#[test]
fn the_page_shows_both_sides_of_what_changed() {
    let dir = tempfile::tempdir().unwrap();
    let before = echo(dir.path(), 20);
    altered(&before, "seed1", |at| {
        (at == 6).then(|| "<b>six</b>".to_owned())
    });
    let runs = [
        "results/questions/echo/seed0",
        "results/questions/echo/seed1",
    ];
    let (code, _, said) = compared(dir.path(), &[&runs[..], &["--out", "page"]].concat());
    assert_eq!(code, Some(0), "{said}");
    let page = std::fs::read_to_string(dir.path().join("page/index.html")).unwrap();
    assert_eq!(page.matches("<article").count(), 1);
    assert!(
        page.contains("say number 6") && page.contains("&#60;b&#62;six"),
        "{page}"
    );
    assert!(
        page.contains("contains none of") || page.contains("why"),
        "{page}"
    );
    for request in ["http://", "https://", "<script", "@import", "src=\"/"] {
        assert!(!page.contains(request), "{request}");
    }
}

/// A run of other items: what is in both is compared when that is allowed, and a mixture that changed is
/// remarked on.
#[test]
fn groups_that_mix_differently_are_remarked_on() {
    let dir = tempfile::tempdir().unwrap();
    echo(dir.path(), 40);
    let args = [
        "run",
        "./questions.toml",
        "--model",
        "./echo.toml",
        "--run",
        "part",
        "--only",
    ];
    // Items 0, 3, 6, … are of the kind `three`.
    let only = ["q0", "q3", "q6", "q9", "q12", "q15", "q1", "q2"];
    unigauge(dir.path()).args(args).args(only).assert().code(0);
    let runs = [
        "results/questions/echo/seed0",
        "results/questions/echo/part",
    ];
    let (code, _, said) = compared(dir.path(), &runs);
    assert_eq!(code, Some(5));
    assert!(
        said.contains("8 items are in both runs, 32 only in the first"),
        "{said}"
    );
    let (code, shown, _) = compared(dir.path(), &[&runs[..], &["--allow-partial"]].concat());
    assert_eq!(code, Some(0));
    assert!(shown.contains("The runs mix kind differently"), "{shown}");
}

/// Every group rises and the overall number falls, since the later run lacks most of the easy items. Items of
/// the kind `three` (14) are the easy ones: 12 of them right before, 2 of those 4 that both runs have; now 3
/// of 4. Others (26): 6 right before, 9 now. Overall 18 of 40 = 45 %, then 12 of 30 = 40 %.
#[test]
fn simpsons_paradox_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let run = echo(dir.path(), 40);
    let right = |at: usize| match at % 2 {
        0 => format!("number {at}"),
        _ => "something else".to_owned(),
    };
    let answers = |easy: usize, hard: usize| {
        move |at: usize| {
            // The place of the item among those of its kind.
            let (place, good) = match at % 3 {
                0 => (at / 3, easy),
                _ => (at - at / 3 - 1, hard),
            };
            Some(if place < good {
                right(at)
            } else {
                "nothing".to_owned()
            })
        }
    };
    // Items 0, 3 and so on: the last two are wrong, and both runs have the last four.
    altered(&run, "wide", answers(12, 6));
    let kept = |at: usize| !at.is_multiple_of(3) || at >= 30;
    let only: Vec<String> = (0..40)
        .filter(|at| kept(*at))
        .map(|at| format!("q{at}"))
        .collect();
    let args = [
        "run",
        "./questions.toml",
        "--model",
        "./echo.toml",
        "--run",
        "part",
        "--only",
    ];
    unigauge(dir.path()).args(args).args(&only).assert().code(0);
    altered(&run.with_file_name("part"), "narrow", answers(13, 9));
    let runs = [
        "results/questions/echo/wide",
        "results/questions/echo/narrow",
        "--allow-partial",
    ];
    let (code, shown, said) = compared(dir.path(), &runs);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        shown.contains("! Simpson's paradox: the overall number is lower, though every group of kind is higher."),
        "{shown}"
    );
    assert!(
        shown.contains("! The runs mix kind differently") && shown.contains("45.0"),
        "{shown}"
    );
    let (_, json, _) = compared(dir.path(), &[&runs[..], &["--format", "json"]].concat());
    let json: Value = serde_json::from_str(&json).unwrap();
    let comparison = &json["comparisons"][0];
    let own = ["before", "after"].map(|side| comparison[side]["value"].as_f64().unwrap());
    assert_eq!(own, [0.45, 0.4]);
    let groups = comparison["groups"].as_array().unwrap();
    assert!(groups.len() == 2 && groups.iter().all(|g| g["difference"].as_f64() > Some(0.0)));
}

/// The official number of OneIG-Bench's texts as its paper has it: 1 − min(M, ED)(1 − CR)(1 − WAC) / M.
struct OneIg;

impl Formula for OneIg {
    fn value(&self, [n, distance, exact, matched, reference, limit]: &Terms) -> Option<f64> {
        let (worst, mean) = (limit / n, distance / n);
        let missed = (1.0 - exact / n) * (1.0 - matched / reference);
        (*n > 0.0).then_some(1.0 - worst.min(mean) * missed / worst)
    }
}

impl Recount for OneIg {
    fn formula(&self) -> Option<&dyn Formula> {
        Some(self)
    }

    fn terms(&self, output: &OutputOutcome) -> Option<Terms> {
        let part = |name: &str| output.parts.get(name).copied();
        Some([
            1.0,
            part("ed")?,
            part("cr")?,
            part("matched")?,
            part("reference")?,
            part("limit")?,
        ])
    }

    fn metrics(&self, _: &[&ItemOutcome]) -> BTreeMap<String, f64> {
        BTreeMap::new()
    }
}

/// tests/golden/stats/pooled.py makes the pairs, all exchanges and 200,000 resamples of the same formula.
#[test]
fn a_formula_of_sums_is_compared_as_a_formula() {
    let golden: Value = serde_json::from_str(include_str!("../golden/stats/pooled.json")).unwrap();
    let cases = golden.as_array().unwrap();
    assert_eq!(cases.len(), 3);
    for case in cases {
        let run = |side: usize| {
            let outcomes =
                case["pairs"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .enumerate()
                    .map(|(at, pair)| {
                        let terms: Vec<f64> = serde_json::from_value(pair[side].clone()).unwrap();
                        let names = ["n", "ed", "cr", "matched", "reference", "limit"];
                        let parts = names
                            .iter()
                            .map(|name| (*name).to_owned())
                            .zip(terms.clone());
                        ItemOutcome {
                            item: at.to_string(),
                            asked: String::new(),
                            tags: Tags::default(),
                            outputs: vec![OutputOutcome {
                                sums: Some((terms[3], terms[4])),
                                score: Some(terms[3] / terms[4]),
                                correct: Some(terms[2] == 1.0),
                                parts: parts.collect(),
                            }],
                        }
                    });
            outcomes.collect::<Vec<_>>()
        };
        let [before, after] = [0, 1].map(|side| Outcomes {
            facts: facts(case["pairs"].as_array().unwrap().len()),
            items: run(side),
        });
        let number = |key: &str| case[key].as_f64().unwrap();
        for (kind, low, high) in [
            (IntervalKind::Percentile, "low", "high"),
            (IntervalKind::Bca, "bca_low", "bca_high"),
        ] {
            let options = DifferenceOptions {
                plan: Plan {
                    level: 0.05,
                    power: 0.8,
                    one_sided: false,
                },
                test: TestChoice::Auto,
                interval: kind,
                resamples: 20_000,
                seed: 1,
            };
            let found = compare(&before, &after, Allowed::default(), &options, Some(&OneIg));
            let found = found.unwrap().overall;
            assert!(
                (found.difference - number("difference")).abs() < 1e-9,
                "{found:?}"
            );
            assert!((found.before - number("before")).abs() < 1e-9, "{found:?}");
            let exact = case["exact"].as_bool().unwrap();
            let near = if exact { 1e-9 } else { 0.012 };
            assert!((found.p - number("p")).abs() < near, "{found:?}");
            let room = 0.04 * (number("high") - number("low"));
            for (ours, theirs) in [(found.low, low), (found.high, high)] {
                assert!(
                    (ours.unwrap() - number(theirs)).abs() < room,
                    "{theirs} {found:?} {case}"
                );
            }
        }
    }
}

fn facts(items: usize) -> RunFacts {
    let text = || "oneig".to_owned();
    RunFacts {
        suite: text(),
        suite_title: text(),
        suite_version: text(),
        model: text(),
        model_title: text(),
        run: text(),
        repeats: 1,
        grading: Value::Null,
        observers: BTreeMap::new(),
        overall: Overall::Micro,
        group_by: Vec::new(),
        expected: items,
        scored: items,
        failed: 0,
        unscored: 0,
        value: None,
        judges: Vec::new(),
    }
}

/// Four questions to be answered with yes and four with no, all right before; after, every answer is yes: F1
/// was 1 and is 2 · 4 / (2 · 4 + 4) = 2/3. A question with no adds nothing to F1 before and a false alarm
/// after.
#[test]
fn false_alarms_count_in_a_comparison_of_f1() {
    let dir = tempfile::tempdir().unwrap();
    let items = (0..8).map(|at| {
        let answer = if at < 4 { "yes" } else { "no" };
        format!(
            "{}\n",
            json!({"id": format!("q{at}"), "prompt": answer, "answers": [answer]})
        )
    });
    std::fs::write(dir.path().join("f1.jsonl"), items.collect::<String>()).unwrap();
    std::fs::write(
        dir.path().join("f1.toml"),
        "name = \"f1\"\nversion = \"1\"\ntitle = \"F1\"\ntask = \"understand\"\n\n[items]\nfile = \"f1.jsonl\"\n\n\
         [items.map]\nexpect = [\"answers\"]\n\n[grade]\nrule = \"yes-no\"\noptions = { headline = \"f1\" }\n",
    )
    .unwrap();
    model(dir.path(), "echo", "echo", "");
    unigauge(dir.path())
        .args(["run", "./f1.toml", "--model", "./echo.toml"])
        .assert()
        .code(0);
    let before = dir.path().join("results/f1/echo/seed0");
    altered(&before, "seed1", |_| Some("yes".to_owned()));
    let runs = ["results/f1/echo/seed0", "results/f1/echo/seed1", "--json"];
    let (code, shown, said) = compared(dir.path(), &runs);
    assert_eq!(code, Some(0), "{said}");
    let shown: Value = serde_json::from_str(&shown).unwrap();
    let overall = &shown["comparisons"][0]["overall"];
    assert_eq!(overall["before"], 1.0, "{shown:#}");
    let after = overall["after"].as_f64().unwrap();
    assert!((after - 2.0 / 3.0).abs() < 1e-12, "{shown:#}");
    assert_eq!(overall["n"], 8);
    assert_eq!(
        [&overall["won"], &overall["tied"], &overall["lost"]],
        [0, 4, 4]
    );
    let changes = shown["comparisons"][0]["changes"].as_array().unwrap();
    assert_eq!(changes.len(), 4, "{shown:#}");
}
