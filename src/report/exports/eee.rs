//! Every Eval Ever: a file with the numbers of a run, and beside it one with a line for each output.
//!
//! The shape is that of version 0.3.0 of `eval.schema.json` and `instance_level_eval.schema.json` in
//! github.com/evaleval/every_eval_ever (commit 9bce413). The names are those of its data store:
//! `data/COLLECTION/DEVELOPER/MODEL/UUID.json` and `UUID_samples.jsonl`.
//!
//! An output without a score has no line, since a line must have a number; the first file counts them. The
//! lines belong to the overall result; those of the groups are the same outputs.

mod samples;

use super::{ExportFile, ExportedRun};
use crate::files::sha256_hex;
use crate::record::Group;
use serde_json::{Map, Value, json};
use std::path::PathBuf;

const VERSION: &str = "0.3.0";

/// What the run itself does not know.
#[derive(Debug, Clone)]
pub struct EeeSource {
    /// The model, `developer/name`.
    pub model: String,
    /// The organisation that publishes the numbers.
    pub organization: String,
    /// How it relates to the developer of the model: `first_party`, `third_party`, `collaborative` or
    /// `other`.
    pub relationship: &'static str,
}

/// The two files of a run. `None` if the run has no number.
pub fn files(run: &ExportedRun, source: &EeeSource) -> Option<[ExportFile; 2]> {
    let summary = &run.summary;
    let score = summary.overall.value?;
    let id = evaluation_id(run, source);
    let uuid = uuid(&id);
    let folder = folder(&summary.suite, &source.model);
    let (samples, rows) = samples::lines(run, source, &id);
    let samples_path = format!("{folder}/{uuid}_samples.jsonl");
    let overall = Number {
        name: summary.suite.clone(),
        score,
        interval: summary.overall.low.zip(summary.overall.high),
        method: Some(summary.overall.method.as_str()),
        error: run.error,
        items: summary.overall.n,
    };
    let mut results = vec![result(run, &overall, &result_id(&id, "overall"))];
    for (group, error) in run.groups() {
        if let Some(number) = of_group(&summary.suite, group, error) {
            let name = format!("{}={}", group.by, group.key);
            results.push(result(run, &number, &result_id(&id, &name)));
        }
    }
    let file = json!({
        "schema_version": VERSION,
        "evaluation_id": id,
        "evaluation_timestamp": run.started.to_string(),
        "retrieved_timestamp": run.time().as_second().to_string(),
        "source_metadata": {
            "source_name": "unigauge",
            "source_type": "evaluation_run",
            "source_organization_name": source.organization,
            "evaluator_relationship": source.relationship,
        },
        "eval_library": library(run),
        "model_info": model(run, source),
        "evaluation_results": results,
        "detailed_evaluation_results": {
            "format": "jsonl",
            "file_path": samples_path,
            "hash_algorithm": "sha256",
            "checksum": sha256_hex(&samples),
            "total_rows": rows,
            "additional_details": {
                "outputs_expected": summary.expected.to_string(),
                "outputs_failed": summary.failed.to_string(),
                "outputs_without_score": summary.unscored.to_string(),
            },
        },
    });
    Some([
        ExportFile {
            path: PathBuf::from(format!("{folder}/{uuid}.json")),
            text: format!("{file:#}\n"),
        },
        ExportFile {
            path: PathBuf::from(samples_path),
            text: samples,
        },
    ])
}

/// One number with its uncertainty.
struct Number<'a> {
    name: String,
    score: f64,
    interval: Option<(f64, f64)>,
    /// How the interval was made.
    method: Option<&'a str>,
    error: Option<f64>,
    /// The items that it is about.
    items: usize,
}

/// The number of a group. `None` if none of its outputs has a score.
fn of_group(suite: &str, group: &Group, error: Option<f64>) -> Option<Number<'static>> {
    Some(Number {
        name: format!("{suite}.{}.{}", group.by, group.key),
        score: group.value?,
        interval: group.low.zip(group.high),
        method: None,
        error,
        items: group.n,
    })
}

impl Number<'_> {
    fn uncertainty(&self) -> Value {
        let mut found = Map::new();
        if let Some(error) = self.error {
            let error = json!({"value": error, "method": "jackknife over items"});
            found.insert("standard_error".into(), error);
        }
        if let Some((lower, upper)) = self.interval {
            let mut interval = json!({"lower": lower, "upper": upper, "confidence_level": 0.95});
            if let Some(method) = self.method {
                interval["method"] = method.into();
            }
            found.insert("confidence_interval".into(), interval);
        }
        found.insert("num_samples".into(), self.items.into());
        found.into()
    }
}

fn result(run: &ExportedRun, number: &Number<'_>, id: &str) -> Value {
    let summary = &run.summary;
    let suite = &run.manifest["suite"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut details = texts([
        ("suite_version", summary.suite_version.clone()),
        ("run", summary.run.clone()),
        ("repeats", run.manifest["repeats"].to_string()),
        ("seed", run.manifest["seed"].to_string()),
        ("partial", summary.partial.to_string()),
    ]);
    if !summary.notes.is_empty() {
        details.insert("notes".into(), summary.notes.join("\n").into());
    }
    let mut dataset = texts([("suite_version", summary.suite_version.clone())]);
    for key in ["source", "paper", "licence"] {
        if let Some(value) = suite[key].as_str() {
            dataset.insert(key.into(), value.into());
        }
    }
    json!({
        "evaluation_result_id": id,
        "evaluation_name": number.name,
        "source_data": {
            "dataset_name": summary.suite,
            "source_type": "other",
            "additional_details": dataset,
        },
        "evaluation_timestamp": run.started.to_string(),
        "metric_config": {
            "evaluation_description": text(&suite["description"]),
            "metric_id": format!("{}.score", summary.suite),
            "metric_name": "score",
            "lower_is_better": false,
            "additional_details": texts([("grading", grading(run))]),
        },
        "score_details": {
            "score": number.score,
            "details": details,
            "uncertainty": number.uncertainty(),
        },
        "generation_config": {
            "additional_details": texts([
                ("generator", text(&run.manifest["model"]["generator"])),
                ("settings", run.manifest["model"]["settings"].to_string()),
            ]),
        },
    })
}

/// Rule and options that graded the run, as JSON.
fn grading(run: &ExportedRun) -> String {
    let noted = run.summary.extra.get(crate::record::Summary::GRADING);
    noted.unwrap_or(&run.manifest["suite"]["grade"]).to_string()
}

fn library(run: &ExportedRun) -> Value {
    let program = &run.manifest["program"];
    json!({
        "name": program["name"],
        "version": program["version"],
        "additional_details": {"commit": program["commit"].as_str().unwrap_or("unknown")},
    })
}

fn model(run: &ExportedRun, source: &EeeSource) -> Value {
    let title = run.manifest["model"]["title"].as_str();
    let developer = source.model.split('/').next().unwrap_or_default();
    json!({
        "name": title.unwrap_or(&run.summary.model),
        "id": source.model,
        "developer": developer,
        "additional_details": {
            "deployment_type": "unknown",
            "model_availability": "unknown",
            "unigauge_model": run.summary.model,
        },
    })
}

/// Unique for suite, run, model and time.
fn evaluation_id(run: &ExportedRun, source: &EeeSource) -> String {
    let summary = &run.summary;
    let time = run.time().as_second();
    format!("{}.{}/{}/{time}", summary.suite, summary.run, source.model)
}

fn result_id(evaluation: &str, name: &str) -> String {
    format!("{evaluation}#{name}")
}

/// A UUID of version 4 that is the same each time a run is exported.
fn uuid(id: &str) -> String {
    let mut digits: Vec<char> = sha256_hex(id).chars().take(32).collect();
    digits[12] = '4';
    digits[16] = 'a';
    let part = |from: usize, to: usize| digits[from..to].iter().collect::<String>();
    let parts = [
        part(0, 8),
        part(8, 12),
        part(12, 16),
        part(16, 20),
        part(20, 32),
    ];
    parts.join("-")
}

/// The folder of a model's files. What follows the developer is one name.
fn folder(suite: &str, model: &str) -> String {
    let (developer, name) = model.split_once('/').unwrap_or(("", model));
    let plain = |name: &str| name.replace(['/', ':', '<', '>', '"', '|', '?', '*', '\\'], "_");
    format!("data/{}/{}/{}", plain(suite), plain(developer), plain(name))
}

/// An object of texts.
fn texts<const N: usize>(pairs: [(&str, String); N]) -> Map<String, Value> {
    let pairs = pairs.into_iter();
    pairs
        .map(|(key, value)| (key.to_owned(), value.into()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_data_store() {
        let one = uuid("geneval.seed0/lab/model/1");
        assert_eq!(one, uuid("geneval.seed0/lab/model/1"));
        assert_ne!(one, uuid("geneval.seed1/lab/model/1"));
        let lengths: Vec<usize> = one.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
        assert_eq!((&one[14..15], &one[19..20]), ("4", "a"));
        assert_eq!(folder("geneval", "lab/sd:1/x"), "data/geneval/lab/sd_1_x");
    }
}
