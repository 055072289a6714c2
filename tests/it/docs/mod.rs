//! The documentation is true: its commands run, its files can be read, its links lead somewhere.

pub(crate) mod page;
mod shell;

use page::{Page, pages};
use std::path::{Component, Path, PathBuf};

/// Runs the commands of the pages that this test has, a page at a time.
fn carry_out(wanted: impl Fn(&Path) -> bool) {
    let pages: Vec<Page> = pages()
        .into_iter()
        .filter(|page| wanted(&page.path))
        .collect();
    assert!(!pages.is_empty());
    pages.iter().for_each(shell::carry_out);
}

#[test]
fn commands_of_the_documents_run() {
    carry_out(|path| path.components().count() == 1);
}

#[test]
fn commands_of_the_guides_run() {
    carry_out(|path| path.starts_with("docs/guides"));
}

#[test]
fn commands_of_the_other_pages_run() {
    carry_out(|path| path.starts_with("docs") && !path.starts_with("docs/guides"));
}

#[test]
fn examples_in_the_help_are_valid() {
    let mut command = unigauge::commands::command_line();
    command.build();
    let mut examples = String::new();
    let mut all: Vec<&clap::Command> = vec![&command];
    while let Some(command) = all.pop() {
        all.extend(command.get_subcommands());
        let after = command
            .get_after_long_help()
            .or_else(|| command.get_after_help());
        let after = after.map(ToString::to_string).unwrap_or_default();
        for line in after
            .lines()
            .filter_map(|line| line.strip_prefix("  unigauge "))
        {
            // A remark stands behind two blanks.
            let example = line.split("  ").next().unwrap_or_default();
            examples += &format!("unigauge {example}\n");
        }
    }
    let text = format!("```sh title=\"needs a reader\"\n{examples}```\n");
    shell::carry_out(&Page {
        path: "help".into(),
        text,
    });
}

#[test]
fn links_lead_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let pages = pages();
    let mut broken = Vec::new();
    for page in &pages {
        for link in page.links() {
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = if file.is_empty() {
                page.path.clone()
            } else {
                beside(&page.path, file)
            };
            let known = pages.iter().find(|page| page.path == target);
            let anchored = anchor.is_empty()
                || known.is_some_and(|page| page.anchors().iter().any(|own| own == anchor));
            if !(root.join(&target).exists() && anchored) {
                broken.push(format!("{}: {link}", page.path.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

/// The path that a link of a page names, without `..`.
fn beside(page: &Path, link: &str) -> PathBuf {
    let mut path = PathBuf::new();
    for part in page.parent().unwrap().join(link).components() {
        if part == Component::ParentDir {
            path.pop();
        } else {
            path.push(part);
        }
    }
    path
}

#[test]
fn paths_of_the_repository_exist() {
    let path = regex::Regex::new(
        r"`((?:src|suites|configs|tests|scripts|benches|prompts|schema|examples|templates|crates)/[\w./-]*)`",
    )
    .unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut absent = Vec::new();
    for page in pages() {
        for found in path.captures_iter(&page.text) {
            // A name in capitals stands for any name.
            let named = &found[1];
            let any = named
                .split(['/', '.'])
                .any(|part| !part.is_empty() && part == part.to_uppercase());
            if !any && !root.join(named).exists() {
                absent.push(format!("{}: {named}", page.path.display()));
            }
        }
    }
    assert!(absent.is_empty(), "{absent:#?}");
}

#[test]
fn files_shown_in_the_pages_can_be_read() {
    for page in pages() {
        for block in page.blocks() {
            let fault = match block.language.as_str() {
                "toml" => block
                    .text
                    .parse::<toml::Table>()
                    .err()
                    .map(|error| error.to_string()),
                "json" => {
                    let lines = block
                        .text
                        .lines()
                        .map(serde_json::from_str::<serde_json::Value>);
                    lines
                        .filter_map(Result::err)
                        .next()
                        .map(|error| error.to_string())
                }
                "yaml" => serde_saphyr::from_str::<serde_json::Value>(&block.text)
                    .err()
                    .map(|error| error.to_string()),
                _ => None,
            };
            if let Some(fault) = fault {
                panic!("{}:{}: {fault}", page.path.display(), block.line);
            }
        }
    }
}

#[test]
fn the_readme_is_short() {
    let readme = pages()
        .into_iter()
        .find(|page| page.path == Path::new("README.md"))
        .unwrap();
    assert!(readme.text.lines().count() <= 180);
}
