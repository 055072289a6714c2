//! The gallery's data. The page's script turns them into cards, one for each item.
//!
//! | file | idea |
//! |---|---|
//! | `data` | runs, cards, outputs and pictures |
//! | `card` | the card of an item |
//! | `index` | the records of runs by item and repeat |
//! | `sample` | which items have a card if there are too many |
//! | `marks` | what observers saw, to draw over a picture |
//! | `edits` | change masks and the words of judges |
//! | `list` | what the page knows of all cards at once |
//! | `chunks` | the cards in parts |
//! | `scripts` | list and parts as files beside the page, or inside it |

mod card;
mod chunks;
mod data;
mod edits;
mod index;
mod list;
mod marks;
mod sample;
mod scripts;

use super::{RunView, score};
pub use data::{Card, Gallery, Picture, Run};
pub use scripts::{Inside, Scripts};

use card::card;
use index::{Index, subjects};
use sample::sample;

/// The cards of all runs, with at most about `cap` outputs. If there are more outputs, items with a failed,
/// unscored or broken output come first, and then passed items at even steps through the suite. So the same
/// run gives the same sample.
pub fn collect(runs: &[RunView], labels: &[String], cap: usize) -> Gallery {
    let full = |run: &RunView| score::full_mark(runs.iter().filter(|r| r.suite == run.suite));
    let heads: Vec<Run> = runs
        .iter()
        .zip(labels)
        .map(|(run, label)| Run {
            suite: run.suite_title.clone(),
            label: label.clone(),
            full: full(run),
        })
        .collect();
    let indices: Vec<Index<'_>> = runs.iter().map(Index::of_run).collect();
    let subjects = subjects(runs);
    let total = runs
        .iter()
        .zip(&indices)
        .map(|(run, index)| run.summary.expected.max(index.outputs.len()))
        .sum();
    let mut chosen: Vec<usize> = (0..subjects.len()).collect();
    if total > cap {
        chosen = sample(&subjects, &indices, &heads, cap);
    }
    let items: Vec<Card> = chosen
        .into_iter()
        .map(|subject| card(&subjects[subject], runs, &indices, &heads))
        .collect();
    Gallery {
        shown: items.iter().map(|item| item.outputs.len()).sum(),
        runs: heads,
        items,
        total,
    }
}
