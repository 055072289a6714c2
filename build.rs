//! Puts three things into the program: the definitions in `suites/` and `configs/` and the checkpoints in `shipped/`, so
//! that it works from any folder, and the commit it was built from, for the manifest of every run.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::{env, fs, io};

/// Folders whose files are put into the program.
const FOLDERS: [&str; 7] = [
    "suites",
    "configs/models",
    "configs/policies",
    "configs/rewards",
    "configs/studies",
    "configs/training",
    "results/published",
];

fn main() -> io::Result<()> {
    definitions()?;
    shipped()?;
    println!("cargo::rerun-if-changed=.git/HEAD");
    println!("cargo::rerun-if-changed=.git/refs/heads");
    println!(
        "cargo::rustc-env=UNIGAUGE_COMMIT={}",
        commit().unwrap_or_else(|| "unknown".into())
    );
    Ok(())
}

fn definitions() -> io::Result<()> {
    let mut list = String::from("&[\n");
    for folder in FOLDERS {
        println!("cargo::rerun-if-changed={folder}");
        let mut files = fs::read_dir(folder)?
            .map(|entry| Ok(entry?.path()))
            .collect::<io::Result<Vec<_>>>()?;
        files.sort();
        for file in files {
            let file = file.to_string_lossy().replace('\\', "/");
            if file.ends_with(".toml") || file.ends_with(".jsonl") {
                let _ = writeln!(
                    list,
                    "({file:?}, include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/\", {file:?}))),"
                );
            }
        }
    }
    list.push(']');
    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("OUT_DIR is not set"))?;
    #[allow(clippy::disallowed_methods)] // A file of the build, which cargo makes anew.
    fs::write(Path::new(&out).join("definitions.rs"), list)
}

/// Every file below `shipped/` with its path there.
fn shipped() -> io::Result<()> {
    println!("cargo::rerun-if-changed=shipped");
    let root = Path::new("shipped");
    let (mut files, mut folders) = (Vec::new(), vec![root.to_path_buf()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path)
            } else {
                files.push(path)
            }
        }
    }
    files.sort();
    // Checkpoints have parts in common, such as an autoencoder: each content is there once.
    let mut contents: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
    let (mut bytes, mut list) = (String::from("{\n"), String::from("&[\n"));
    for file in files {
        let whole = file.to_string_lossy().replace('\\', "/");
        let Some((_, place)) = whole.split_once('/') else {
            continue;
        };
        let next = contents.len();
        let number = *contents.entry(fs::read(&file)?).or_insert(next);
        if number == next {
            let _ = writeln!(
                bytes,
                "const F{number}: &[u8] = include_bytes!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/\", {whole:?}));"
            );
        }
        let _ = writeln!(list, "({place:?}, F{number}),");
    }
    list.push_str("]\n}");
    let out = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("OUT_DIR is not set"))?;
    #[allow(clippy::disallowed_methods)] // A file of the build, which cargo makes anew.
    fs::write(Path::new(&out).join("shipped.rs"), bytes + &list)
}

fn commit() -> Option<String> {
    let output = Command::new("git")
        .args(["rev-parse", "--short=12", "HEAD"])
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(text.trim().to_owned()).filter(|text| output.status.success() && !text.is_empty())
}
