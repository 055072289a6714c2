//! Results of a run in the shape that lm-evaluation-harness writes (`results_TIME.json`), for programs that
//! read those.

use crate::record::{Group, Summary};
use serde_json::{Map, Value, json};

/// A run, and what its numbers' standard errors are.
pub struct LmEval<'a> {
    /// The numbers of the run.
    pub summary: &'a Summary,
    /// `manifest.json` as it is.
    pub manifest: &'a Value,
    /// How many items were asked.
    pub items: usize,
    /// Standard error of the overall number. `None` if there is none.
    pub error: Option<f64>,
    /// The standard error of a group.
    pub error_of: &'a dyn Fn(&Group) -> Option<f64>,
    /// When the run started, in seconds since 1970.
    pub started: f64,
    /// How many seconds the run took. `None` if that is not known.
    pub took: Option<f64>,
}

impl LmEval<'_> {
    /// The suite is a group of tasks: the groups of its first tag. Numbers are `score,none` with
    /// `score_stderr,none`, a standard error with items as clusters or `N/A`; further official numbers are
    /// next to them under their own names.
    pub fn results(&self) -> Value {
        let summary = self.summary;
        let name = task(&summary.suite);
        let groups = self.groups();
        let (mut results, mut samples) = (Map::new(), Map::new());
        let mut overall = numbers(&summary.suite, summary.overall.value, self.error);
        for (metric, value) in &summary.metrics {
            let metric = metric.replace(',', " ");
            overall.insert(format!("{metric},none"), json!(value));
            overall.insert(format!("{metric}_stderr,none"), json!("N/A"));
        }
        results.insert(name.clone(), overall.clone().into());
        samples.insert(name.clone(), counts(self.items, summary.overall.n));
        let mut tasks = Vec::new();
        for group in &groups {
            let subtask = task(&format!("{}_{}", summary.suite, group.key));
            let alias = format!(" - {}", group.key);
            let own = numbers(&alias, group.value, (self.error_of)(group));
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
            "git_hash": self.manifest["program"]["commit"],
            "date": self.started,
            "task_hashes": {},
            "model_source": "unigauge",
            "model_name": summary.model,
            "model_name_sanitized": sanitized(&summary.model),
            "total_evaluation_time_seconds": self.took.map(|took| took.to_string()),
            "unigauge_version": self.manifest["program"]["version"],
            "run": summary.run,
            "notes": summary.notes,
        });
        if let (false, Value::Object(file)) = (tasks.is_empty(), &mut file) {
            file.insert("groups".into(), json!({name: overall}));
        }
        file
    }

    /// The groups of the suite's first tag.
    fn groups(&self) -> Vec<&Group> {
        let first = self.summary.groups.first().map(|group| &group.by);
        let groups = self.summary.groups.iter();
        groups.filter(|group| Some(&group.by) == first).collect()
    }

    fn config_of(&self, task: &str) -> Value {
        let suite = &self.manifest["suite"];
        json!({
            "task": task,
            "dataset_path": suite["source"],
            "description": suite["description"],
            "output_type": "generate_until",
            "metric_list": [
                {"metric": "score", "aggregation": self.summary.overall.method, "higher_is_better": true}
            ],
            "num_fewshot": 0,
            "repeats": self.manifest["repeats"],
            "metadata": {"version": self.summary.suite_version, "grade": suite["grade"]},
        })
    }

    fn config(&self) -> Value {
        let model = &self.manifest["model"];
        json!({
            "model": model["generator"],
            "model_args": model["settings"],
            "batch_size": 1,
            "batch_sizes": [],
            "device": self.manifest["device"],
            "use_cache": null,
            "limit": self.manifest["selection"]["limit"],
            "bootstrap_iters": null,
            "gen_kwargs": null,
            "random_seed": self.manifest["seed"],
            "numpy_seed": null,
            "torch_seed": null,
            "fewshot_seed": null,
        })
    }
}

/// A name that is safe in a path, as lm-evaluation-harness makes it.
pub fn sanitized(model: &str) -> String {
    let mut name = String::new();
    let mut inside = false;
    for character in model.chars() {
        let bad = "\"<>:/|\\?*[]".contains(character);
        match (bad, inside) {
            (true, false) => name.push_str("__"),
            (true, true) => {}
            (false, _) => name.push(character),
        }
        inside = bad;
    }
    name
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
