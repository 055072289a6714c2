//! The pages of `docs/reference` that are written from the program itself: they are those that the program
//! gives.

mod assets;
mod commands;
mod definitions;
mod exits;
mod kinds;
mod markdown;
mod records;
mod schema;

use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use unigauge::schemas;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every page by its file name.
fn pages() -> Vec<(String, String)> {
    let mut pages = vec![
        (
            "commands.md".to_owned(),
            commands::page(unigauge::commands::command_line()),
        ),
        ("exit-codes.md".to_owned(), exits::page(root())),
        ("suites.md".to_owned(), definitions::suites(root())),
        ("models.md".to_owned(), definitions::models(root())),
        ("studies.md".to_owned(), definitions::others(root())),
        ("generators.md".to_owned(), kinds::generators()),
        ("observers.md".to_owned(), kinds::observers()),
        ("rules.md".to_owned(), kinds::rules()),
        ("records.md".to_owned(), records::page()),
        ("assets.md".to_owned(), assets::page()),
    ];
    pages.extend(
        schemas::all()
            .into_iter()
            .map(|(name, schema)| definition_file(name, &schema)),
    );
    pages
}

/// The page of a definition file's keys, from its schema.
fn definition_file(name: &str, schema: &str) -> (String, String) {
    let kind = name.trim_end_matches(".json");
    let title = match kind {
        "published" => "The file of printed numbers".to_owned(),
        kind => format!("The {kind} file"),
    };
    let schema: Value = serde_json::from_str(schema).unwrap();
    let mut page = markdown::head(&title, &format!("`schema/{name}`"));
    page += &markdown::paragraphs(schema["description"].as_str().unwrap());
    page += &schema::tables(&schema, schema::Form::Toml, 2);
    (format!("{kind}-file.md"), page)
}

#[test]
fn the_reference_is_what_the_program_says() {
    let folder = root().join("docs/reference");
    for (name, page) in pages() {
        let path = folder.join(&name);
        let page = format!("{}\n", page.trim_end());
        if std::env::var_os("UNIGAUGE_UPDATE_REFERENCE").is_some() {
            std::fs::write(&path, &page).unwrap();
        }
        assert!(
            std::fs::read_to_string(&path).unwrap_or_default() == page,
            "docs/reference/{name} is stale; refresh it with \
             UNIGAUGE_UPDATE_REFERENCE=1 cargo test --test it reference::the_reference"
        );
    }
}

#[test]
fn every_variable_of_the_environment_is_described() {
    let page = std::fs::read_to_string(root().join("docs/reference/environment.md")).unwrap();
    let name =
        regex::Regex::new(r#""((?:UNIGAUGE|HF|XDG|OPENAI|GITHUB)_[A-Z_]+|NO_COLOR)""#).unwrap();
    let described = regex::Regex::new(r"`([A-Z][A-Z_]+)(?:<ID>)?`").unwrap();
    let described: BTreeSet<&str> = described
        .captures_iter(&page)
        .map(|found| found.extract::<1>().1[0])
        .collect();
    let mut read = BTreeSet::new();
    let tests = |path: &std::path::PathBuf| {
        path.file_stem()
            .is_some_and(|stem| stem.to_string_lossy().ends_with("tests"))
    };
    for path in files(&root().join("src"), "rs")
        .into_iter()
        .filter(|path| !tests(path))
    {
        // Tests have variables of their own, and the compiler has.
        let source = std::fs::read_to_string(path).unwrap();
        let source = source
            .split("#[cfg(test)]")
            .next()
            .unwrap_or_default()
            .replace("env!(\"", "");
        read.extend(
            name.captures_iter(&source)
                .map(|found| found.extract::<1>().1[0].to_owned()),
        );
    }
    let missing: Vec<&String> = read
        .iter()
        .filter(|name| !described.contains(name.as_str()))
        .collect();
    assert!(
        missing.is_empty(),
        "docs/reference/environment.md lacks {missing:?}"
    );
}

/// All files below a folder with an extension, sorted.
pub(crate) fn files(folder: &Path, extension: &str) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|own| own == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}
