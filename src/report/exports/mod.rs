//! The results of runs in the forms of other programs: one file for each form. A form makes files from a run;
//! the command `export` says where they go.

pub mod eee;
pub mod hub;
pub mod lm_eval;
pub mod metrics;
mod run;

pub use run::{ExportFile, ExportedRun};

/// A name that is safe in a path, as lm-evaluation-harness makes it.
pub fn sanitized(name: &str) -> String {
    let mut safe = String::new();
    let mut inside = false;
    for character in name.chars() {
        let bad = "\"<>:/|\\?*[]".contains(character);
        match (bad, inside) {
            (true, false) => safe.push_str("__"),
            (true, true) => {}
            (false, _) => safe.push(character),
        }
        inside = bad;
    }
    safe
}
