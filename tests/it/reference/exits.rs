//! Exit codes, from the documentation of the type.

use super::markdown::head;
use std::fmt::Write as _;
use std::path::Path;

/// The page of exit codes.
pub(super) fn page(root: &Path) -> String {
    let source = std::fs::read_to_string(root.join("src/exit.rs")).unwrap();
    let mut page = head("Exit codes", "`src/exit.rs`");
    page += "The numbers are part of the interface. A command that prints a failure never ends with 0.\n\n";
    page += "| code | meaning |\n|---:|---|\n";
    let mut meaning = String::new();
    let mut codes = 0;
    for line in source.lines().map(str::trim) {
        if let Some(comment) = line.strip_prefix("///") {
            meaning = format!("{meaning} {}", comment.trim());
        } else if let Some((_, code)) = line.trim_end_matches(',').split_once(" = ")
            && code.parse::<u8>().is_ok()
        {
            let _ = writeln!(page, "| {code} | {} |", meaning.trim());
            codes += 1;
        } else {
            meaning.clear();
        }
        if line.ends_with(',') {
            meaning.clear();
        }
    }
    assert!(codes > 1, "src/exit.rs has no codes");
    page
}
