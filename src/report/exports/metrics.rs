//! JSON lines for experiment trackers, one for each run: `name`, `step`, `timestamp`, `config` and `metrics`.
//!
//! `metrics` is flat and has only numbers. Its names have only characters that all trackers take: letters,
//! digits, `_`, `-`, `.`, `/` and blanks, since mlflow's list is the shortest. So Python can give `metrics` and
//! `step` to `wandb.log` and to `mlflow.log_metrics` as they are, and `config` to `wandb.init` and to
//! `mlflow.log_params`.

use super::ExportedRun;
use serde_json::{Map, Value, json};

/// A line for each run. Its step is the number in its name (`step-00000200`), where the runs of its suite and
/// model have one each; else they are numbered in the order of their beginning.
pub fn lines(runs: &[ExportedRun]) -> String {
    let mut order: Vec<&ExportedRun> = runs.iter().collect();
    order.sort_by_key(|run| run.started);
    let mut text = String::new();
    for (at, run) in order.iter().enumerate() {
        let is_same = |other: &&&ExportedRun| {
            let (one, other) = (&run.summary, &other.summary);
            one.suite == other.suite && one.model == other.model
        };
        let same = order.iter().filter(is_same);
        let named: Option<Vec<u64>> = same.map(|run| step_in(&run.summary.run)).collect();
        let step = match (named, step_in(&run.summary.run)) {
            (Some(_), Some(step)) => step,
            _ => order[..at].iter().filter(is_same).count() as u64,
        };
        text.push_str(&format!("{}\n", line(run, step)));
    }
    text
}

/// The training step in the name of a run: `step-200`, `checkpoint_1000`. `seed0` is none.
fn step_in(run: &str) -> Option<u64> {
    let digits = run.trim_end_matches(|c: char| c.is_ascii_digit());
    let before = digits.strip_suffix(['-', '_', '='])?;
    let is_step = ["step", "checkpoint", "iter", "epoch"];
    is_step
        .iter()
        .any(|word| before.eq_ignore_ascii_case(word))
        .then(|| run[digits.len()..].parse().ok())?
}

fn line(run: &ExportedRun, step: u64) -> Value {
    let summary = &run.summary;
    let manifest = &run.manifest;
    json!({
        "name": format!("{}/{}/{}", summary.suite, summary.model, summary.run),
        "step": step,
        "timestamp": run.time().as_millisecond(),
        "config": {
            "suite": summary.suite,
            "suite_version": summary.suite_version,
            "model": summary.model,
            "run": summary.run,
            "seed": manifest["seed"],
            "repeats": manifest["repeats"],
            "generator": manifest["model"]["generator"],
            "unigauge_version": manifest["program"]["version"],
            "unigauge_commit": manifest["program"]["commit"],
        },
        "metrics": metrics(run),
    })
}

/// All numbers of a run. A number that is absent has no key.
fn metrics(run: &ExportedRun) -> Map<String, Value> {
    let summary = &run.summary;
    let mut found = Map::new();
    let mut add = |name: &str, value: Option<f64>| {
        if let Some(value) = value.filter(|value| value.is_finite()) {
            found.insert(plain(&format!("{}/{name}", summary.suite)), value.into());
        }
    };
    add("overall", summary.overall.value);
    add("overall_low", summary.overall.low);
    add("overall_high", summary.overall.high);
    add("overall_stderr", run.error);
    for (group, error) in run.groups() {
        let name = format!("{}/{}", group.by, group.key);
        add(&name, group.value);
        add(&format!("{name}_low"), group.low);
        add(&format!("{name}_high"), group.high);
        add(&format!("{name}_stderr"), error);
    }
    for (name, value) in &summary.metrics {
        add(name, Some(*value));
    }
    for (name, count) in [
        ("outputs/expected", summary.expected),
        ("outputs/scored", summary.scored),
        ("outputs/failed", summary.failed),
        ("outputs/unscored", summary.unscored),
    ] {
        add(name, Some(count as f64));
    }
    found
}

/// The name with `_` for each character that some tracker refuses.
fn plain(name: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_-./ ".contains(c);
    let plain = |c| if allowed(c) { c } else { '_' };
    name.chars().map(plain).collect()
}
