//! Tables: tree edit distance of HTML (TEDS), from HTML or Markdown.

use crate::html::{Document, Element, Node, NodeId};
use crate::python;
use crate::python::whitespace::{is_space, strip};
use crate::text::bit_distance::Pattern;
use crate::text::tree_distance::{self, Tree};
use std::collections::HashMap;

/// How alike two tables are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Alike {
    /// 1 − distance / nodes. It is below 0 for trees that share nothing.
    pub(super) score: f64,
    pub(super) distance: f64,
    /// Of the larger table.
    pub(super) nodes: usize,
}

/// A prediction and an answer in HTML.
///
/// # Errors
/// Fails if the official script gives 0 without comparing. The error says why.
pub(super) fn compare_html(prediction: &str, gold: &str) -> Result<Alike, String> {
    let prediction = prediction.replace('\n', "");
    let start = (prediction.find("<body")).or_else(|| prediction.find("<table"));
    let start = start.ok_or("neither <body nor <table in the prediction")?;
    teds(
        &with_missing_tags(&prediction[start..]),
        &with_missing_tags(gold),
    )
}

/// A prediction and an answer in Markdown.
///
/// # Errors
/// Fails if the official script gives 0 without comparing. The error says why.
pub(super) fn compare_markdown(prediction: &str, gold: &str) -> Result<Alike, String> {
    teds(&of_markdown(prediction), &of_markdown(gold))
}

/// A table with the missing tags around it.
fn with_missing_tags(table: &str) -> String {
    let mut html = table.replace('\n', "");
    let (opened, closed) = (html.contains("<table"), html.contains("</table>"));
    if !opened {
        html.insert_str(0, "<table>");
    }
    if !closed {
        html.push_str("</table>");
    }
    for part in ["body", "html"] {
        if !html.contains(&format!("<{part}>")) {
            html = format!("<{part}>{html}</{part}>");
        }
    }
    html
}

/// The official conversion. When it removes the fence, it also removes the letters of "markdown" at both
/// ends.
fn of_markdown(table: &str) -> String {
    let table = table.trim_matches(|c| "`markdown".contains(c));
    let table = strip(table.trim_matches('`'));
    let mut html = String::from("<html><body><table>");
    for (index, line) in table.split('\n').enumerate() {
        if index == 1 {
            continue;
        }
        html.push_str("<tr>");
        let cells: Vec<&str> = strip(line).split('|').collect();
        for cell in cells.iter().skip(1).take(cells.len().saturating_sub(2)) {
            let blank = !cell.is_empty() && cell.bytes().all(|b| b == b' ');
            let text = if blank { " " } else { strip(cell) };
            html.push_str(&format!("<td>{text}</td>"));
        }
        html.push_str("</tr>");
    }
    html.push_str("</table></body></html>");
    html.replace('\n', "")
}

/// Compares the first tables directly under `body`.
///
/// # Errors
/// Fails if the official script gives 0 without comparing. The error says why.
pub(super) fn teds(prediction: &str, gold: &str) -> Result<Alike, String> {
    let (predicted, golden) = (Page::read(prediction), Page::read(gold));
    let (Some(predicted), Some(golden)) = (predicted, golden) else {
        return Err("no table directly in the body".into());
    };
    let nodes = predicted.elements().max(golden.elements());
    let mut tokens = Tokens::default();
    let tables = [&predicted, &golden].map(|page| page.table(&mut tokens));
    let [predicted, golden] = tables;
    let (predicted, golden) = (predicted?, golden?);
    if nodes == 0 {
        return Err("both tables are empty".into());
    }
    let mut cells = Cells::new(&predicted, &golden, &tokens);
    let distance = tree_distance::distance(&predicted.tree, &golden.tree, |x, y| {
        let (a, b) = (&predicted.nodes[x], &golden.nodes[y]);
        if a.label != b.label {
            1.0
        } else {
            cells.distance(a.cell, b.cell)
        }
    });
    Ok(Alike {
        score: 1.0 - distance / nodes as f64,
        distance,
        nodes,
    })
}

/// A parsed page with a table in it.
struct Page {
    document: Document,
    table: NodeId,
}

impl Page {
    /// `None` if no table is directly in the body of a whole page. `lxml` takes a text for a whole page if it
    /// begins with `<html` or a doctype. For other texts it returns a fragment, which has no body.
    fn read(html: &str) -> Option<Self> {
        let begin = html.trim_start_matches(is_space);
        let begins = |tag: &str| {
            let start = begin.as_bytes().get(..tag.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(tag.as_bytes()))
        };
        if !begins("<html") && !begins("<!doctype") {
            return None;
        }
        let document = Document::parse(html);
        let root = document.root()?;
        let table = document
            .named(root, "body")
            .find_map(|body| document.named(body, "table").next())?;
        Some(Self { document, table })
    }

    fn elements(&self) -> usize {
        self.document.descendants(self.table)
    }

    /// # Errors
    /// Fails if a cell's span is not a number.
    fn table(&self, tokens: &mut Tokens) -> Result<Table, String> {
        let mut table = Table {
            nodes: Vec::new(),
            tree: Tree::new(&[], 0),
            cells: Vec::new(),
        };
        let mut children = Vec::new();
        // The elements to add, each with the number of its parent.
        let mut open = vec![(self.table, None)];
        while let Some((id, parent)) = open.pop() {
            let Some(element) = self.document.element(id) else {
                continue;
            };
            let number = table.nodes.len();
            children.push(Vec::new());
            if let Some(siblings) = parent.and_then(|p: usize| children.get_mut(p)) {
                siblings.push(number);
            }
            let is_cell = element.name == "td";
            let mut label = element.name.clone();
            let mut cell = None;
            if is_cell {
                label = format!(
                    "td {} {}",
                    span(element, "colspan")?,
                    span(element, "rowspan")?
                );
                cell = Some(table.cells.len());
                table.cells.push(tokens.of_cell(&self.document, id));
            } else {
                let inner = self.document.children(id);
                let elements = inner.filter(|(_, node)| matches!(node, Node::Element(_)));
                let inner: Vec<_> = elements.map(|(child, _)| (child, Some(number))).collect();
                open.extend(inner.into_iter().rev());
            }
            table.nodes.push(TableNode {
                label: tokens.number(label),
                cell,
            });
        }
        table.tree = Tree::new(&children, 0);
        Ok(table)
    }
}

/// `colspan` or `rowspan`.
fn span(cell: &Element, name: &str) -> Result<String, String> {
    let text = cell.attribute(name).unwrap_or("1");
    python::number::digits(text)
        .ok_or_else(|| format!("a cell's {name} is {text:?}, which is not a whole number"))
}

struct Table {
    nodes: Vec<TableNode>,
    tree: Tree,
    /// The tokens of each cell.
    cells: Vec<Vec<u32>>,
}

struct TableNode {
    /// Equal for equal tags with equal spans, in cells.
    label: u32,
    /// The place of a cell's tokens.
    cell: Option<usize>,
}

/// Numbers of tokens and labels, from 0, in order of appearance.
#[derive(Default)]
struct Tokens(HashMap<String, u32>);

impl Tokens {
    fn number(&mut self, token: String) -> u32 {
        let next = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        *self.0.entry(token).or_insert(next)
    }

    /// Characters and tags inside of a cell.
    fn of_cell(&mut self, document: &Document, cell: NodeId) -> Vec<u32> {
        let mut tokens = Vec::new();
        self.add_inside(document, cell, &mut tokens);
        tokens
    }

    /// The text after a cell, inside the cell, does not count.
    fn add_inside(&mut self, document: &Document, id: NodeId, out: &mut Vec<u32>) {
        let mut counts = true;
        for (child, node) in document.children(id) {
            match node {
                Node::Text(text) if counts => {
                    out.extend(text.chars().map(|c| self.number(c.to_string())));
                }
                Node::Text(_) => {}
                Node::Element(element) => {
                    out.push(self.number(format!("<{}>", element.name)));
                    self.add_inside(document, child, out);
                    if element.name != "unk" {
                        out.push(self.number(format!("</{}>", element.name)));
                    }
                    counts = element.name != "td";
                }
            }
        }
    }
}

/// The distances of the contents of cells. Each pair is computed once.
struct Cells<'a> {
    /// The content of each cell. Equal contents share a number.
    predicted: Vec<usize>,
    golden: Vec<usize>,
    contents: [Vec<&'a [u32]>; 2],
    /// For each predicted content, the distances to all golden ones.
    known: Vec<Option<Vec<f64>>>,
    units: usize,
}

impl<'a> Cells<'a> {
    fn new(predicted: &'a Table, golden: &'a Table, tokens: &Tokens) -> Self {
        let (numbers, contents) = distinct(&predicted.cells);
        let (golden_numbers, golden_contents) = distinct(&golden.cells);
        Self {
            predicted: numbers,
            golden: golden_numbers,
            known: vec![None; contents.len()],
            contents: [contents, golden_contents],
            units: tokens.0.len(),
        }
    }

    /// Levenshtein distance divided by the longer length; 0 for nodes that are not cells.
    fn distance(&mut self, a: Option<usize>, b: Option<usize>) -> f64 {
        let (Some(a), Some(b)) = (a, b) else {
            return 0.0;
        };
        let (a, b) = (self.predicted[a], self.golden[b]);
        let [contents, others] = &self.contents;
        let row = self.known[a].get_or_insert_with(|| {
            let content = contents[a];
            let mut pattern = Pattern::new(content, self.units);
            let rows = others.iter().map(|other| {
                let longer = content.len().max(other.len()).max(1);
                pattern.distance(other) as f64 / longer as f64
            });
            rows.collect()
        });
        row[b]
    }
}

/// The number of each cell's content, and the contents.
fn distinct(cells: &[Vec<u32>]) -> (Vec<usize>, Vec<&[u32]>) {
    let mut known: HashMap<&[u32], usize> = HashMap::new();
    let mut contents = Vec::new();
    let numbers = cells.iter().map(|cell| {
        *known.entry(cell).or_insert_with(|| {
            contents.push(cell.as_slice());
            contents.len() - 1
        })
    });
    (numbers.collect(), contents)
}
