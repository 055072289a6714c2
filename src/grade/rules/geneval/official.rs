//! GenEval's own files: the results that `evaluate_images.py` writes, and the text that `summary_scores.py`
//! prints.

use super::objects::{DetectedObjects, Found};
use super::{Counts, GenEval};
use crate::grade::description::OfficialResults;
use crate::grade::lack::Lack;
use crate::grade::rule::{Board, OfficialFile, Verdict};
use crate::python;
use crate::record::evidence::{self, Field, OfficialVerdict, Text};
use crate::record::{Evidence, Grade, Item, Object};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fmt::Write as _;

/// The observer's name in such evidence.
const OBSERVER: &str = "geneval-official";

/// How the rule reads what `evaluate_images.py` writes.
pub(super) const RESULTS: OfficialResults = OfficialResults {
    recognise: is_result,
    read: line_evidence,
    format: "a results file of evaluate_images.py has `filename`, `correct`, `reason` and `prompt` on every line",
};

/// Whether a line is one of those that `evaluate_images.py` writes.
fn is_result(line: &Object) -> bool {
    let has = |name: &str| line.contains_key(name);
    has("filename") && has("correct") && !has("item")
}

/// A line of an official results file as evidence.
///
/// The item and the repeat come from the path `…/NNNNN/samples/NNNNN.png`, also with the backslashes of
/// Windows. If the folder's name is not an item, the item with the same prompt counts.
///
/// # Errors
/// Fails if something is missing in the line, or if it belongs to no item.
fn line_evidence(record: &Object, items: &[Item]) -> Result<Evidence, String> {
    let text = |key: &str| record.get(key)?.as_str();
    let filename = text("filename").ok_or("`filename` is not a text")?;
    let correct = record.get("correct").and_then(Value::as_bool);
    let correct = correct.ok_or("`correct` is neither true nor false")?;
    let (folder, repeat) = prompt_and_number(filename).ok_or_else(|| {
        format!("`filename` = {filename:?} does not end in PROMPT/samples/NUMBER.png")
    })?;
    let known = items.iter().find(|item| item.item == folder);
    let with_prompt = || {
        let prompt = text("prompt")?;
        items.iter().find(|item| item.prompt == prompt)
    };
    let item = known.or_else(with_prompt).ok_or_else(|| {
        format!(
            "no item is named `{folder}`, as in `filename` = {filename:?}, or has this `prompt`"
        )
    })?;
    let reason = text("reason").unwrap_or_default();
    let details = text("details").and_then(|details| serde_json::from_str::<Value>(details).ok());
    let verdict: OfficialVerdict<'_, Value> = OfficialVerdict {
        official: evidence::Verdict {
            correct: correct.into(),
            reason: Text::from(reason).into(),
            details: Field::or_null(details),
        }
        .into(),
    };
    Ok(Evidence {
        item: item.item.clone(),
        repeat,
        observer: OBSERVER.into(),
        fingerprint: String::new(),
        seconds: 0.0,
        evidence: Some(evidence::written(&verdict).map_err(|error| error.to_string())?),
        error: None,
        extra: Object::new(),
    })
}

/// The folder of a prompt and the number of a picture in it.
fn prompt_and_number(filename: &str) -> Option<(&str, u32)> {
    let mut parts = filename.rsplit(['/', '\\']).filter(|part| !part.is_empty());
    let (file, _samples, folder) = (parts.next()?, parts.next()?, parts.next()?);
    let (number, _) = file.rsplit_once('.').unwrap_or((file, ""));
    Some((folder, number.parse().ok()?))
}

/// The verdict in such evidence.
pub(super) fn verdict(evidence: &Value) -> Result<Verdict, Lack> {
    let seen: OfficialVerdict<'_> = evidence::read(evidence);
    let verdict = seen.official.into_option().unwrap_or_default();
    let correct = verdict.correct.into_option();
    let correct =
        correct.ok_or("malformed official results: `correct` is neither true nor false")?;
    let reason = verdict.reason.text().to_owned();
    Ok(Verdict::scored(
        f64::from(u8::from(correct)),
        correct,
        reason,
    ))
}

/// `results.jsonl` and `summary_scores.txt`.
pub(super) fn files(rule: &GenEval, board: &Board<'_>) -> Vec<OfficialFile> {
    if board.grades.iter().all(|grade| grade.correct.is_none()) {
        return Vec::new();
    }
    vec![
        OfficialFile {
            name: "results.jsonl".into(),
            text: results(rule, board),
        },
        OfficialFile {
            name: "summary_scores.txt".into(),
            text: summary(board),
        },
    ]
}

fn results(rule: &GenEval, board: &Board<'_>) -> String {
    let items: HashMap<&str, &Item> =
        (board.items.iter().map(|item| (item.item.as_str(), item))).collect();
    let outputs = board.outputs.unwrap_or_default().iter();
    let paths: HashMap<(&str, u32), String> = outputs
        .filter_map(|output| {
            let path = output.file.clone()?;
            Some(((output.item.as_str(), output.repeat), path))
        })
        .collect();
    let seen: HashMap<(&str, u32), &Value> = (board.evidence.iter())
        .filter_map(|record| {
            let evidence = record.evidence.as_ref()?;
            Some(((record.item.as_str(), record.repeat), evidence))
        })
        .collect();
    let mut text = String::new();
    for grade in board.grades {
        let (Some(correct), Some(item)) = (grade.correct, items.get(grade.item.as_str())) else {
            continue;
        };
        let key = (grade.item.as_str(), grade.repeat);
        let tag = tag_of(grade, item);
        let details = seen.get(&key).map(|evidence| details(rule, tag, evidence));
        let path = paths
            .get(&key)
            .cloned()
            .unwrap_or_else(|| format!("{}/samples/{:05}.png", grade.item, grade.repeat));
        let record = json!({
            "filename": path,
            "tag": tag,
            "prompt": item.prompt,
            "correct": correct,
            "reason": grade.reason,
            "metadata": python::json::dumps(&Value::Object(item.expect.clone())),
            "details": python::json::dumps(&details.unwrap_or_else(|| json!({}))),
        });
        text.push_str(&pandas_line(&record));
        text.push('\n');
    }
    text
}

fn tag_of<'a>(grade: &'a Grade, item: &'a Item) -> &'a str {
    let expected = item.expect.get("tag").and_then(Value::as_str);
    let tagged = || grade.tags.get("tag").map(String::as_str);
    expected.or_else(tagged).unwrap_or_default()
}

/// The boxes of each class with their scores, of the detections that count.
fn details(rule: &GenEval, tag: &str, evidence: &Value) -> Value {
    let seen: OfficialVerdict<'_, Value> = evidence::read(evidence);
    match seen.official.into_option().map(|verdict| verdict.details) {
        Some(Field::Given(details)) => return details,
        Some(Field::Null) => return Value::Null,
        _ => {}
    }
    let Ok(detections) = DetectedObjects::read(evidence) else {
        return json!({});
    };
    let threshold = rule.threshold(Some(tag));
    let options = &rule.0;
    let found = Found::new(
        &detections,
        threshold,
        options.max_objects,
        options.max_overlap,
    );
    let classes = found.classes().iter().map(|(class, objects)| {
        let boxes = objects.iter().map(|object| {
            let [x1, y1, x2, y2] = object.bbox;
            json!([x1, y1, x2, y2, object.score])
        });
        ((*class).to_owned(), boxes.collect::<Value>())
    });
    Value::Object(classes.collect())
}

/// One line as pandas writes records: compact, in ASCII, with a backslash before `/`.
fn pandas_line(record: &Value) -> String {
    let mut text = String::new();
    let mut units = [0; 2];
    for character in record.to_string().chars() {
        match character {
            '/' => text.push_str("\\/"),
            ascii if ascii.is_ascii() => text.push(ascii),
            other => {
                for unit in other.encode_utf16(&mut units) {
                    let _ = write!(text, "\\u{unit:04x}");
                }
            }
        }
    }
    text
}

fn summary(board: &Board<'_>) -> String {
    let counts = Counts::of_grades(board.grades);
    let percent = |part: usize, whole: usize| format!("{:.2}%", 100.0 * part as f64 / whole as f64);
    let mut text = String::from("Summary\n=======\n");
    let _ = writeln!(text, "Total images: {}", counts.images);
    let _ = writeln!(text, "Total prompts: {}", counts.prompts);
    let _ = writeln!(
        text,
        "% correct images: {}",
        percent(counts.correct_images, counts.images)
    );
    let _ = writeln!(
        text,
        "% correct prompts: {}",
        percent(counts.correct_prompts, counts.prompts)
    );
    let _ = writeln!(text, "\nTask breakdown\n==============");
    let items: HashMap<&str, &Item> =
        (board.items.iter().map(|item| (item.item.as_str(), item))).collect();
    let mut tasks: Vec<(&str, usize, usize)> = Vec::new();
    for grade in board.grades {
        let (Some(correct), Some(item)) = (grade.correct, items.get(grade.item.as_str())) else {
            continue;
        };
        let tag = tag_of(grade, item);
        let at = tasks.iter().position(|(name, ..)| *name == tag);
        let at = at.unwrap_or_else(|| {
            tasks.push((tag, 0, 0));
            tasks.len() - 1
        });
        tasks[at].1 += usize::from(correct);
        tasks[at].2 += 1;
    }
    let mut scores = 0.0;
    for (tag, correct, all) in &tasks {
        scores += *correct as f64 / *all as f64;
        let _ = writeln!(
            text,
            "{tag:<16} = {} ({correct} / {all})",
            percent(*correct, *all)
        );
    }
    let overall = scores / tasks.len().max(1) as f64;
    let _ = writeln!(text, "\nOverall score (avg. over tasks): {overall:.5}");
    text
}
