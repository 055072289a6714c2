//! What `cargo test` skipped and why, as its last words. A skipped test passes, and its output is hidden: without this list
//! nobody sees it.

use std::path::Path;

fn main() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("skipped");
    let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
    let mut skipped: Vec<String> = entries
        .filter_map(|entry| std::fs::read_to_string(entry.path()).ok())
        .collect();
    skipped.sort();
    match skipped.len() {
        0 => println!("no test was skipped"),
        1 => println!("1 test was skipped:"),
        count => println!("{count} tests were skipped:"),
    }
    for test in &skipped {
        print!("  {test}");
    }
    if !skipped.is_empty() {
        println!("With UNIGAUGE_REQUIRE_ALL=1, a test that lacks a package or a file fails.");
    }
    // The next run begins with an empty list. A folder that was never made needs no removal.
    let _ = std::fs::remove_dir_all(&folder);
}
