//! Files that others wrote: loose outputs, evidence and items, GenEval's own results, data sets as they lie
//! on the hub.

use crate::parity::copy_into;
use crate::support::{lines, stderr, unigauge};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

/// A copy of a public report's files.
pub(crate) fn report(name: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/reports");
    copy_into(&source.join(name), dir.path());
    dir
}

fn ran(dir: &Path, arguments: &[&str]) -> Output {
    unigauge(dir).args(arguments).output().unwrap()
}

fn grade(dir: &Path, suite: &str, more: &[&str]) -> Output {
    ran(
        dir,
        &[&["grade", "--suite", suite, "--out", "graded"], more].concat(),
    )
}

fn json_of(path: PathBuf) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn notes(dir: &Path) -> Vec<String> {
    let summary = json_of(dir.join("graded/summary.json"));
    serde_json::from_value(summary["notes"].clone()).unwrap()
}

/// Grades these answers to the report's two questions, both of which are right with C.
fn answered(dir: &Path, rows: &str) -> Output {
    fs::write(dir.join("outputs.jsonl"), rows).unwrap();
    let files = ["--items", "items.jsonl", "--outputs", "outputs.jsonl"];
    grade(dir, "./suite.toml", &files)
}

fn value(dir: &Path) -> Value {
    json_of(dir.join("graded/summary.json"))["overall"]["value"].clone()
}

#[test]
fn an_item_and_a_text_are_enough() {
    let dir = report("loose-outputs");
    let files = ["--items", "items.jsonl", "--outputs", "outputs.jsonl"];
    let output = grade(dir.path(), "./suite.toml", &files);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(value(dir.path()), 0.5);
    assert_eq!(notes(dir.path()), [""; 0]);
    // As tables with gaps are written, and with what grading does not need.
    let output = answered(
        dir.path(),
        "{\"item\": \"b1\", \"repeat\": 0.0, \"seed\": NaN, \"text\": \"C\", \"kind\": null, \"timings\": NaN}\n\
         {\"item\": \"b2\", \"repeat\": 0.0, \"seed\": -1, \"text\": \"C\", \"error\": null, \"mine\": [1]}",
    );
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(value(dir.path()), 1.0);
    // Items, too, need no more than the grader does; ids may be whole numbers.
    let items =
        "{\"item\": 1, \"expect\": {\"options\": [\"an owl\", \"a wren\"], \"answer\": \"B\"}}\n";
    fs::write(dir.path().join("items.jsonl"), items).unwrap();
    let output = answered(dir.path(), "{\"item\": 1, \"text\": \"B\"}\n");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(value(dir.path()), 1.0);
}

#[test]
fn what_nobody_can_read_rightly_is_refused_with_its_line() {
    let dir = report("loose-outputs");
    for (rows, words) in [
        (
            "{\"item\": \"b1\", \"text\": \"C\"}\n{\"text\": \"C\"}\n",
            &["outputs.jsonl` line 2", "missing field `item`"][..],
        ),
        (
            "{\"item\": null, \"text\": \"C\"}\n",
            &["line 1", "`item` is null"],
        ),
        // Two answers, or one: nobody knows.
        (
            "{\"item\": \"b1\", \"text\": \"C\"}\n\n{\"item\": \"b1\", \"text\": \"A\"}\n",
            &["line 3", "`b1` has a record at line 1", "`repeat` = 0, 1"],
        ),
        (
            "{\"item\": \"b1\", \"repeat\": 0, \"text\": \"C\"}\n{\"item\": \"b1\", \"text\": \"A\"}\n",
            &["line 2", "`b1` has a record at line 1"],
        ),
        (
            "{\"item\": \"b1\"}\n",
            &["line 1", "neither `text` nor `file`"],
        ),
        (
            "{\"item\": \"b1\", \"text\": 3}\n",
            &["line 1", "invalid type: integer `3`, expected a string"],
        ),
        (
            "{\"item\": \"b1\", \"text\": \"C\", \"repeat\": 4000000000}\n",
            &["line 1", "`repeat` is 4000000000"],
        ),
        (
            "{'item': 'b1', 'text': 'C'}\n",
            &["line 1", "`'` is not a quotation mark"],
        ),
        (
            "[{\"item\": \"b1\", \"text\": \"C\"}]\n",
            &["a JSON array", "jq -c"],
        ),
    ] {
        let output = answered(dir.path(), rows);
        assert_eq!(output.status.code(), Some(2), "{rows}: {}", stderr(&output));
        let said = stderr(&output);
        assert!(
            words.iter().all(|word| said.contains(word)),
            "{rows}: {said}"
        );
    }
    let twice = "{\"item\": \"b1\", \"expect\": {}}\n{\"item\": \"b1\", \"expect\": {}}\n";
    fs::write(dir.path().join("items.jsonl"), twice).unwrap();
    let output = answered(dir.path(), "{\"item\": \"b1\", \"text\": \"C\"}\n");
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    assert!(
        said.contains("line 2: the id `b1` was used before, at line 1"),
        "{said}"
    );
}

#[test]
fn the_last_of_several_records_counts_and_that_is_told() {
    let dir = report("loose-outputs");
    let output = answered(
        dir.path(),
        "{\"item\": \"b1\", \"repeat\": 0, \"text\": \"A\"}\n{\"item\": \"b2\", \"repeat\": 0, \"text\": \"C\"}\n\
         {\"item\": \"b1\", \"repeat\": 0, \"text\": \"C\"}\n{\"item\": \"b3\", \"repeat\": 0, \"text\": \"C\"}\n",
    );
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(value(dir.path()), 1.0);
    let told = [
        "repeated records of 1 output in outputs.jsonl, of which the last one counts: b1",
        "records of 1 unknown item in outputs.jsonl are skipped, since no item has such an id: b3",
    ];
    assert_eq!(notes(dir.path()), told);
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(table.contains(told[0]), "{table}");
    // Two answers each are two answers.
    let rows = |repeat: u32, text: &str| {
        let row = |item: &str| json!({"item": item, "repeat": repeat, "text": text}).to_string();
        format!("{}\n{}\n", row("b1"), row("b2"))
    };
    let output = answered(dir.path(), &(rows(0, "C") + &rows(1, "A")));
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(value(dir.path()), 0.5);
    assert_eq!(notes(dir.path()), [""; 0]);
}

/// Grades evidence of the report's two items by the number `value`.
fn measured(dir: &Path, rows: &str) -> Output {
    fs::write(dir.join("measure-nan.jsonl"), rows).unwrap();
    let files = [
        "--items",
        "measure-items.jsonl",
        "--evidence",
        "measure-nan.jsonl",
    ];
    grade(dir, "./measure.toml", &files)
}

#[test]
fn evidence_that_is_no_number_gives_no_score() {
    let dir = report("wording");
    let files = [
        "--items",
        "measure-items.jsonl",
        "--evidence",
        "measure-nan.jsonl",
    ];
    let output = grade(dir.path(), "./measure.toml", &files);
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
    let grades = lines(&dir.path().join("graded/grades.jsonl"));
    assert_eq!(grades[0]["score"], 0.5);
    assert_eq!(grades[1]["score"], Value::Null);
    let why = grades[1]["unscored"].as_str().unwrap();
    assert!(
        why.contains("`evidence.value` is NaN, which is not a number"),
        "{why}"
    );
    // Without an end of the last line, which is whole all the same, and without a name of the observer.
    for odd in ["Infinity", "-Infinity", "NaN"] {
        let rows = format!(
            "{{\"item\": \"m1\", \"evidence\": {{\"value\": 1.5, \"seen\": [{{\"x\": {odd}}}]}}}}\n\
             {{\"item\": \"m2\", \"seconds\": {odd}, \"evidence\": {{\"value\": 0.25}}}}"
        );
        let output = measured(dir.path(), &rows);
        assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
        let grades = lines(&dir.path().join("graded/grades.jsonl"));
        let why = grades[0]["unscored"].as_str().unwrap();
        assert!(
            why.contains(&format!("`evidence.seen[0].x` is {odd}")),
            "{why}"
        );
        assert_eq!(grades[1]["score"], 0.25);
    }
    // What a killed writer left is no record, and that is told.
    let torn = "{\"item\": \"m1\", \"evidence\": {\"value\": 1}}\n{\"item\": \"m2\", \"evidence\": {\"value\": Na";
    let output = measured(dir.path(), torn);
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
    assert!(notes(dir.path()).iter().any(|note| note.contains("torn")));
    // Two readings of one picture by one observer.
    let twice = "{\"item\": \"m1\", \"evidence\": {\"value\": 1}}\n{\"item\": \"m1\", \"evidence\": {\"value\": 2}}\n";
    let output = measured(dir.path(), twice);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("`m1` has a record at line 1 already"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn an_item_with_nan_is_refused_in_words() {
    let dir = report("wording");
    let items = dir.path().join("measure-items.jsonl");
    fs::write(
        &items,
        "{\"item\": \"m1\", \"expect\": {\"answer\": NaN}}\n",
    )
    .unwrap();
    let output = measured(
        dir.path(),
        "{\"item\": \"m1\", \"evidence\": {\"value\": 1}}\n",
    );
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    assert!(
        said.contains("line 1: `expect.answer` is NaN, which is not a JSON number"),
        "{said}"
    );
    // The same in the source of a suite.
    for (text, file) in [
        (
            "{\"id\": \"m1\", \"prompt\": \"p\", \"x\": NaN}\n",
            "own.jsonl",
        ),
        (
            "[\n {\"id\": \"m1\", \"prompt\": \"p\",\n  \"x\": NaN}\n]\n",
            "own.json",
        ),
    ] {
        fs::write(dir.path().join(file), text).unwrap();
        let suite = fs::read_to_string(dir.path().join("measure.toml")).unwrap();
        let suite = suite.replace("measure-items.jsonl", file);
        fs::write(dir.path().join("own.toml"), suite).unwrap();
        let output = ran(dir.path(), &["items", "own.toml"]);
        assert_eq!(output.status.code(), Some(2));
        let said = stderr(&output);
        assert!(said.contains("`NaN` is not a JSON number"), "{said}");
    }
}

#[test]
fn geneval_s_results_are_read_as_windows_writes_them() {
    let dir = report("wording");
    let graded = |evidence: &str| {
        let files = ["--items", "geneval-items.jsonl", "--evidence", evidence];
        grade(dir.path(), "geneval", &files)
    };
    let output = graded("geneval-windows.jsonl");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    // Three of four pictures of each prompt are right.
    assert_eq!(value(dir.path()), 0.75);
    let windows = fs::read_to_string(dir.path().join("geneval-windows.jsonl")).unwrap();
    let right = fs::read(dir.path().join("graded/grades.jsonl")).unwrap();
    let ways = [
        windows.replace("\\\\", "/").replace("E:/runs", "/runs"),
        windows.replace("E:\\\\runs\\\\drawn\\\\", "drawn/"),
        windows.replace("E:\\\\", "\\\\\\\\server\\\\share\\\\"),
        format!("\u{feff}{}", windows.replace('\n', "\r\n")),
    ];
    for text in ways {
        fs::write(dir.path().join("other.jsonl"), text).unwrap();
        let output = graded("other.jsonl");
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert_eq!(
            fs::read(dir.path().join("graded/grades.jsonl")).unwrap(),
            right
        );
    }
    for (from, to, words) in [
        (
            "00001\\\\samples",
            "other\\\\samples",
            "no item is named `other`",
        ),
        (
            "00003.png",
            "grid.png",
            "does not end in PROMPT/samples/NUMBER.png",
        ),
        (
            "\"correct\": false",
            "\"correct\": null",
            "`correct` is neither true nor false",
        ),
    ] {
        let text = windows
            .replace(from, to)
            .replace("a photo of a cow", "a cow");
        fs::write(dir.path().join("other.jsonl"), text).unwrap();
        let output = graded("other.jsonl");
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains(words), "{}", stderr(&output));
    }
}

#[test]
fn a_data_set_s_folder_is_read_or_its_tables_are_named() {
    let dir = report("wording");
    let items = |expected: i32| {
        let output = ran(dir.path(), &["items", "dataset.toml"]);
        assert_eq!(output.status.code(), Some(expected), "{}", stderr(&output));
        output
    };
    let rows = |output: &Output| {
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.lines().count()
    };
    assert_eq!(rows(&items(0)), 2);
    // A licence beside the tables is no prompt.
    let data = dir.path().join("dataset/data");
    fs::write(dir.path().join("dataset/LICENSE.txt"), "MIT").unwrap();
    assert_eq!(rows(&items(0)), 2);
    // Another split: nobody has said which one is asked.
    let test = data.join("test-00000-of-00001.parquet");
    fs::copy(&test, data.join("train-00000-of-00001.parquet")).unwrap();
    let said = stderr(&items(2));
    assert!(said.contains("several splits: test, train"), "{said}");
    assert!(said.contains("test*.parquet"), "{said}");
    // Tables elsewhere are named.
    fs::remove_file(dir.path().join("dataset/LICENSE.txt")).unwrap();
    fs::remove_file(data.join("train-00000-of-00001.parquet")).unwrap();
    fs::rename(&data, dir.path().join("dataset/english")).unwrap();
    let said = stderr(&items(2));
    assert!(
        said.replace("- ", "-")
            .contains("english/test-00000-of-00001.parquet"),
        "{said}"
    );
}
