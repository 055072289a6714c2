//! What the program carries as definition files: suites, models, studies, policies, rewards, trainings,
//! printed numbers.

use super::markdown::{cell, head};
use std::fmt::Write as _;
use std::path::Path;
use toml::Table;

/// The definitions of a folder, by name.
fn definitions(root: &Path, folder: &str) -> Vec<Table> {
    let mut files: Vec<_> = std::fs::read_dir(root.join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "toml")
        })
        .collect();
    files.sort_by(|left, right| left.file_stem().cmp(&right.file_stem()));
    assert!(!files.is_empty(), "{folder} has no definitions");
    let read = |path: &std::path::PathBuf| std::fs::read_to_string(path).unwrap().parse().unwrap();
    files.iter().map(read).collect()
}

fn text<'a>(table: &'a Table, key: &str) -> &'a str {
    table
        .get(key)
        .and_then(toml::Value::as_str)
        .unwrap_or_default()
}

fn texts<'a>(table: &'a Table, key: &str) -> Vec<&'a str> {
    let list = table.get(key).and_then(toml::Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(toml::Value::as_str)
        .collect()
}

fn code(names: &[&str]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

/// The page of suites.
pub(super) fn suites(root: &Path) -> String {
    let suites = definitions(root, "suites");
    let mut page = head("Suites", "the files in `suites/`");
    page += "A suite is a benchmark, or a set of questions. [The suite file](suite-file.md) describes the keys of its file, \
             [write a suite of your own](../guides/write-a-suite.md) shows how to make one.\n\n";
    for (task, title) in [
        ("text-to-image", "Pictures from words"),
        ("edit", "Edits of pictures"),
        ("understand", "Questions about pictures"),
    ] {
        let _ = write!(page, "## {title}\n\n");
        page += "| suite | benchmark | observers | rule | layout |\n|---|---|---|---|---|\n";
        let of_task = || suites.iter().filter(|suite| text(suite, "task") == task);
        for suite in of_task() {
            let name = text(suite, "name");
            let _ = writeln!(
                page,
                "| [`{name}`](#{name}) | {} | {} | `{}` | {} |",
                text(suite, "title"),
                code(&texts(suite, "observers")),
                text(suite["grade"].as_table().unwrap(), "rule"),
                code(
                    &[text(suite, "layout")]
                        .into_iter()
                        .filter(|layout| !layout.is_empty())
                        .collect::<Vec<_>>()
                ),
            );
        }
        page += "\n";
        for suite in of_task() {
            let _ = write!(
                page,
                "### `{}`\n\n{}\n\n",
                text(suite, "name"),
                text(suite, "description")
            );
            let repeats = suite
                .get("repeats")
                .map(toml::Value::to_string)
                .unwrap_or_default();
            for (title, words) in [
                ("Outputs an item", repeats.as_str()),
                ("Paper", text(suite, "paper")),
                ("Source", text(suite, "source")),
                ("Licence of the items", text(suite, "licence")),
            ] {
                if !words.is_empty() {
                    let _ = writeln!(page, "- {title}: {words}");
                }
            }
            for note in texts(suite, "notes") {
                let _ = writeln!(page, "- {}", cell(note));
            }
            page += "\n";
        }
    }
    page
}

/// The page of models.
pub(super) fn models(root: &Path) -> String {
    let models = definitions(root, "configs/models");
    let mut page = head("Models", "the files in `configs/models/`");
    page += "Models that the program carries. [Run a model](../guides/run-a-model.md) shows how to write one of your own, and \
             [the model file](model-file.md) describes its keys.\n\n";
    page += "| model | generator | what it is |\n|---|---|---|\n";
    for model in &models {
        let _ = writeln!(
            page,
            "| `{}` | [`{1}`](generators.md#{1}) | {2} |",
            text(model, "name"),
            text(model, "generator"),
            cell(text(model, "description"))
        );
    }
    page += "\n## Checkpoints\n\n`unigauge fetch MODEL` brings these repositories of the model hub.\n\n";
    page += "| model | folder | repository | licence |\n|---|---|---|---|\n";
    for model in &models {
        let repositories = model.get("repositories").and_then(toml::Value::as_array);
        for repository in repositories
            .into_iter()
            .flatten()
            .filter_map(toml::Value::as_table)
        {
            let _ = writeln!(
                page,
                "| `{}` | `{}` | {} at `{}` | {} |",
                text(model, "name"),
                [text(repository, "folder"), "."]
                    .into_iter()
                    .find(|folder| !folder.is_empty())
                    .unwrap_or_default(),
                text(repository, "repo"),
                text(repository, "revision"),
                cell(text(repository, "licence"))
            );
        }
    }
    page
}

/// The page of studies, policies, rewards, trainings and printed numbers.
pub(super) fn others(root: &Path) -> String {
    let mut page = head(
        "Studies, policies, rewards, trainings, printed numbers",
        "the files in `configs/` and `results/published/`",
    );
    for (title, folder, words) in [
        (
            "Studies",
            "configs/studies",
            "`unigauge run STUDY` runs one ([studies](../guides/studies.md); [the study file](study-file.md)).",
        ),
        (
            "Policies",
            "configs/policies",
            "`unigauge gate … --policy POLICY` takes one ([gates](../guides/gate-in-ci.md); [the policy file](policy-file.md)).",
        ),
        (
            "Rewards",
            "configs/rewards",
            "`unigauge grade RUN --rule reward --set reward=REWARD` grades by one ([rewards](../guides/rewards.md); [the reward file](reward-file.md)).",
        ),
        (
            "Trainings",
            "configs/training",
            "`unigauge train TRAINING` runs one ([the miniature world](../world/index.md#train-a-network); \
             [the training file](training-file.md)).",
        ),
    ] {
        let _ = write!(
            page,
            "## {title}\n\n{words}\n\n| name | title | what it is |\n|---|---|---|\n"
        );
        for table in definitions(root, folder) {
            let _ = writeln!(
                page,
                "| `{}` | {} | {} |",
                text(&table, "name"),
                cell(text(&table, "title")),
                cell(text(&table, "description"))
            );
        }
        page += "\n";
    }
    page += "## Printed numbers\n\n`unigauge table SUITE` shows them ([reproduce a paper](../guides/reproduce-a-paper.md); \
             [the file of printed numbers](published-file.md)).\n\n| suite | rows |\n|---|---:|\n";
    for table in definitions(root, "results/published") {
        let rows = table
            .get("rows")
            .and_then(toml::Value::as_array)
            .map_or(0, Vec::len);
        let _ = writeln!(page, "| `{}` | {rows} |", text(&table, "suite"));
    }
    page
}
