//! What the page knows of all cards before it has read any of them: enough to count, filter and sort.

use super::chunks::Chunk;
use super::data::{Card, Gallery, Run, Shown, Status};
use serde::Serialize;
use std::collections::HashMap;

/// A tag with more values groups nothing, as when nearly every item has a value of its own.
const MOST_VALUES: usize = 200;

/// The list of the cards.
#[derive(Debug, Serialize)]
pub(super) struct List<'a> {
    runs: &'a [Run],
    suites: Vec<&'a str>,
    tags: Vec<Tag<'a>>,
    /// Whether any output has shapes to draw.
    marks: bool,
    /// In the order of the cards.
    chunks: Vec<Part<'a>>,
    items: Vec<Line>,
}

/// A tag that the page filters by.
#[derive(Debug, Serialize)]
struct Tag<'a> {
    name: &'a str,
    /// In the order in which they first appear.
    values: Vec<&'a str>,
}

/// Where a part of the cards is.
#[derive(Debug, Serialize)]
struct Part<'a> {
    /// How many cards it has.
    items: usize,
    /// The file beside the page. `None` if the page has it inside.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'a str>,
}

/// One card: its suite, its value of each tag (-1 for none), the number of its inputs, its outputs.
#[derive(Debug, Serialize)]
struct Line(usize, Vec<i32>, usize, Vec<Outcome>);

/// One output: its run, what became of it, its score, and 1 if it has a thumbnail.
#[derive(Debug, Serialize)]
struct Outcome(usize, Status, Option<f64>, u8);

impl<'a> List<'a> {
    /// The list of a gallery whose cards are in these parts.
    pub(super) fn new(gallery: &'a Gallery, chunks: &'a [Chunk]) -> Self {
        let suites = places(gallery.items.iter().map(|card| card.suite.as_str()));
        let tags = tags(&gallery.items);
        let lines = gallery.items.iter().map(|card| {
            let values = tags.iter().map(|(name, values)| {
                let value = card.tags.get(name);
                value.map_or(-1, |value| values[value.as_str()] as i32)
            });
            Line(
                suites[card.suite.as_str()],
                values.collect(),
                card.inputs.len(),
                outcomes(card),
            )
        });
        let items = lines.collect();
        let mut outputs = gallery.items.iter().flat_map(|card| &card.outputs);
        Self {
            runs: &gallery.runs,
            items,
            marks: outputs.any(|output| !output.marks.is_empty()),
            chunks: chunks
                .iter()
                .map(|chunk| Part {
                    items: chunk.items,
                    file: chunk.file.as_deref(),
                })
                .collect(),
            suites: in_order(&suites),
            tags: tags
                .into_iter()
                .map(|(name, values)| Tag {
                    name,
                    values: in_order(&values),
                })
                .collect(),
        }
    }
}

fn outcomes(card: &Card) -> Vec<Outcome> {
    let outcome = |output: &Shown| {
        let picture = output.picture.as_ref();
        let pictured = picture.is_some_and(|picture| picture.thumb.is_some());
        Outcome(output.run, output.status, output.score, u8::from(pictured))
    };
    card.outputs.iter().map(outcome).collect()
}

/// The names and values of the tags that group items, in the order in which they first appear.
fn tags(items: &[Card]) -> Vec<(&str, HashMap<&str, usize>)> {
    let names = places(
        items
            .iter()
            .flat_map(|card| card.tags.keys())
            .map(String::as_str),
    );
    in_order(&names)
        .into_iter()
        .map(|name| {
            let values = items.iter().filter_map(|card| card.tags.get(name));
            (name, places(values.map(String::as_str)))
        })
        .filter(|(_, values)| values.len() <= MOST_VALUES)
        .collect()
}

/// Different texts, each with its place in the order in which they first appear.
fn places<'a>(texts: impl Iterator<Item = &'a str>) -> HashMap<&'a str, usize> {
    let mut places = HashMap::new();
    for text in texts {
        let next = places.len();
        places.entry(text).or_insert(next);
    }
    places
}

fn in_order<'a>(places: &HashMap<&'a str, usize>) -> Vec<&'a str> {
    let mut texts: Vec<&str> = places.keys().copied().collect();
    texts.sort_unstable_by_key(|text| places[text]);
    texts
}
