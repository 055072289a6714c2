//! What papers printed, the sums that do not add up, runs beside it, and files for other programs.

use crate::compare::{altered, echo};
use crate::support::{lines, stderr, unigauge};
use insta::assert_snapshot;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn shown(dir: &Path, arguments: &[&str]) -> String {
    let output = unigauge(dir).args(arguments).output().unwrap();
    assert!(output.stderr.is_empty(), "{}", stderr(&output));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_tables_of_uniworld_v1_s_paper() {
    let dir = tempfile::tempdir().unwrap();
    assert_snapshot!(shown(dir.path(), &["table", "--published", "2506.03147"]));
}

#[test]
fn the_tables_of_x_omni_s_paper() {
    let dir = tempfile::tempdir().unwrap();
    assert_snapshot!(shown(dir.path(), &["table", "--published", "2507.22058"]));
}

/// Suite, model, first word of the source; the sum of the columns in units of the last digit, worked by hand,
/// and what it is divided by; as printed; as recomputed.
const OFF: [(&str, &str, &str, u32, u32, &str, &str); 8] = [
    // 284+158+151+197+158+175+238+162+122: arXiv:2506.03147 prints 1.83 for the same columns.
    (
        "imgedit",
        "MagicBrush",
        "arXiv:2508.02324,",
        1645,
        9,
        "1.90",
        "1.83",
    ),
    // 461+433+290+435+366+457+493+396+489, in three tables.
    (
        "imgedit",
        "GPT-4o-Image",
        "arXiv:2506.03147,",
        3820,
        9,
        "4.20",
        "4.24",
    ),
    (
        "imgedit",
        "GPT Image 1 [High]",
        "arXiv:2508.02324,",
        3820,
        9,
        "4.20",
        "4.24",
    ),
    (
        "imgedit-head",
        "GPT-4o-Image",
        "leaderboard",
        3820,
        9,
        "4.20",
        "4.24",
    ),
    // 413+362+298+445+406+422+469+345+461
    ("imgedit", "Ovis-U1", "README", 3621, 9, "4.00", "4.02"),
    // 399+373+266+438+415+405+486+343+468
    (
        "imgedit-head",
        "Ovis-U1",
        "leaderboard",
        3593,
        9,
        "3.97",
        "3.99",
    ),
    // 383+365+227+445+317+398+455+335+429
    (
        "imgedit-head",
        "FLUX.1-Kontext-dev",
        "leaderboard",
        3354,
        9,
        "3.71",
        "3.73",
    ),
    // 44·400 + 55·167 + 68·133 + 44·100 + 60·100 + 39·100 = 17600+9185+9044+4400+6000+3900, of 1000.
    (
        "wise",
        "BAGEL",
        "arXiv:2506.03147,",
        50129,
        1000,
        "0.52",
        "0.50",
    ),
];

#[test]
fn what_does_not_add_up_is_found_and_nothing_else() {
    let mut expected: BTreeSet<[String; 5]> = BTreeSet::new();
    for (suite, model, source, sum, over, printed, recomputed) in OFF {
        // The sum by hand gives the number that the program must find, to within the rounding of its two
        // digits.
        let by_hand = f64::from(sum) / f64::from(over) / 100.0;
        assert!((by_hand - recomputed.parse::<f64>().unwrap()).abs() <= 0.005);
        assert!((by_hand - printed.parse::<f64>().unwrap()).abs() > 0.01);
        expected.insert([suite, model, source, printed, recomputed].map(str::to_owned));
    }
    let mut found = BTreeSet::new();
    for file in unigauge::config::all_published().unwrap() {
        for row in &file.rows {
            let Some(off) = file.mismatch(row) else {
                continue;
            };
            let source = row.source.split(' ').next().unwrap().to_owned();
            let (suite, model) = (file.suite.clone(), row.model.clone());
            found.insert([suite, model, source, off.printed, off.recomputed]);
        }
    }
    assert_eq!(found, expected);
}

/// Rows that the rule can be applied to at all: the check would find nothing where it looks at nothing.
#[test]
fn most_rows_with_columns_are_checked() {
    let checked = |suite: &str| {
        let mut file = unigauge::config::published(suite).unwrap().unwrap();
        // An overall number of nothing fits no columns, so that every row that is looked at is off.
        file.rows.iter_mut().for_each(|row| row.overall = 0.0);
        let off = file.rows.iter().filter(|row| file.mismatch(row).is_some());
        off.count()
    };
    let counts = [
        "geneval",
        "geneval-long",
        "wise",
        "wise-verified",
        "imgedit",
        "imgedit-head",
        "gedit-en",
        "ocrbench",
    ];
    let counts: Vec<usize> = counts.into_iter().map(checked).collect();
    assert_eq!(counts, [24, 6, 13, 23, 18, 12, 10, 8]);
}

#[test]
fn printed_numbers_may_come_from_the_current_folder() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("results/published");
    fs::create_dir_all(&folder).unwrap();
    let text = "suite = \"mine\"\ntitle = \"My own\"\ndecimals = 2\noverall_of = \"mean\"\n\n[[rows]]\nmodel = \"A\"\n\
                source = \"paper\"\noverall = 0.9\ngroups = { x = 0.5, y = 0.6 }\n";
    fs::write(folder.join("mine.toml"), text).unwrap();
    // 0.50 and 0.60 have the mean 0.55.
    assert_snapshot!("mine", shown(dir.path(), &["table", "mine"]));
    assert_snapshot!(
        "mine_latex",
        shown(dir.path(), &["table", "mine", "--format", "latex"])
    );
    let listed = shown(dir.path(), &["list", "published"]);
    assert!(
        listed.contains("mine           1 row, 1 inconsistent (results/published/mine.toml)"),
        "{listed}"
    );

    for (line, with, words) in [
        (
            "decimals = 2",
            "decimals = 0",
            "has more digits than `decimals` states",
        ),
        (
            "decimals = 2",
            "decimals = 2\ncolumns = [\"x\", \"yy\"]",
            "`y` is not among the file's `columns`",
        ),
        ("\"mean\"", "\"median\"", "mine.toml:4"),
        (
            "\"mean\"",
            "{ mean-of = [\"x\", \"zz\"] }",
            "no row has the column `zz`",
        ),
        (
            "decimals = 2",
            "decimals = 2\nmarks = { x = 0.0 }",
            "`x` = 0 must be positive",
        ),
        (
            "decimals = 2",
            "decimals = 70000",
            "`decimals` must be at most 9",
        ),
    ] {
        fs::write(folder.join("mine.toml"), text.replace(line, with)).unwrap();
        let output = unigauge(dir.path())
            .args(["table", "mine"])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(
            stderr(&output).contains(words),
            "{words}: {}",
            stderr(&output)
        );
    }
}

#[test]
fn unknown_names_are_told_with_what_there_is() {
    let dir = tempfile::tempdir().unwrap();
    for (arguments, words) in [
        (
            &["table", "genevall"][..],
            &[
                "there are no published numbers for `genevall`",
                "did you mean `geneval`?",
            ][..],
        ),
        (
            &["table", "--published", "UniWorld-V2"],
            &[
                "no published row has `UniWorld-V2` in its model or its source",
                "did you mean `UniWorld-V1`?",
            ],
        ),
        (
            &["table", "--format", "parquet"],
            &["Parquet is not for a terminal", "-o FILE"],
        ),
        (&["table", "--runs", "nowhere"], &["nowhere"]),
        (&["table", "--pairs"], &["--runs"]),
        (
            &["export", "items", "nowhere", "-o", "x.txt"],
            &["neither Parquet nor CSV"],
        ),
    ] {
        let output = unigauge(dir.path()).args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let said = stderr(&output).replace("\n  │ ", " ");
        assert!(
            words.iter().all(|word| said.contains(word)),
            "{arguments:?}: {said}"
        );
    }
}

/// The suite of `echo` with what two papers printed on it.
fn papers(dir: &Path) {
    let folder = dir.join("results/published");
    fs::create_dir_all(&folder).unwrap();
    let text = r#"suite = "questions"
by = "kind"
columns = ["three", "other"]
decimals = 1
full_mark = 100
overall_of = "mean"
judge = "a judge"
reader = "a reader"

[[rows]]
model = "Echo, the model"
definition = "echo"
source = "paper, table 1"
overall = 52.0
groups = { three = 50.0, other = 99.0 }
notes = ["two digits would have been kinder"]

[[rows]]
model = "ECHO"
setting = "rewritten prompts"
source = "paper, table 2"
overall = 90.0

[[rows]]
model = "echo"
source = "somebody"
unverified = true
overall = 10.0

[[rows]]
model = "Another"
source = "paper, table 1"
overall = 100.0
groups = { three = 100.0, other = 100.0 }
"#;
    fs::write(folder.join("questions.toml"), text).unwrap();
}

/// Twelve questions, the even ones right: 6 of 12 and, of the kinds `three` (0, 3, 6, 9) and `other`, 2 of 4
/// and 4 of 8.
#[test]
fn a_run_stands_beside_the_printed_rows_of_the_same_model() {
    let dir = tempfile::tempdir().unwrap();
    let run = echo(dir.path(), 12);
    papers(dir.path());
    let run = run.to_str().unwrap();
    let text = shown(dir.path(), &["table", "questions", "--runs", run]);
    assert_snapshot!("beside", text);

    let pairs = |format: &str| {
        shown(
            dir.path(),
            &["table", "--runs", run, "--pairs", "--format", format],
        )
    };
    assert_snapshot!("beside_markdown", pairs("markdown"));
    let csv = pairs("csv");
    let rows: Vec<&str> = csv.lines().collect();
    assert_eq!(rows.len(), 5, "{csv}");
    assert_eq!(
        rows[0],
        "suite,model,run,printed_model,source,column,n,printed,measured,difference,low,high,inside,caveats"
    );
    let start =
        "questions,echo,seed0,\"Echo, the model\",\"paper, table 1\",overall,12,52.0,50.0,-2.0,";
    assert!(rows[1].starts_with(start), "{csv}");
    let json: Value = serde_json::from_str(&pairs("json")).unwrap();
    let inside = |row: usize, pair: usize| &json["pairs"][row]["pairs"][pair]["inside"];
    // 99 of 100 where 4 of 8 are right lies outside any interval around 50, 52 inside of it.
    assert_eq!(
        [inside(0, 0), inside(0, 1), inside(0, 2)],
        [true, true, false]
    );
    assert!(pairs("latex").contains("other & 8 & 99.0 & 50.00 & $-$49.00 &"));
    assert!(pairs("html").contains("<th scope=\"row\">other</th><td class=\"number\">8</td>"));

    // Everything into a file, whose name says how.
    let out = dir.path().join("out.md");
    unigauge(dir.path())
        .args(["table", "--runs", run, "-o", "out.md"])
        .assert()
        .code(0);
    let written = fs::read_to_string(out).unwrap();
    assert!(
        written.contains("| Echo, the model \\[1\\]‡≠ |"),
        "{written}"
    );
    unigauge(dir.path())
        .args(["table", "questions", "-o", "out.parquet"])
        .assert()
        .code(0);
    assert!(
        fs::read(dir.path().join("out.parquet"))
            .unwrap()
            .starts_with(b"PAR1")
    );
}

/// What makes two numbers incomparable stands under them, and marks the verdict.
#[test]
fn runs_of_another_kind_are_never_silently_compared() {
    let dir = tempfile::tempdir().unwrap();
    echo(dir.path(), 12);
    papers(dir.path());
    let made = [
        "run",
        "./questions.toml",
        "--model",
        "./echo.toml",
        "--limit",
        "4",
        "--repeats",
        "2",
    ];
    unigauge(dir.path())
        .args(made)
        .args(["--run", "short"])
        .assert()
        .code(0);
    let run = dir.path().join("results/questions/echo/short");
    let text = shown(
        dir.path(),
        &["table", "--runs", run.to_str().unwrap(), "--pairs"],
    );
    for words in [
        "inside!",
        "! only some of the suite's items were used, of which 4 are scored.",
        "! 2 outputs per item, but the suite requires 1.",
        "! judged by a judge in print, by nobody here.",
        "! the texts were read by somebody unknown here, by a reader in print.",
        "! the printed row is of another setting: rewritten prompts.",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let untied = dir.path().join("results/published/questions.toml");
    let text = fs::read_to_string(&untied)
        .unwrap()
        .replace("\"echo\"", "\"other\"")
        .replace("ECHO", "other");
    fs::write(&untied, text).unwrap();
    let output = unigauge(dir.path())
        .args(["table", "--pairs", "--runs"])
        .arg(&run)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(4));
    assert!(stderr(&output).contains("no run has a model with published numbers"));
}

/// Two runs of twelve questions; the later one answers question 1 rightly and question 0 wrongly.
fn two_runs(dir: &Path) -> [String; 2] {
    let before = echo(dir, 12);
    let after = altered(&before, "later", |at| match at {
        0 => Some("nothing".to_owned()),
        1 => Some("something else".to_owned()),
        _ => None,
    });
    [before, after].map(|run| run.to_str().unwrap().to_owned())
}

#[test]
fn pairs_come_in_the_formats_of_tables() {
    let dir = tempfile::tempdir().unwrap();
    let [before, after] = two_runs(dir.path());
    let pairs = |format: &str| {
        shown(
            dir.path(),
            &["compare", &before, &after, "--pairs", "--format", format],
        )
    };
    assert_snapshot!("pairs_markdown", pairs("markdown"));
    assert_snapshot!("pairs_latex", pairs("latex"));
    assert_snapshot!("pairs_csv", pairs("csv").replace("\r\n", "\n"));
    let html = pairs("html");
    assert!(
        html.contains("<th scope=\"row\">overall</th>") && html.ends_with("</table>\n"),
        "{html}"
    );
    let json: Value = serde_json::from_str(&pairs("json")).unwrap();
    assert_eq!(json["comparisons"][0]["overall"]["won"], 1);
    let text = pairs("terminal");
    assert!(
        text.starts_with("Questions (version 1)") && text.contains("Changed most"),
        "{text}"
    );
    let one = unigauge(dir.path())
        .args(["compare", &before, "--pairs"])
        .output()
        .unwrap();
    assert_eq!(one.status.code(), Some(2));
}

#[test]
fn the_outputs_of_several_runs_are_one_long_table() {
    use parquet::record::Field;
    let dir = tempfile::tempdir().unwrap();
    let [before, after] = two_runs(dir.path());
    unigauge(dir.path())
        .args(["export", "items", &before, &after, "-o", "all.parquet"])
        .assert()
        .code(0);
    let bytes = fs::read(dir.path().join("all.parquet")).unwrap();
    let table = crate::parquet_files::read(bytes);
    let expected =
        "suite suite_version model run item repeat score correct reason unscored tag.kind";
    assert_eq!(table.names(), expected);
    assert_eq!(table.rows.len(), 24);
    let named = |run: &str, item: &str| [run, item].map(|text| Field::Str(text.to_owned()));
    let score = |run: &str, item: &str| {
        let row = table.rows.iter().find(|row| row[3..5] == named(run, item));
        row.unwrap()[6].clone()
    };
    assert_eq!(
        [score("seed0", "q0"), score("seed0", "q1")],
        [Field::Double(1.0), Field::Double(0.0)]
    );
    assert_eq!(
        [score("later", "q0"), score("later", "q1")],
        [Field::Double(0.0), Field::Double(1.0)]
    );

    unigauge(dir.path())
        .args(["export", "items", &before, "-o", "all.csv"])
        .assert()
        .code(0);
    let csv = fs::read_to_string(dir.path().join("all.csv")).unwrap();
    assert_eq!(csv.matches("\r\n").count(), 13);
    assert!(
        csv.starts_with(&format!(
            "{}\r\nquestions,1,echo,seed0,q0,0,1.0,true,",
            expected.replace(' ', ",")
        )),
        "{csv}"
    );
}

/// Twelve items, six right: the standard error is √(Σ(x − ½)² / 11 / 12) = √(3 / 132); of four, two right,
/// √(1 / 12).
#[test]
fn results_have_lm_eval_s_shape() {
    let dir = tempfile::tempdir().unwrap();
    let [before, after] = two_runs(dir.path());
    unigauge(dir.path())
        .args(["export", "lm-eval", &before, &after, "-o", "out"])
        .assert()
        .code(0);
    let mut files: Vec<_> = fs::read_dir(dir.path().join("out/echo"))
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    files.sort();
    assert_eq!(files.len(), 2);
    let name = files[1].file_name().unwrap().to_str().unwrap();
    // results_SUITE_RUN_TIME.json: readers take the time from behind the last `_`.
    let time = name.rsplit_once('_').unwrap().1;
    assert!(name.starts_with("results_questions_seed0_"), "{name}");
    assert_eq!(
        (time.len(), &time[13..14], &time[19..20]),
        ("2025-12-01T11-25-30.789012.json".len(), "-", "."),
        "{name}"
    );
    let file: Value = serde_json::from_slice(&fs::read(&files[1]).unwrap()).unwrap();
    let results = &file["results"];
    let close = |value: &Value, wanted: f64| (value.as_f64().unwrap() - wanted).abs() < 1e-12;
    assert!(close(&results["questions"]["score,none"], 0.5), "{file:#}");
    assert!(
        close(
            &results["questions"]["score_stderr,none"],
            (3.0_f64 / 132.0).sqrt()
        ),
        "{file:#}"
    );
    assert!(
        close(
            &results["questions_three"]["score_stderr,none"],
            (1.0_f64 / 12.0).sqrt()
        ),
        "{file:#}"
    );
    assert_eq!(results["questions_three"]["alias"], " - three");
    let subtasks = &file["group_subtasks"]["questions"];
    assert_eq!(
        subtasks,
        &serde_json::json!(["questions_three", "questions_other"])
    );
    assert_eq!(
        file["n-samples"]["questions"],
        serde_json::json!({"original": 12, "effective": 12})
    );
    assert_eq!(file["versions"]["questions"], "1");
    assert_eq!(file["n-shot"]["questions_other"], 0);
    assert_eq!(file["higher_is_better"]["questions"]["score"], true);
    assert_eq!(file["configs"]["questions"]["task"], "questions");
    assert_eq!(
        (&file["config"]["model"], &file["config"]["random_seed"]),
        (&Value::from("echo"), &Value::from(0))
    );
    assert_eq!(file["groups"]["questions"], results["questions"]);
    assert_eq!(file["model_name_sanitized"], "echo");
    assert!(file["date"].as_f64().is_some_and(|date| date > 1.7e9));
    for key in ["git_hash", "task_hashes", "total_evaluation_time_seconds"] {
        assert!(!file[key].is_null(), "{key}");
    }
}

/// A real run of GenEval's first four prompts, seen by a small random detector: its numbers are what
/// `grades.jsonl` says.
#[test]
fn a_run_of_geneval_stands_beside_uniworld_v1() {
    let dir = tempfile::tempdir().unwrap();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/detector");
    for prompt in 0..4 {
        let samples = dir.path().join(format!("images/{prompt:05}/samples"));
        fs::create_dir_all(&samples).unwrap();
        for sample in 0..4 {
            let from = golden.join(format!("images/{}.png", (prompt + sample) % 4));
            fs::copy(from, samples.join(format!("{sample:05}.png"))).unwrap();
        }
    }
    let set = ["detector=\"mask2former\"", "clip=\"clip\""].map(|set| {
        let (key, folder) = set.split_once('=').unwrap();
        let folder = golden.join(folder.trim_matches('"'));
        format!("observe.geneval-detector.{key}={:?}", folder)
    });
    let observe = [
        "observe", "--device", "cpu", "--suite", "geneval", "--images", "images", "--limit", "4",
    ];
    let named = ["--name", "uniworld-v1", "--set", &set[0], &set[1]];
    unigauge(dir.path())
        .args(observe)
        .args(named)
        .assert()
        .code(0);
    let run = dir.path().join("results/geneval/uniworld-v1/seed0-limit4");
    let grades = lines(&run.join("grades.jsonl"));
    let scores: Vec<f64> = grades
        .iter()
        .map(|grade| grade["score"].as_f64().unwrap())
        .collect();
    assert_eq!(scores.len(), 16);
    let mean = scores.iter().sum::<f64>() / 16.0;

    let asked = [
        "table",
        "geneval",
        "--published",
        "UniWorld-V1",
        "--pairs",
        "--json",
        "--runs",
    ];
    let output = unigauge(dir.path()).args(asked).arg(&run).output().unwrap();
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["pairs"].as_array().unwrap().len(), 1);
    let pairs = &json["pairs"][0];
    let columns = |key: &str| -> Vec<Value> {
        let pairs = pairs["pairs"].as_array().unwrap();
        pairs.iter().map(|pair| pair[key].clone()).collect()
    };
    // Only single objects are among the first four prompts.
    assert_eq!(columns("column"), ["overall", "single_object"]);
    assert_eq!(columns("printed_text"), ["0.80", "0.99"]);
    assert_eq!(columns("measured"), [mean, mean]);
    assert_eq!(columns("difference"), [mean - 0.8, mean - 0.99]);
    let caveats = pairs["caveats"].to_string();
    for words in [
        "only some of the suite's items were used, of which 4 are scored",
        "the run's observe are not those of the current suite",
    ] {
        assert!(caveats.contains(words), "{caveats}");
    }
}

#[test]
fn verdicts_on_printed_numbers_are_corrected_for_their_number() {
    let dir = tempfile::tempdir().unwrap();
    let run = echo(dir.path(), 12);
    papers(dir.path());
    let run = run.to_str().unwrap();
    let corrected = |format: &str| {
        let args = ["table", "--runs", run, "--pairs", "--corrected", "--format"];
        shown(dir.path(), &[&args[..], &[format]].concat())
    };
    let text = corrected("terminal");
    // 48.95 above 50, where half of the interval is 28.48: z = 3.37, p = 0.00076, times three.
    assert!(
        text.contains(
            "Corrected for 3 numbers (Holm), these differ from the run: other (p = 0.002)."
        ),
        "{text}"
    );
    assert!(text.contains("Corrected for 1 number (Holm)"), "{text}");
    let json: Value = serde_json::from_str(&corrected("json")).unwrap();
    let p = |pair: usize| {
        json["pairs"][0]["pairs"][pair]["corrected_p"]
            .as_f64()
            .unwrap()
    };
    assert_eq!([p(0), p(1)], [1.0, 1.0]);
    assert!((p(2) - 0.00227).abs() < 2e-4, "{}", p(2));
    assert!(
        corrected("csv")
            .lines()
            .next()
            .unwrap()
            .ends_with(",caveats,corrected_p")
    );
}

#[test]
fn a_study_asks_for_corrected_verdicts() {
    let dir = tempfile::tempdir().unwrap();
    crate::support::text_suite(dir.path(), 12);
    crate::support::model(dir.path(), "echo", "echo", "");
    papers(dir.path());
    let study = "name = \"s\"\ntitle = \"S\"\nmodels = [\"echo.toml\"]\nsuites = [\"questions.toml\"]\ncorrected = true\n";
    fs::write(dir.path().join("s.toml"), study).unwrap();
    let output = unigauge(dir.path())
        .args(["run", "./s.toml"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("beside Echo, the model in paper, table 1")
            && text.contains("Corrected for 3 numbers (Holm)"),
        "{text}"
    );
}
