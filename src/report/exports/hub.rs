//! `.eval_results/*.yaml`, with which a model's repository on the Hugging Face Hub tells its scores.
//!
//! The keys are those that the hub documents (huggingface.co/docs/hub/eval-results, and `eval_results.yaml`
//! in github.com/huggingface/hub-docs): a list of entries with `dataset` (`id` and `task_id`, and perhaps
//! `revision`), `value`, `date`, `source` (`url`, `name`, `user`) and `notes`. A score is shown if the data
//! set is a benchmark of the hub, and it is `verified` only by a token that the hub's own jobs give.

use super::{ExportFile, ExportedRun, sanitized};
use serde_json::Value;
use std::path::Path;

/// What the run itself does not know.
#[derive(Debug, Clone, Default)]
pub struct HubEntry {
    /// The data set of the benchmark on the hub, `owner/name`.
    pub dataset: String,
    /// The id of the task in the data set's `eval.yaml`.
    pub task: String,
    /// The revision of the data set.
    pub revision: Option<String>,
    /// A page about the result.
    pub source_url: Option<String>,
    /// The name of that page.
    pub source_name: Option<String>,
    /// The user or organisation of the hub that measured.
    pub user: Option<String>,
}

/// The file of a run: `MODEL/.eval_results/SUITE_RUN.yaml`. `None` if the run has no number.
pub fn file(run: &ExportedRun, entry: &HubEntry) -> Option<ExportFile> {
    let summary = &run.summary;
    let value = summary.overall.value?;
    let date = run.time().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let url = entry.source_url.as_ref();
    let lines = [
        Some("- dataset:".to_owned()),
        Some(pair(4, "id", &entry.dataset)),
        Some(pair(4, "task_id", &entry.task)),
        (entry.revision.as_ref()).map(|revision| pair(4, "revision", revision)),
        Some(format!("  value: {}", Value::from(value))),
        Some(pair(2, "date", &date)),
        url.map(|_| "  source:".to_owned()),
        url.map(|url| pair(4, "url", url)),
        url.and(entry.source_name.as_ref())
            .map(|name| pair(4, "name", name)),
        url.and(entry.user.as_ref())
            .map(|user| pair(4, "user", user)),
        Some(pair(2, "notes", &run.remark())),
    ];
    let lines: Vec<String> = lines.into_iter().flatten().collect();
    let name = format!(
        "{}_{}.yaml",
        sanitized(&summary.suite),
        sanitized(&summary.run)
    );
    Some(ExportFile {
        path: Path::new(&sanitized(&summary.model))
            .join(".eval_results")
            .join(name),
        text: format!("{}\n", lines.join("\n")),
    })
}

/// A key with a text. A text of JSON is a text of YAML, too.
fn pair(indent: usize, key: &str, text: &str) -> String {
    format!("{:indent$}{key}: {}", "", Value::from(text))
}
