//! `unigauge list`.

use super::cli::{ListArgs, Listable};
use super::context::Context;
use super::failure::Failure;
use crate::config::{self, Kind};
use crate::exit::Exit;
use crate::generate::GENERATORS;
use crate::grade::RULES;
use crate::hub::{Asset, AssetState};
use crate::observe::OBSERVERS;
use crate::record::Summary;
use crate::run::{Manifest, RunFolder, Stream, folders, read_json, run_folders};
use crate::table::formats::terminal;
use crate::table::{self, Column, Grid};
use crate::text::count::counted;
use indicatif::HumanBytes;
use serde_json::{Value, json};
use std::path::Path;

/// Lists what the program, the current folder and the cache have.
///
/// # Errors
/// Fails if the asset cache has no folder.
pub(super) fn list(ctx: &Context, args: &ListArgs) -> Result<Exit, Failure> {
    match args.what {
        Some(Listable::Assets) => assets(ctx)?,
        Some(what) => section(ctx, what, args, false),
        None => {
            for what in [
                Listable::Studies,
                Listable::Suites,
                Listable::Models,
                Listable::Policies,
                Listable::Rewards,
                Listable::Published,
                Listable::Trainings,
                Listable::Generators,
                Listable::Observers,
                Listable::Rules,
                Listable::Runs,
            ] {
                section(ctx, what, args, true);
            }
        }
    }
    Ok(Exit::Ok)
}

fn section(ctx: &Context, what: Listable, args: &ListArgs, heading: bool) {
    let (title, rows) = match what {
        Listable::Suites => ("suites", definitions(Kind::Suite)),
        Listable::Models => ("models", definitions(Kind::Model)),
        Listable::Studies => ("studies", definitions(Kind::Study)),
        Listable::Policies => ("policies", definitions(Kind::Policy)),
        Listable::Rewards => ("rewards", definitions(Kind::Reward)),
        Listable::Published => ("published", published()),
        Listable::Trainings => ("trainings", definitions(Kind::Training)),
        Listable::Generators => (
            "generators",
            kinds(GENERATORS.iter().map(|kind| (kind.name, kind.about))),
        ),
        Listable::Observers => (
            "observers",
            kinds(OBSERVERS.iter().map(|kind| (kind.name, kind.about))),
        ),
        Listable::Rules => (
            "rules",
            kinds(RULES.iter().map(|rule| (rule.name, rule.about))),
        ),
        Listable::Runs => ("runs", runs(&args.out)),
        Listable::Assets => ("assets", Vec::new()),
    };
    if ctx.json {
        println!(
            "{}",
            json!({ title: rows.iter().map(|row| row.json.clone()).collect::<Vec<_>>() })
        );
        return;
    }
    if heading {
        println!("{title}");
    }
    let indent = if heading { "  " } else { "" };
    if rows.is_empty() {
        println!("{indent}none");
    }
    print_rows(rows.into_iter().map(|row| [row.name, row.rest]), indent);
}

/// Prints rows in aligned columns, each behind an indent.
fn print_rows(rows: impl Iterator<Item = [String; 2]>, indent: &str) {
    let grid = Grid {
        columns: vec![Column::unnamed(), Column::unnamed()],
        rows: rows.map(table::Row::plain).collect(),
        ..Grid::default()
    };
    for line in terminal::list(&grid).lines() {
        println!("{indent}{line}");
    }
}

struct Row {
    name: String,
    rest: String,
    json: Value,
}

fn definitions(kind: Kind) -> Vec<Row> {
    config::list(kind)
        .into_iter()
        .map(|listed| {
            let rest = match &listed.broken {
                Some(broken) => format!("cannot be used: {broken}"),
                None => format!("{} ({})", listed.title, listed.origin),
            };
            let json = json!({"name": listed.name, "title": listed.title, "from": listed.origin.to_string(), "broken": listed.broken});
            Row { name: listed.name, rest, json }
        })
        .collect()
}

/// Tables of published numbers, with the number of their inconsistent rows.
fn published() -> Vec<Row> {
    let row = |listed: config::Listed| {
        let from = listed.origin.to_string();
        let file = config::published_file(&listed.name);
        let Ok(file) = file else {
            let broken = listed.broken;
            let reason = broken.as_deref().unwrap_or("it has a mistake");
            return Row {
                rest: format!("cannot be used: {reason} ({from})"),
                json: json!({"name": listed.name, "from": from, "broken": reason}),
                name: listed.name,
            };
        };
        let rows = file.rows.len();
        let off = file.rows.iter().filter(|row| file.mismatch(row).is_some());
        let off = off.count();
        let impossible = (file.rows.iter())
            .filter(|row| !file.impossible(row).is_empty())
            .count();
        let faults = [
            (off, "inconsistent"),
            (impossible, "with an impossible number"),
        ];
        let faults = faults.into_iter().filter(|(rows, _)| *rows > 0);
        let faults: String = faults
            .map(|(rows, what)| format!(", {rows} {what}"))
            .collect();
        Row {
            rest: format!("{}{faults} ({from})", counted(rows, "row")),
            json: json!({"name": listed.name, "rows": rows, "do_not_add_up": off, "impossible": impossible, "from": from}),
            name: listed.name,
        }
    };
    config::list(Kind::Published).into_iter().map(row).collect()
}

/// The parts of the program of one kind: their names, and what they do.
fn kinds(kinds: impl Iterator<Item = (&'static str, &'static str)>) -> Vec<Row> {
    kinds
        .map(|(name, about)| Row {
            name: name.into(),
            rest: about.into(),
            json: json!(name),
        })
        .collect()
}

fn runs(out: &Path) -> Vec<Row> {
    folders(out)
        .iter()
        .flat_map(|suite| run_folders(suite))
        .filter_map(|path| {
            let folder = RunFolder::existing(&path).ok()?;
            let manifest = Manifest::read(&folder).ok()?;
            let summary = read_json::<Summary>(&folder.summary()).ok();
            let shards = folder.shards(Stream::Outputs).map_or(0, |shards| shards.len());
            let state = match (&summary, shards) {
                (Some(s), _) => {
                    let value = s.overall.value.map_or_else(|| "no score".into(), |value| format!("{value:.4}"));
                    let partial = if s.partial { ", partial" } else { "" };
                    format!("{value} ({} of {} scored{partial})", s.scored, s.expected)
                }
                (None, 0) => "not graded".into(),
                (None, shards) => format!("{}, not merged", counted(shards, "shard")),
            };
            let name = path.display().to_string();
            let rest = format!("{state}, {}", manifest.started.strftime("%F %H:%M"));
            let json = json!({"run": name, "summary": summary, "started": manifest.started, "finished": manifest.finished});
            Some(Row { name, rest, json })
        })
        .collect()
}

/// Lists the assets with their states.
///
/// # Errors
/// Fails if the asset cache has no folder.
pub(super) fn assets(ctx: &Context) -> Result<(), Failure> {
    let hub = ctx.hub()?;
    let mut rows = Vec::new();
    for entry in hub.list() {
        let state = match &entry.state {
            AssetState::Present(path) => format!("here: {}", path.display()),
            AssetState::Absent => format!("absent, {}", size(entry.asset)),
            AssetState::Corrupt(error) => format!("damaged: {error}"),
        };
        if ctx.json {
            let asset = entry.asset;
            println!(
                "{}",
                json!({"id": asset.id, "title": asset.title, "purpose": asset.purpose, "licence": asset.licence.name,
                    "source": asset.source.describe(), "revision": asset.source.revision(), "state": state})
            );
        } else {
            let Asset {
                id,
                title,
                purpose,
                licence,
                ..
            } = entry.asset;
            rows.push([id.clone(), title.clone()]);
            rows.push([String::new(), format!("{purpose}; {}", licence.name)]);
            rows.push([String::new(), state]);
        }
    }
    if !ctx.json {
        print_rows(rows.into_iter(), "");
        for (name, members) in &hub.table().groups {
            println!("group {name}: {}", members.join(", "));
        }
    }
    Ok(())
}

/// The size in words. It is unknown if none is pinned for this platform.
pub(super) fn size(asset: &Asset) -> String {
    asset.pinned_size().map_or_else(
        || "an unknown size".into(),
        |size| HumanBytes(size).to_string(),
    )
}
