//! The text files that `compute_dpg_bench.py` writes.

use super::{Answered, Dpg, Question};
use crate::grade::rule::{Board, OfficialFile, Rule as _};
use crate::record::{Evidence, Grade, Item};
use std::collections::HashMap;
use std::fmt::Write as _;

/// Evidence by item and repeat.
type Seen<'a> = HashMap<(&'a str, u32), Vec<&'a Evidence>>;

fn seen<'a>(board: &Board<'a>) -> Seen<'a> {
    let mut seen: Seen<'_> = HashMap::new();
    for record in board.evidence {
        let key = (record.item.as_str(), record.repeat);
        seen.entry(key).or_default().push(record);
    }
    seen
}

/// The scored grades of each item, in the order of the items.
fn by_item<'a>(board: &Board<'a>) -> Vec<(&'a Item, Vec<&'a Grade>)> {
    let mut grades: HashMap<&str, Vec<&Grade>> = HashMap::new();
    for grade in board.grades.iter().filter(|grade| grade.score.is_some()) {
        grades.entry(&grade.item).or_default().push(grade);
    }
    let items = board.items.iter();
    items
        .filter_map(|item| Some((item, grades.remove(item.item.as_str())?)))
        .collect()
}

/// The questions and answers of the last scored picture of every item.
pub(super) fn last_pictures(
    rule: &Dpg,
    board: &Board<'_>,
    mut show: impl FnMut(&[Question], &Answered),
) {
    let seen = seen(board);
    for (item, grades) in by_item(board) {
        let last = grades.iter().map(|grade| grade.repeat).max().unwrap_or(0);
        let evidence = seen.get(&(item.item.as_str(), last));
        let evidence = evidence.map(Vec::as_slice).unwrap_or_default();
        if let Some((questions, answered)) = rule.questions_and_answers(item, last, evidence) {
            show(&questions, &answered);
        }
    }
}

/// `dpg-bench_results.txt` and `dpg-bench_results_detail.txt`.
pub(super) fn files(rule: &Dpg, board: &Board<'_>) -> Vec<OfficialFile> {
    let items = by_item(board);
    if items.is_empty() {
        return Vec::new();
    }
    let seen = seen(board);
    let (mut text, mut detail) = (String::new(), String::new());
    let (mut total, mut count) = (0.0, 0.0);
    for (item, grades) in &items {
        let path = format!("outputs/{}.png", item.item);
        let scores: Vec<f64> = grades.iter().filter_map(|grade| grade.score).collect();
        let mean = scores.iter().sum::<f64>() / scores.len() as f64;
        let listed: Vec<String> = scores.iter().map(f64::to_string).collect();
        let _ = writeln!(text, "{path}, {}, {mean}", listed.join(", "));
        (total, count) = (total + mean, count + 1.0);
        for grade in grades {
            let evidence = seen.get(&(item.item.as_str(), grade.repeat));
            let evidence = evidence.map(Vec::as_slice).unwrap_or_default();
            let Some((questions, answered)) =
                rule.questions_and_answers(item, grade.repeat, evidence)
            else {
                continue;
            };
            for (question, word) in questions.iter().zip(&answered.words) {
                let _ = writeln!(
                    detail,
                    "{path}, {}, {}, {word}",
                    grade.repeat, question.text
                );
            }
        }
    }
    let _ = writeln!(text, "Model: {}", board.model);
    let metrics = rule.metrics(board);
    for level in ["L1", "L2"] {
        let _ = writeln!(text, "{level} category scores:");
        for (name, value) in &metrics {
            if let Some(name) = name.strip_prefix(level) {
                let _ = writeln!(text, "\t{}: {value}", name.trim_start());
            }
        }
    }
    let _ = writeln!(text, "Image path: {}", board.root.join("outputs").display());
    let _ = writeln!(text, "Save results to: dpg-bench_results.txt");
    let _ = writeln!(text, "DPG-Bench score: {}", 100.0 * total / count);
    let file = |name: &str, text| OfficialFile {
        name: name.into(),
        text,
    };
    vec![
        file("dpg-bench_results.txt", text),
        file("dpg-bench_results_detail.txt", detail),
    ]
}
