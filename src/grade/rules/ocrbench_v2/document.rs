//! Documents: the edit distance of the trees of headings and lines (STEDS). It measures only the structure.

use super::patterns::{SPACE, pattern};
use crate::python::whitespace::strip;
use crate::text::tree_distance::{self, Tree};
use regex::Regex;
use std::collections::HashMap;
use std::sync::LazyLock;

/// Patterns that are removed from a line, in order, and their replacements.
static CLEANED: LazyLock<[(Regex, &str); 10]> = LazyLock::new(|| {
    let space = format!("[{SPACE}]");
    [
        (pattern("<bos>|<eos>|<pad>|<unk>"), ""),
        (pattern(&format!("{space}##([^{SPACE}])")), "$1"),
        (pattern(&format!(r"\\{space}")), r"\"),
        (pattern(&format!(r"{space}\*{space}\*{space}")), "**"),
        (pattern(&format!(r"\{{{space}")), "{"),
        (pattern(&format!(r"{space}\}}")), "}"),
        (pattern(&format!(r"{space}\}}")), "}"),
        (pattern(&format!(r"\\begin{space}")), r"\begin"),
        (pattern(&format!(r"\\end{space}")), r"\end"),
        (pattern(r"\\end\{table\}"), r"\end{table}   "),
    ]
});

/// How alike two documents are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Alike {
    /// The distance of the two trees.
    pub(super) distance: f64,
    /// Of the larger document.
    pub(super) nodes: usize,
}

impl Alike {
    /// One minus the distance as a share of the nodes.
    pub(super) fn score(self) -> f64 {
        1.0 - self.distance / self.nodes as f64
    }
}

/// Compares. Inserting or deleting a node costs 1. Relabelling a node costs 1 if one of the labels is blank,
/// and otherwise nothing.
pub(super) fn compare(prediction: &str, gold: &str) -> Alike {
    let (predicted, golden) = (Outline::read(prediction), Outline::read(gold));
    let distance = tree_distance::distance(&predicted.tree(), &golden.tree(), |a, b| {
        f64::from(u8::from(predicted.is_blank(a) || golden.is_blank(b)))
    });
    Alike {
        distance,
        nodes: predicted.labels.len().max(golden.labels.len()),
    }
}

/// Headings under the root, lines under their heading.
struct Outline {
    labels: Vec<String>,
    children: Vec<Vec<usize>>,
    /// The path from the root to each node, as indices among siblings. It sorts the nodes in preorder.
    paths: Vec<Vec<usize>>,
    /// The first node of each label in preorder.
    first: HashMap<String, usize>,
}

const ROOT: usize = 0;
const TITLE: usize = 1;

impl Outline {
    fn read(text: &str) -> Self {
        let mut outline = Self {
            labels: vec!["ROOT".to_owned()],
            children: vec![Vec::new()],
            paths: vec![Vec::new()],
            first: HashMap::from([("ROOT".to_owned(), ROOT)]),
        };
        outline.add(ROOT, "TITLE".to_owned());
        let mut under = TITLE;
        for line in text.split('\n') {
            let line = clean(line);
            if line.starts_with('#') {
                let title = line.replace('#', "");
                outline.add(ROOT, title.clone());
                // A title is found by its label, so an earlier node of the same label gets its lines. An
                // empty title is not found.
                under = match outline.first.get(&title) {
                    Some(&node) if !title.is_empty() => node,
                    _ => TITLE,
                };
            } else {
                outline.add(under, line);
            }
        }
        outline
    }

    fn add(&mut self, parent: usize, label: String) {
        let node = self.labels.len();
        let mut path = self.paths[parent].clone();
        path.push(self.children[parent].len());
        self.children[parent].push(node);
        let first = self.first.entry(label.clone()).or_insert(node);
        if *first != node && path < self.paths[*first] {
            *first = node;
        }
        self.labels.push(label);
        self.children.push(Vec::new());
        self.paths.push(path);
    }

    fn tree(&self) -> Tree {
        Tree::new(&self.children, ROOT)
    }

    fn is_blank(&self, node: usize) -> bool {
        strip(&self.labels[node]).is_empty()
    }
}

fn clean(line: &str) -> String {
    let mut line = line.to_owned();
    for (pattern, by) in CLEANED.iter() {
        if pattern.is_match(&line) {
            line = pattern.replace_all(&line, *by).into_owned();
        }
    }
    line.replace(['*', '_'], " ")
}
