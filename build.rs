//! Tells the program which commit it was built from, for the manifest of every run.

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=.git/HEAD");
    println!("cargo:rerun-if-changed=.git/refs/heads");
    let commit = Command::new("git")
        .args(["describe", "--always", "--dirty", "--abbrev=12", "--match="])
        .output()
        .ok()
        .filter(|output| output.status.success())
        .and_then(|output| String::from_utf8(output.stdout).ok())
        .map(|text| text.trim().to_owned())
        .filter(|text| !text.is_empty());
    println!("cargo:rustc-env=UNIGAUGE_COMMIT={}", commit.unwrap_or_else(|| "unknown".into()));
}
