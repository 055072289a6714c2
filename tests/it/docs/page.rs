//! A page of the documentation: its fenced blocks, links and headings.

use crate::reference::files;
use regex::Regex;
use std::path::{Path, PathBuf};

/// A page by its path in the repository.
pub(crate) struct Page {
    pub path: PathBuf,
    pub text: String,
}

/// A fenced block.
pub(crate) struct Block {
    /// The line of its first fence, from 1.
    pub line: usize,
    /// `sh`, `toml`, …; empty where none is given.
    pub language: String,
    /// What `title="…"` says behind the language.
    pub title: String,
    pub text: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The documents beside Cargo.toml and the pages in `docs`.
pub(crate) fn pages() -> Vec<Page> {
    let beside = [
        "README.md",
        "CONTRIBUTING.md",
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "SECURITY.md",
    ];
    let mut paths: Vec<PathBuf> = beside.iter().map(|name| root().join(name)).collect();
    paths.extend(files(&root().join("docs"), "md"));
    let page = |path: PathBuf| Page {
        text: std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display())),
        path: path.strip_prefix(root()).unwrap().to_owned(),
    };
    paths.into_iter().map(page).collect()
}

impl Page {
    /// The fenced blocks in order.
    pub(crate) fn blocks(&self) -> Vec<Block> {
        let fence = Regex::new(r#"^( *)```(\w*)(?: title="([^"]*)")?$"#).unwrap();
        let mut blocks = Vec::new();
        let mut lines = self.text.lines().enumerate();
        while let Some((index, line)) = lines.next() {
            if !line.trim_start().starts_with("```") {
                continue;
            }
            let found = fence.captures(line);
            let found =
                found.unwrap_or_else(|| panic!("{}:{}: {line}", self.path.display(), index + 1));
            let word = |group| found.get(group).map_or("", |word| word.as_str());
            let indent = word(1);
            let end = format!("{indent}```");
            let inside = lines
                .by_ref()
                .map(|(_, line)| line)
                .take_while(|line| *line != end);
            let text =
                inside.map(|line| format!("{}\n", line.strip_prefix(indent).unwrap_or(line)));
            let text = text.collect();
            blocks.push(Block {
                line: index + 1,
                language: word(2).into(),
                title: word(3).into(),
                text,
            });
        }
        blocks
    }

    /// The text without fenced blocks and code, line by line.
    fn prose(&self) -> String {
        let mut fenced = false;
        let code = Regex::new("`[^`]*`").unwrap();
        let mut prose = String::new();
        for line in self.text.lines() {
            if line.trim_start().starts_with("```") {
                fenced = !fenced;
            } else if !fenced {
                prose += &code.replace_all(line, "");
                prose.push('\n');
            }
        }
        prose
    }

    /// The targets of links, without those to other sites.
    pub(crate) fn links(&self) -> Vec<String> {
        let link = Regex::new(r"\]\(\s*([^)\s]+)\s*\)").unwrap();
        let prose = self.prose();
        let targets = link.captures_iter(&prose).map(|found| found[1].to_owned());
        targets.filter(|target| !target.contains("://")).collect()
    }

    /// The names that links have for the headings, as MkDocs and GitHub make them.
    pub(crate) fn anchors(&self) -> Vec<String> {
        let mut fenced = false;
        let mut anchors = Vec::new();
        for line in self.text.lines() {
            fenced ^= line.trim_start().starts_with("```");
            let heading = line.trim_start_matches('#');
            if !fenced && heading.len() < line.len() && heading.starts_with(' ') {
                anchors.push(anchor(heading));
            }
        }
        anchors
    }
}

fn anchor(heading: &str) -> String {
    let kept = |letter: &char| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_');
    let plain: String = heading.to_lowercase().chars().filter(kept).collect();
    plain.split_whitespace().collect::<Vec<_>>().join("-")
}
