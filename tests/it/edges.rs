//! The rooms of `src` import only what ARCHITECTURE.md allows them, and no circle is allowed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Rooms by what they may import, or do import.
type Edges = BTreeMap<String, BTreeSet<String>>;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The table below the heading `## Allowed edges`: `| room | may import |`, names in backticks.
fn allowed() -> Edges {
    let text = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let section = text
        .split("## Allowed edges")
        .nth(1)
        .expect("the heading is there");
    let rows = section.lines().skip_while(|line| !line.starts_with('|'));
    let rows = rows.take_while(|line| line.starts_with('|')).skip(2);
    let names = |cell: &str| -> Vec<String> {
        let odd = cell.split('`').skip(1).step_by(2);
        odd.map(str::to_owned).collect()
    };
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').collect();
        let room = names(cells[0]).pop().expect("each row names a room");
        (room, names(cells[1]).into_iter().collect())
    })
    .collect()
}

/// All Rust files below a folder.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The room of a file: its folder below `src`, or its own name there.
fn room(file: &Path) -> String {
    let path = file.strip_prefix(root().join("src")).unwrap();
    let first = path.components().next().unwrap().as_os_str();
    first.to_string_lossy().trim_end_matches(".rs").to_owned()
}

/// The names that directly follow `crate::` in a text, also within braces.
fn imported(text: &str) -> BTreeSet<String> {
    let name = |text: &str| -> String {
        let letters = text.chars();
        letters
            .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
            .collect()
    };
    let mut found = BTreeSet::new();
    for (at, _) in text.match_indices("crate::") {
        let rest = &text[at + "crate::".len()..];
        let Some(group) = rest.strip_prefix('{') else {
            found.insert(name(rest));
            continue;
        };
        let mut depth = 0;
        let mut begins = true;
        for (at, letter) in group.char_indices() {
            match letter {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => begins = true,
                letter if begins && letter.is_ascii_lowercase() => {
                    found.insert(name(&group[at..]));
                    begins = false;
                }
                _ => {}
            }
        }
    }
    found
}

/// What rooms import, with an example of a file for each edge.
fn actual() -> BTreeMap<(String, String), PathBuf> {
    let mut files = Vec::new();
    sources(&root().join("src"), &mut files);
    let rooms: BTreeSet<String> = files.iter().map(|file| room(file)).collect();
    let mut edges = BTreeMap::new();
    for file in &files {
        let text = std::fs::read_to_string(file).unwrap();
        let own = room(file);
        for other in imported(&text)
            .intersection(&rooms)
            .filter(|other| **other != own)
        {
            let path = file.strip_prefix(root()).unwrap().to_owned();
            edges.entry((own.clone(), other.clone())).or_insert(path);
        }
    }
    edges
}

#[test]
fn rooms_import_only_what_the_architecture_allows() {
    let allowed = allowed();
    let actual = actual();
    assert!(actual.len() > 50, "imports were found: {}", actual.len());
    let mut faults = Vec::new();
    for ((from, to), file) in &actual {
        // The two front pages name every room.
        if matches!(from.as_str(), "lib" | "main") {
            continue;
        }
        match allowed.get(from) {
            None => faults.push(format!(
                "ARCHITECTURE.md has no row for `{from}` ({})",
                file.display()
            )),
            Some(may) if !may.contains(to) => faults.push(format!(
                "{} imports `{to}`, which ARCHITECTURE.md does not allow `{from}`",
                file.display()
            )),
            Some(_) => {}
        }
    }
    for (from, to) in allowed
        .iter()
        .flat_map(|(from, may)| may.iter().map(move |to| (from, to)))
    {
        if !actual.contains_key(&(from.clone(), to.clone())) {
            faults.push(format!(
                "no file of `{from}` imports `{to}`: take it off the table"
            ));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_allowed_edges_have_no_circle_and_keep_the_stages_apart() {
    let mut left = allowed();
    assert!(left.len() > 20, "the table was read: {} rooms", left.len());
    for stage in ["suite", "generate", "observe", "grade", "report"] {
        for other in ["suite", "generate", "observe", "grade", "report"] {
            assert!(
                !left[stage].contains(other),
                "stage {stage} may import stage {other}"
            );
        }
    }
    for banned in ["model", "hub", "remote", "http", "run", "cancel"] {
        assert!(!left["grade"].contains(banned), "grade may import {banned}");
    }
    assert_eq!(left["model"].iter().collect::<Vec<_>>(), ["image"]);
    assert!(!left["train"].contains("run"));
    // Takes rooms away that import nothing that is left, until none is left or a circle remains.
    while !left.is_empty() {
        let free =
            |may: &BTreeSet<String>, left: &Edges| !may.iter().any(|to| left.contains_key(to));
        let found: Vec<String> = left
            .iter()
            .filter(|(_, may)| free(may, &left))
            .map(|(room, _)| room.clone())
            .collect();
        assert!(
            !found.is_empty(),
            "a circle among {:?}",
            left.keys().collect::<Vec<_>>()
        );
        left.retain(|room, _| !found.contains(room));
    }
}

#[test]
fn imports_are_found_in_all_their_forms() {
    let text = "use crate::{a::{b, c}, d};\nuse crate::e::f; crate::g::h();";
    let found: Vec<String> = imported(text).into_iter().collect();
    assert_eq!(found, ["a", "d", "e", "g"]);
}
