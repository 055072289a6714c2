//! The assets that the program knows, from its own list.

use super::markdown::{cell, head};
use crate::support::unigauge;
use serde_json::Value;
use std::fmt::Write as _;

/// The page of assets.
pub(super) fn page() -> String {
    let dir = tempfile::tempdir().unwrap();
    let listed = unigauge(dir.path())
        .args(["list", "assets", "--json"])
        .output()
        .unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let mut page = head("Assets", "`unigauge list assets`");
    page += "Weights, data, fonts and libraries that `unigauge fetch` brings, with the licences that their authors name. \
             [Fetch weights and data](../guides/assets.md) shows how.\n\n";
    page += "| asset | for | licence | source |\n|---|---|---|---|\n";
    for asset in listed
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
    {
        let text = |key: &str| cell(asset[key].as_str().unwrap_or_default());
        let _ = writeln!(
            page,
            "| `{}` | {}; {} | {} | {} |",
            text("id"),
            text("title"),
            text("purpose"),
            text("licence"),
            source(&text("source"))
        );
    }
    page
}

/// An address as a link that is named by its file.
fn source(source: &str) -> String {
    if source.starts_with("https://") {
        let name = source.rsplit('/').next().unwrap_or(source);
        format!("[{name}]({source})")
    } else {
        source.to_owned()
    }
}
