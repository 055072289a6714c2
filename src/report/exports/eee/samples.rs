//! The lines about the outputs.

use super::{EeeSource, ExportedRun, VERSION, result_id};
use crate::files::sha256_hex;
use crate::record::{Grade, Item, Output};
use serde_json::{Map, Value, json};
use std::collections::HashMap;

/// The lines of all outputs with a score, and their number.
pub(super) fn lines(run: &ExportedRun, source: &EeeSource, id: &str) -> (String, usize) {
    let items: HashMap<&str, &Item> = (run.items.iter())
        .map(|item| (item.item.as_str(), item))
        .collect();
    let outputs: HashMap<(&str, u32), &Output> = (run.outputs.iter())
        .map(|output| ((output.item.as_str(), output.repeat), output))
        .collect();
    let rule = run.manifest["suite"]["grade"]["rule"].as_str();
    let method = format!("unigauge:{}", rule.unwrap_or("unknown"));
    let (mut text, mut rows) = (String::new(), 0);
    for grade in &run.grades {
        let output = outputs.get(&(grade.item.as_str(), grade.repeat));
        let (Some(item), Some(score)) = (items.get(grade.item.as_str()), grade.score) else {
            continue;
        };
        let answer = output.map(|output| answer(output)).unwrap_or_default();
        let reference = references(item);
        let mut line = json!({
            "schema_version": VERSION,
            "evaluation_id": id,
            "model_id": source.model,
            "evaluation_name": run.summary.suite,
            "evaluation_result_id": result_id(id, "overall"),
            "sample_id": grade.item,
            "sample_hash": sample_hash(&item.prompt, &reference),
            "interaction_type": "single_turn",
            "input": {"raw": item.prompt, "reference": reference},
            "output": {"raw": [&answer]},
            "answer_attribution": [{
                "turn_idx": 0,
                "source": "output.raw",
                "extracted_value": answer,
                "extraction_method": method,
                "is_terminal": true,
            }],
            "evaluation": {"score": score, "is_correct": grade.correct == Some(true)},
            "metadata": metadata(item, grade, output.copied()),
        });
        if let Some(seconds) = output.and_then(|output| output.timings.get("generate")) {
            line["performance"] = json!({"generation_time_ms": seconds * 1000.0});
        }
        text.push_str(&format!("{line}\n"));
        rows += 1;
    }
    (text, rows)
}

/// The words of an output, or the path of its picture in the run folder.
fn answer(output: &Output) -> String {
    let answer = output.text.as_ref().or(output.file.as_ref());
    answer.cloned().unwrap_or_default()
}

/// What the grader compares with: texts as they are, and the rest as JSON with its key.
fn references(item: &Item) -> Vec<String> {
    let mut found = Vec::new();
    for (key, value) in &item.expect {
        match value {
            Value::String(text) => found.push(text.clone()),
            Value::Array(list) if list.iter().all(Value::is_string) => {
                found.extend(list.iter().filter_map(Value::as_str).map(str::to_owned));
            }
            other => found.push(json!({ key.as_str(): other }).to_string()),
        }
    }
    found
}

/// The hash that the project defines over the input: SHA-256 of its JSON with sorted keys, without blanks and
/// with escapes for all that is not ASCII.
fn sample_hash(raw: &str, reference: &[String]) -> String {
    let json = json!({"raw": raw, "reference": reference}).to_string();
    let mut ascii = String::with_capacity(json.len());
    for character in json.chars() {
        if character.is_ascii() {
            ascii.push(character);
        } else {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                ascii.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    sha256_hex(&ascii)
}

/// Everything else about an output, as texts.
fn metadata(item: &Item, grade: &Grade, output: Option<&Output>) -> Map<String, Value> {
    let mut found = Map::new();
    let mut add = |key: String, value: String| found.insert(key, value.into());
    add("repeat".into(), grade.repeat.to_string());
    for (tag, value) in grade.tags.iter() {
        add(format!("tag.{tag}"), value.clone());
    }
    for (part, value) in grade.parts.iter() {
        add(format!("part.{part}"), value.to_string());
    }
    if grade.correct.is_none() {
        let why = "the rule gives a score, and does not say right or wrong";
        add("is_correct".into(), why.into());
    }
    if !grade.reason.is_empty() {
        add("reason".into(), grade.reason.clone());
    }
    if !item.images.is_empty() {
        add("input_images".into(), item.images.join("\n"));
    }
    if let Some(output) = output {
        add("seed".into(), output.seed.to_string());
        if let Some(sha256) = &output.sha256 {
            add("output_sha256".into(), sha256.clone());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::sample_hash;

    /// `hashlib.sha256(json.dumps({"raw": …, "reference": […]}, sort_keys=True, separators=(",", ":"))
    /// .encode()).hexdigest()`
    #[test]
    fn the_hash_is_that_of_python() {
        for (raw, reference, expected) in CASES {
            let reference: Vec<String> = reference.iter().map(|text| (*text).to_owned()).collect();
            assert_eq!(sample_hash(raw, &reference), expected);
        }
    }

    const CASES: [(&str, &[&str], &str); 2] = [
        (
            "a \"red\" bench\n",
            &[],
            "ff154877572a57061278c9708694183e19bbfc5c712b60f6dc9af7061a7effbe",
        ),
        (
            "un café 🦀",
            &["é", "b/c"],
            "f93f4340ba7512a0e5357ade7445c5a73dcf97ca9ffc76a2aa10f0e622d4983a",
        ),
    ];
}
