//! `unigauge parity`: compares the networks with reference tensors.

use super::cli::ParityArgs;
use super::context::Context;
use super::failure::Failure;
use super::progress::say;
use crate::exit::Exit;
use crate::parity::{Case, CaseError, Row, find, run};
use std::path::{Path, PathBuf};

/// Runs every case and prints a row a tensor.
///
/// # Errors
/// When the device cannot be opened. A case that cannot be read is printed and the others still run.
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
                tell(error);
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
                lines.extend(rows.into_iter().map(|row| (name(path), row)));
            }
            Err(error) => {
                tell(error);
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

fn tell(error: CaseError) {
    say(format!("{:?}", miette::Report::new(error)));
}

fn name(path: &Path) -> String {
    let name = path.canonicalize().unwrap_or_else(|_| path.into());
    name.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn print(lines: &[(String, Row)]) {
    let width =
        |length: &dyn Fn(&(String, Row)) -> usize| lines.iter().map(length).max().unwrap_or(0);
    let (case, tensor) = (
        width(&|line| line.0.len()),
        width(&|line| line.1.name.len()),
    );
    let shape = width(&|line| format!("{:?}", line.1.shape).len());
    let number = |x: Option<f64>| x.map_or("-".into(), |x| format!("{x:.2e}"));
    for (path, row) in lines {
        println!(
            "{path:case$}  {:tensor$}  {:shape$}  {:>9}  {:>9}  {}{}",
            row.name,
            format!("{:?}", row.shape),
            number(row.max_abs),
            number(row.rel_rms),
            if row.pass { "ok" } else { "FAIL" },
            match &row.problem {
                Some(problem) => format!(": {problem}"),
                None if row.pass => String::new(),
                None => format!(": more than {:.1e}", row.tolerance),
            },
        );
    }
    let failed = lines.iter().filter(|line| !line.1.pass).count();
    println!("{} tensors, {failed} beyond tolerance", lines.len());
}
