//! Runs the commands of a page in a folder of its own, with no network and an empty cache.

use super::page::{Block, Page};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use unigauge::exit::Exit;

/// What is done with a block of commands.
enum Way {
    /// They are run, and end with this code.
    Run(i32),
    /// Each call of the program is only held against its command line.
    Parse,
}

/// The way of a block, by its title.
fn way(block: &Block) -> Way {
    if let Some(code) = block.title.strip_prefix("exit code ") {
        Way::Run(code.parse().unwrap())
    } else if block.title.starts_with("needs ") || block.title == "builds from source" {
        Way::Parse
    } else {
        assert!(
            block.title.is_empty(),
            "line {}: a block of commands has no title like this",
            block.line
        );
        Way::Run(Exit::Ok as i32)
    }
}

/// Carries out the blocks of a page in order. A block whose title is the name of a file becomes that file.
pub(super) fn carry_out(page: &Page) {
    let dir = tempfile::tempdir().unwrap();
    prepare(dir.path());
    for block in page.blocks() {
        let place = format!("{}:{}", page.path.display(), block.line);
        if matches!(block.language.as_str(), "sh" | "console") {
            commands(dir.path(), &block, &place);
        } else if block.title.contains('.') && !block.title.contains(' ') {
            let path = dir.path().join(&block.title);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, &block.text).unwrap();
        }
    }
}

fn commands(dir: &Path, block: &Block, place: &str) {
    let (programs, code, prelude) = match way(block) {
        Way::Run(code) => ("programs", code, ""),
        Way::Parse => ("parsers", 0, PARSED),
    };
    let path = format!(
        "{}:{}",
        dir.join(programs).display(),
        std::env::var("PATH").unwrap()
    );
    let output = Command::new("bash")
        .args(["-e", "-c", &format!("{prelude}{}", block.text)])
        .current_dir(dir)
        .env("PATH", path)
        .env("HOME", dir)
        .env("NO_COLOR", "1")
        .env("UNIGAUGE_OFFLINE", "1")
        .env("UNIGAUGE_CACHE", dir.join("cache"))
        .env_remove("GITHUB_ACTIONS")
        .env_remove("GITHUB_STEP_SUMMARY")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(
        output.status.code(),
        Some(code),
        "{place}\n{}\n{}{}",
        block.text,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// `cargo run … -- ARGUMENTS` is the program; everything else of cargo is left out, and git, too.
const PARSED: &str = r#"cargo() {
  [[ $* == run*" -- "* && $* != *--example* ]] || return 0
  while [ "$1" != -- ]; do shift; done
  shift
  unigauge "$@"
}
git() { :; }
cd() { :; }
"#;

/// The program as it is, the program that only reads its command line, and the repository's own scripts
/// without content.
fn prepare(dir: &Path) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let program = env!("CARGO_BIN_EXE_unigauge");
    script(
        &dir.join("programs/unigauge"),
        &format!("exec '{program}' \"$@\""),
    );
    script(
        &dir.join("parsers/unigauge"),
        &format!("exec '{program}' \"$@\" --help > /dev/null"),
    );
    for folder in ["scripts", ".ci"] {
        for entry in std::fs::read_dir(root.join(folder)).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_file() {
                script(&dir.join(folder).join(entry.file_name()), "");
            }
        }
    }
    std::os::unix::fs::symlink(root.join("configs"), dir.join("configs")).unwrap();
}

fn script(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, format!("#!/bin/bash\n{text}\n")).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}
