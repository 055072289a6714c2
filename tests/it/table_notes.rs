//! What stands below a table: which row a note is about, and printed numbers that no count of answers gives.

use crate::compare::{altered, echo, grade};
use crate::support::{lines, stderr, unigauge};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

fn shown(dir: &Path, arguments: &[&str]) -> String {
    let output = unigauge(dir).args(arguments).output().unwrap();
    assert!(output.stderr.is_empty(), "{}", stderr(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// Says of the first outputs of a run that the token limit ended them.
fn cut(run: &Path, count: usize) {
    let path = run.join("outputs.jsonl");
    let mut outputs = lines(&path);
    for output in &mut outputs[..count] {
        output["finish_reason"] = json!("length");
    }
    let text: Vec<String> = outputs.iter().map(|output| format!("{output}\n")).collect();
    fs::write(path, text.concat()).unwrap();
    grade(run);
}

const CUT: &str = "of 12 outputs: the answer was cut by the token limit";

/// Two runs of which one has three cut answers and the other five.
fn runs(dir: &Path) -> [PathBuf; 2] {
    let first = echo(dir, 12);
    let second = altered(&first, "other", |_| None);
    cut(&first, 3);
    cut(&second, 5);
    [first, second]
}

#[test]
fn a_note_that_counts_names_its_row_in_every_form_of_the_table() {
    let dir = tempfile::tempdir().unwrap();
    let [first, second] = runs(dir.path());
    let (first, second) = (first.to_str().unwrap(), second.to_str().unwrap());
    // Alone, there is nothing to tell apart.
    let alone = shown(dir.path(), &["table", "--runs", first]);
    assert!(alone.contains(&format!("\n3 {CUT}\n")), "{alone}");
    for format in ["terminal", "markdown", "latex", "html", "json"] {
        let text = shown(
            dir.path(),
            &["table", "--runs", first, second, "--format", format],
        );
        for (label, count) in [("echo (seed0)", 3), ("echo (other)", 5)] {
            let note = format!("{label}: {count} {CUT}");
            assert!(text.contains(&note), "{format}: {text}");
        }
    }
    // In long format the notes stand in the rows themselves.
    let csv = shown(
        dir.path(),
        &["table", "--runs", first, second, "--format", "csv"],
    );
    let overall: Vec<&str> = csv
        .lines()
        .filter(|line| line.contains(",overall,"))
        .collect();
    assert!(csv.starts_with("suite,suite_version,model,run,"), "{csv}");
    assert!(
        csv.lines().next().unwrap().ends_with(",outputs,notes"),
        "{csv}"
    );
    assert!(overall[0].contains(&format!(",3 {CUT}")), "{csv}");
    assert!(overall[1].contains(&format!(",5 {CUT}")), "{csv}");
    // The page has them under its table and beside each run's outputs.
    let page = unigauge(dir.path())
        .args(["report", first, second, "--out", "page"])
        .output()
        .unwrap();
    assert_eq!(page.status.code(), Some(0), "{}", stderr(&page));
    let html = fs::read_to_string(dir.path().join("page/index.html")).unwrap();
    assert!(html.contains(&format!("echo (other): 5 {CUT}")));
    assert!(html.contains(&format!("<p>5 {CUT}</p>")));
}

#[test]
fn what_all_rows_share_is_said_once_and_a_count_names_all_of_them() {
    let dir = tempfile::tempdir().unwrap();
    let first = echo(dir.path(), 12);
    let runs = [
        first.clone(),
        altered(&first, "b", |_| None),
        altered(&first, "c", |_| None),
    ];
    runs.iter().take(2).for_each(|run| cut(run, 4));
    for (run, notes) in runs.iter().zip([
        &["Shared."][..],
        &["Shared.", "Of two."],
        &["Shared.", "Of two."],
    ]) {
        let path = run.join("summary.json");
        let mut summary: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let known = summary["notes"].as_array_mut().unwrap();
        known.extend(notes.iter().map(|note| json!(note)));
        fs::write(path, summary.to_string()).unwrap();
    }
    let runs: Vec<&str> = runs.iter().map(|run| run.to_str().unwrap()).collect();
    let text = shown(dir.path(), &[&["table", "--runs"], &runs[..]].concat());
    let notes: Vec<&str> = text
        .lines()
        .filter(|line| line.ends_with('.') || line.contains(CUT))
        .collect();
    let counted = format!("echo (seed0), echo (b): 4 {CUT}");
    assert_eq!(
        notes,
        [counted.as_str(), "Shared.", "echo (b), echo (c): Of two."]
    );
}

/// A file of printed numbers in percent, with this row.
fn printed(dir: &Path, head: &str, row: &str) {
    let folder = dir.join("results/published");
    fs::create_dir_all(&folder).unwrap();
    let text = format!(
        "suite = \"mine\"\ntitle = \"My own\"\nfull_mark = 100\ndecimals = 1\n{head}\n\n[[rows]]\nmodel = \"A\"\n\
         source = \"paper\"\n{row}\n"
    );
    fs::write(folder.join("mine.toml"), text).unwrap();
}

#[test]
fn a_printed_number_that_no_count_of_answers_gives_is_marked() {
    let dir = tempfile::tempdir().unwrap();
    // Of 900 questions 30.4 % and 30.6 % can be right and 30.5 % cannot: 274.5 would have to be.
    let head = "columns = [\"x\", \"y\"]\nout_of = { overall = 900, x = 40 }";
    printed(
        dir.path(),
        head,
        "overall = 30.5\ngroups = { x = 12.5, y = 33.3 }",
    );
    let text = shown(dir.path(), &["table", "mine"]);
    let note =
        "∤ A [1]: overall 30.5 is not a fraction of 900 (274 right ones are 30.4, 275 are 30.6).";
    assert!(text.contains(note), "{text}");
    assert!(text.contains("A [1]∤"), "{text}");
    let listed = shown(dir.path(), &["list", "published"]);
    assert!(
        listed.contains("1 row, 1 with an impossible number"),
        "{listed}"
    );
    let latex = shown(dir.path(), &["table", "mine", "--format", "latex"]);
    assert!(latex.contains("A [1]$^{\\not\\mid}$"), "{latex}");

    // 5 of 40 are 12.5 %, 12.3 % are none of 40; a row may have its own count.
    for (row, clean) in [
        ("overall = 30.4\ngroups = { x = 12.5 }", true),
        ("overall = 30.4\ngroups = { x = 12.3 }", false),
        ("overall = 30.5\nout_of = { overall = 200 }", true),
        ("overall = 30.4\nout_of = { overall = 200 }", false),
        ("overall = 100.0", true),
        ("overall = 0.0", true),
    ] {
        printed(dir.path(), head, row);
        let text = shown(dir.path(), &["table", "mine"]);
        assert_eq!(!text.contains('∤'), clean, "{row}: {text}");
    }
    // Without a count nobody can tell.
    printed(dir.path(), "", "overall = 30.5");
    assert!(!shown(dir.path(), &["table", "mine"]).contains('∤'));
    for (head, words) in [
        ("out_of = { z = 40 }", "no row has the column `z`"),
        ("out_of = { overall = 0 }", "`overall` = 0 must be positive"),
    ] {
        printed(dir.path(), head, "overall = 30.5\ngroups = { x = 12.5 }");
        let output = unigauge(dir.path())
            .args(["table", "mine"])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains(words), "{}", stderr(&output));
    }
}

/// The numbers that are checked in what the program carries, and that a check finds nothing wrong with:
/// GenEval's six tasks, and WISE Verified, whose four decimals leave few of them possible.
#[test]
fn the_counts_behind_printed_numbers_are_known_and_fit() {
    for (suite, checked) in [
        ("geneval", 24 * 6),
        ("geneval-long", 6 * 6),
        ("wise-verified", 23 * 7),
    ] {
        let mut file = unigauge::config::published(suite).unwrap().unwrap();
        let found = |file: &unigauge::config::PublishedFile| -> usize {
            file.rows.iter().map(|row| file.impossible(row).len()).sum()
        };
        assert_eq!(found(&file), 0, "{suite}");
        // Of one answer, nothing but none and all can be right.
        file.out_of.values_mut().for_each(|count| *count = 1);
        let whole = |value: &f64| *value == 0.0 || *value == 1.0;
        let rows = file.rows.iter();
        let certain = rows
            .flat_map(|row| row.groups.values())
            .filter(|value| whole(value))
            .count();
        assert_eq!(found(&file) + certain, checked, "{suite}");
    }
}

#[test]
fn rows_of_models_that_nobody_can_have_say_so() {
    let dir = tempfile::tempdir().unwrap();
    let text = shown(
        dir.path(),
        &["table", "geneval", "--published", "SD3-Medium"],
    );
    let told = text
        .lines()
        .filter(|line| line.contains("a model that nobody can have"));
    assert_eq!(told.count(), 2, "{text}");
}
