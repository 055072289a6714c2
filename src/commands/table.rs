//! `unigauge table`.

use super::cli::TableArgs;
use super::context::Context;
use super::failure::Failure;
use super::progress::say;
use super::summaries::exit_of;
use crate::config::{self, Kind, PublishedFile, PublishedRow};
use crate::exit::Exit;
use crate::report::{Measured, Paired, Table, TableSettings, printed};
use crate::run::read_json;
use crate::session::{TitledSummary, open_graded, suite_deviations};
use crate::study::correct;
use crate::table::formats::{JSON, TERMINAL, of_file};
use crate::table::{Document, Format, FormatError, Grid, Window};
use serde_json::json;
use std::path::Path;

/// Prints what papers printed, and runs beside it.
///
/// # Errors
/// Fails if a name is not known, a folder is not a graded run, or the file cannot be written.
pub(super) fn table(ctx: &Context, args: &TableArgs) -> Result<Exit, Failure> {
    let format = format(ctx, args)?;
    let files = chosen(args)?;
    let runs = args.runs.iter().map(|run| Run::read(run));
    let mut runs = runs.collect::<Result<Vec<_>, _>>()?;
    if !args.suites.is_empty() {
        runs.retain(|run| args.suites.contains(&run.titled.summary.suite));
    }
    let suites = suites(args, &files, &runs)?;
    let (mut tables, mut pairs) = (Vec::new(), Vec::new());
    for suite in &suites {
        let file = files.iter().find(|file| file.covers(suite));
        let of_suite = runs.iter().filter(|run| run.titled.summary.suite == *suite);
        let of_suite: Vec<&Run> = of_suite.collect();
        tables.extend(tables_of(suite, file, &of_suite));
        let paired = of_suite.iter().flat_map(|run| {
            let file = file.into_iter();
            file.flat_map(|file| Paired::of_run(run.measured(), file))
        });
        pairs.extend(paired);
    }
    if args.corrected {
        pairs.iter_mut().for_each(correct);
    }
    if args.pairs && pairs.is_empty() {
        return Err(Failure::nothing(
            "no run has a model with published numbers",
            "a row is a run's when its `definition` is the run's model, or its `model` has the same name: see \
             `unigauge table SUITE`",
        ));
    }
    let document = document(&tables, &pairs, args.pairs)?;
    let bytes = (format.write)(&document, Window::detect())?;
    write_output(args.out.as_deref(), &bytes)?;
    let read: Vec<TitledSummary> = runs.into_iter().map(|run| run.titled).collect();
    Ok(exit_of(&read))
}

/// A graded run with what is unlike the suite's own way in it.
struct Run {
    titled: TitledSummary,
    deviations: Vec<String>,
}

impl Run {
    fn read(path: &Path) -> Result<Self, Failure> {
        let (folder, manifest) = open_graded(path)?;
        let titled = TitledSummary::new(read_json(&folder.summary())?, &manifest);
        Ok(Self {
            deviations: suite_deviations(&manifest, &titled.summary),
            titled,
        })
    }

    fn measured(&self) -> Measured<'_> {
        Measured {
            input: self.titled.input(),
            deviations: &self.deviations,
        }
    }
}

/// The runs beside the published rows of their models, with corrected verdicts, for eyes.
///
/// # Errors
/// Fails if a folder is not a graded run.
pub(super) fn corrected_pairs<'a>(runs: impl Iterator<Item = &'a Path>) -> Result<String, Failure> {
    let files = config::all_published()?;
    let mut pairs = Vec::new();
    for folder in runs {
        let run = Run::read(folder)?;
        for file in &files {
            pairs.extend(Paired::of_run(run.measured(), file));
        }
    }
    pairs.iter_mut().for_each(correct);
    let document = document(&[], &pairs, true)?;
    Ok(TERMINAL.text(&document, Window::detect())?)
}

/// The published files with the rows that were asked for; files without such a row are left out.
fn chosen(args: &TableArgs) -> Result<Vec<PublishedFile>, Failure> {
    let mut files = config::all_published()?;
    let all = |name: &String| name == "all";
    if args.published.iter().any(all) {
        return Ok(files);
    }
    let known = |name: &String| {
        let mut rows = files.iter().flat_map(|file| &file.rows);
        rows.any(|row| has_name(row, name))
    };
    if let Some(name) = args.published.iter().find(|name| !known(name)) {
        let models = files.iter().flat_map(|file| &file.rows);
        let near = config::nearest(name, models.map(|row| row.model.as_str()));
        let near = near.map_or(String::new(), |near| format!("did you mean `{near}`? "));
        return Err(Failure::usage(
            format!("no published row has `{name}` in its model or its source"),
            format!("{near}`unigauge table` shows all rows with their sources"),
        ));
    }
    for file in &mut files {
        file.columns = file.keys();
        file.rows
            .retain(|row| args.published.iter().any(|name| has_name(row, name)));
    }
    files.retain(|file| !file.rows.is_empty());
    Ok(files)
}

fn has_name(row: &PublishedRow, name: &str) -> bool {
    let name = name.to_lowercase();
    let own = [row.model.as_str()]
        .into_iter()
        .chain(row.definition.as_deref());
    let mut texts = own.chain(row.sources());
    texts.any(|text| text.to_lowercase().contains(&name))
}

/// The suites to show, each once.
fn suites(args: &TableArgs, files: &[PublishedFile], runs: &[Run]) -> Result<Vec<String>, Failure> {
    let of_runs = runs.iter().map(|run| run.titled.summary.suite.clone());
    let mut suites: Vec<String> = match (args.suites.is_empty(), args.runs.is_empty()) {
        (false, _) => args.suites.clone(),
        (true, false) => of_runs.collect(),
        (true, true) => files.iter().map(|file| file.suite.clone()).collect(),
    };
    let mut seen = Vec::new();
    suites.retain(|suite| {
        let new = !seen.contains(suite);
        seen.push(suite.clone());
        new
    });
    let shown = |suite: &&String| {
        files.iter().any(|file| file.covers(suite))
            || runs.iter().any(|run| run.titled.summary.suite == **suite)
    };
    match suites.iter().find(|suite| !shown(suite)) {
        Some(suite) => Err(unknown_suite(suite, files)),
        None => Ok(suites),
    }
}

fn unknown_suite(suite: &str, files: &[PublishedFile]) -> Failure {
    let names: Vec<&str> = files.iter().map(|file| file.suite.as_str()).collect();
    let near = config::nearest(suite, names.iter().copied());
    let near = near.map_or(String::new(), |near| format!("did you mean `{near}`? "));
    Failure::usage(
        format!("there are no published numbers for `{suite}`"),
        format!(
            "{near}there are some for {}; results/published/{suite}.toml in the current folder adds others",
            names.join(", ")
        ),
    )
}

fn tables_of(suite: &str, file: Option<&PublishedFile>, runs: &[&Run]) -> Vec<Table> {
    if let (Some(file), []) = (file, runs) {
        return vec![Table::of_papers(file, &title(file, suite))];
    }
    let inputs: Vec<_> = runs.iter().map(|run| run.titled.input()).collect();
    let tables = Table::of_runs(&inputs, TableSettings::default());
    let with_papers = |table: Table| match file {
        Some(file) => table.with_papers(file),
        None => table,
    };
    tables.into_iter().map(with_papers).collect()
}

/// The title of the benchmark: that of the file, or else that of the suite's definition.
fn title(file: &PublishedFile, suite: &str) -> String {
    let listed = config::list(Kind::Suite);
    let of_suite = listed.into_iter().find(|listed| listed.name == suite);
    let of_suite = of_suite
        .map(|listed| listed.title)
        .filter(|title| !title.is_empty());
    let own = file.title.clone();
    own.or(of_suite).unwrap_or_else(|| suite.to_owned())
}

fn format(ctx: &Context, args: &TableArgs) -> Result<&'static Format, Failure> {
    let of_flag = ctx.json.then_some(&JSON);
    let format = args
        .format
        .or(of_flag)
        .or_else(|| of_file(args.out.as_deref()?))
        .unwrap_or(&TERMINAL);
    if format.binary && args.out.is_none() {
        return Err(Failure::usage(
            format!("{} is not for a terminal", format.title),
            "give a file with `-o FILE`",
        ));
    }
    if format.binary && args.pairs {
        return Err(Failure::usage(
            format!("pairs are not written as {}", format.title),
            "use csv or json, or leave out `--pairs`",
        ));
    }
    Ok(format)
}

/// The tables with the pairs below them, or the pairs alone.
fn document<'a>(
    tables: &'a [Table],
    pairs: &'a [Paired],
    alone: bool,
) -> Result<Document<'a>, FormatError> {
    let grids: Vec<Grid> = pairs.iter().map(Paired::grid).collect();
    if alone {
        return Document::new(grids, Paired::records(pairs), &json!({"pairs": pairs}));
    }
    let tables_and_pairs = json!({"tables": tables, "pairs": pairs});
    let grids = printed::grids(tables).into_iter().chain(grids).collect();
    Document::new(grids, printed::records(tables), &tables_and_pairs)
}

/// Writes into the file, or on standard output.
fn write_output(out: Option<&Path>, bytes: &[u8]) -> Result<(), Failure> {
    match out {
        Some(path) => {
            crate::report::write_file(path, bytes)?;
            say(format!("written: {}", path.display()));
            Ok(())
        }
        None => {
            crate::print::bytes(bytes);
            Ok(())
        }
    }
}
