//! `unigauge parity`: compares the networks with reference tensors.

use super::cli::ParityArgs;
use super::context::Context;
use super::failure::Failure;
use super::progress::say;
use crate::exit::Exit;
use crate::parity::{Case, CaseError, Row, find, run};
use crate::table::formats::terminal;
use crate::table::{self, Column, Grid};
use crate::text::count::counted;
use std::path::{Path, PathBuf};

/// Runs every case, and prints a row for each tensor.
///
/// # Errors
/// Fails if the device cannot be opened. A case that cannot be read is printed, and the others still run.
pub(super) fn parity(ctx: &Context, args: &ParityArgs) -> Result<Exit, Failure> {
    let device = args
        .device
        .open()
        .map_err(|reason| Failure::environment(reason, "choose another `--device`"))?;
    let mut exit = Exit::Ok;
    let mut cases: Vec<PathBuf> = Vec::new();
    for path in &args.dirs {
        match find(path) {
            Ok(found) => cases.extend(found),
            Err(error) => {
                say_error(error);
                exit = Exit::Usage;
            }
        }
    }
    let mut lines = Vec::new();
    for path in &cases {
        match Case::open(path).and_then(|case| run(&case, &device)) {
            Ok(rows) => {
                if rows.iter().any(|row| !row.pass) && exit == Exit::Ok {
                    exit = Exit::CheckFailed;
                }
                lines.extend(rows.into_iter().map(|row| (case_name(path), row)));
            }
            Err(error) => {
                say_error(error);
                exit = Exit::Usage;
            }
        }
    }
    if ctx.json {
        for (case, row) in &lines {
            println!("{}", serde_json::json!({"case": case, "row": row}));
        }
    } else {
        print(&lines);
    }
    Ok(exit)
}

fn say_error(error: CaseError) {
    say(format!("{:?}", miette::Report::new(error)));
}

fn case_name(path: &Path) -> String {
    let name = path.canonicalize().unwrap_or_else(|_| path.into());
    name.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// Prints the rows in aligned columns, and how many failed.
fn print(lines: &[(String, Row)]) {
    let number = |x: Option<f64>| x.map_or("-".into(), |x| format!("{x:.2e}"));
    let verdict = |row: &Row| match &row.problem {
        Some(problem) if row.pass => format!("ok: {problem}"),
        Some(problem) => format!("FAIL: {problem}"),
        None if row.pass => "ok".to_owned(),
        None => format!("FAIL: more than {:.1e}", row.tolerance),
    };
    let rows = lines.iter().map(|(case, row)| {
        table::Row::plain([
            case.clone(),
            row.name.clone(),
            format!("{:?}", row.shape),
            number(row.max_abs),
            number(row.rel_rms),
            verdict(row),
        ])
    });
    let grid = Grid {
        columns: vec![
            Column::unnamed(),
            Column::unnamed(),
            Column::unnamed(),
            Column::numbers(""),
            Column::numbers(""),
            Column::unnamed(),
        ],
        rows: rows.collect(),
        ..Grid::default()
    };
    if !lines.is_empty() {
        println!("{}", terminal::list(&grid));
    }
    let failed = lines.iter().filter(|line| !line.1.pass).count();
    let tensors = counted(lines.len(), "tensor");
    println!("{tensors}, {failed} beyond tolerance");
}
