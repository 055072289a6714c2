//! Results of a run in the shape that lm-evaluation-harness writes (`results_TIME.json`), for programs that
//! read those.

use super::{ExportFile, ExportedRun, sanitized};
use crate::record::Group;
use serde_json::{Map, Value, json};
use std::path::Path;

/// The file of a run: `MODEL/results_SUITE_RUN_TIME.json`. Readers of such files look for the time at the end
/// of the name.
pub fn file(run: &ExportedRun) -> ExportFile {
    let summary = &run.summary;
    let time = run.started.strftime("%Y-%m-%dT%H-%M-%S%.6f");
    let (suite, name) = (sanitized(&summary.suite), sanitized(&summary.run));
    ExportFile {
        path: Path::new(&sanitized(&summary.model))
            .join(format!("results_{suite}_{name}_{time}.json")),
        text: format!("{:#}\n", LmEval { run }.results()),
    }
}

struct LmEval<'a> {
    run: &'a ExportedRun,
}

impl LmEval<'_> {
    /// The suite is a group of tasks: the groups of its first tag. Numbers are `score,none` with
    /// `score_stderr,none`, a standard error with items as clusters or `N/A`; further official numbers are
    /// next to them under their own names.
    fn results(&self) -> Value {
        let (run, summary) = (self.run, &self.run.summary);
        let manifest = &run.manifest;
        let took = run.finished.map(|at| at.duration_since(run.started));
        let name = task(&summary.suite);
        let groups = self.groups();
        let (mut results, mut samples) = (Map::new(), Map::new());
        let mut overall = numbers(&summary.suite, summary.overall.value, run.error);
        for (metric, value) in &summary.metrics {
            let metric = metric.replace(',', " ");
            overall.insert(format!("{metric},none"), json!(value));
            overall.insert(format!("{metric}_stderr,none"), json!("N/A"));
        }
        results.insert(name.clone(), overall.clone().into());
        samples.insert(name.clone(), counts(run.items.len(), summary.overall.n));
        let mut tasks = Vec::new();
        for (group, error) in groups {
            let subtask = task(&format!("{}_{}", summary.suite, group.key));
            let alias = format!(" - {}", group.key);
            let own = numbers(&alias, group.value, error);
            results.insert(subtask.clone(), own.into());
            samples.insert(subtask.clone(), counts(group.n, group.n));
            tasks.push(subtask);
        }
        let all: Vec<&String> = std::iter::once(&name).chain(&tasks).collect();
        let each = |value: &dyn Fn(&str) -> Value| -> Map<String, Value> {
            let pairs = all.iter().map(|task| ((*task).clone(), value(task)));
            pairs.collect()
        };
        let mut file = json!({
            "results": results,
            "group_subtasks": {&name: &tasks},
            "configs": each(&|task| self.config_of(task)),
            "versions": each(&|_| json!(summary.suite_version)),
            "n-shot": each(&|_| json!(0)),
            "higher_is_better": each(&|_| json!({"score": true})),
            "n-samples": samples,
            "config": self.config(),
            "git_hash": manifest["program"]["commit"],
            "date": run.started.as_millisecond() as f64 / 1000.0,
            "task_hashes": {},
            "model_source": "unigauge",
            "model_name": summary.model,
            "model_name_sanitized": sanitized(&summary.model),
            "total_evaluation_time_seconds": took.map(|took| took.as_secs_f64().to_string()),
            "unigauge_version": manifest["program"]["version"],
            "run": summary.run,
            "notes": summary.notes,
        });
        if let (false, Value::Object(file)) = (tasks.is_empty(), &mut file) {
            file.insert("groups".into(), json!({name: overall}));
        }
        file
    }

    /// The groups of the suite's first tag.
    fn groups(&self) -> Vec<(&Group, Option<f64>)> {
        let first = self.run.summary.groups.first().map(|group| &group.by);
        let groups = self.run.groups();
        groups
            .filter(|(group, _)| Some(&group.by) == first)
            .collect()
    }

    fn config_of(&self, task: &str) -> Value {
        let suite = &self.run.manifest["suite"];
        json!({
            "task": task,
            "dataset_path": suite["source"],
            "description": suite["description"],
            "output_type": "generate_until",
            "metric_list": [
                {"metric": "score", "aggregation": self.run.summary.overall.method, "higher_is_better": true}
            ],
            "num_fewshot": 0,
            "repeats": self.run.manifest["repeats"],
            "metadata": {"version": self.run.summary.suite_version, "grade": suite["grade"]},
        })
    }

    fn config(&self) -> Value {
        let manifest = &self.run.manifest;
        let model = &manifest["model"];
        json!({
            "model": model["generator"],
            "model_args": model["settings"],
            "batch_size": 1,
            "batch_sizes": [],
            "device": manifest["device"],
            "use_cache": null,
            "limit": manifest["selection"]["limit"],
            "bootstrap_iters": null,
            "gen_kwargs": null,
            "random_seed": manifest["seed"],
            "numpy_seed": null,
            "torch_seed": null,
            "fewshot_seed": null,
        })
    }
}

fn numbers(alias: &str, value: Option<f64>, error: Option<f64>) -> Map<String, Value> {
    let error = error.map_or(json!("N/A"), |error| json!(error));
    let pairs = [
        ("alias", json!(alias)),
        ("score,none", json!(value)),
        ("score_stderr,none", error),
    ];
    let pairs = pairs.into_iter();
    pairs.map(|(key, value)| (key.to_owned(), value)).collect()
}

fn counts(original: usize, effective: usize) -> Value {
    json!({"original": original, "effective": effective})
}

/// A task's name: letters, digits and `-_.`.
fn task(name: &str) -> String {
    let plain = |c: char| {
        if c.is_alphanumeric() || "-_.".contains(c) {
            c
        } else {
            '_'
        }
    };
    name.chars().map(plain).collect()
}
