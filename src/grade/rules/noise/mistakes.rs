//! What a model names wrongly: the label of a picture, or what it says is in a cell of the miniature world.
//!
//! Two scenes are hardly ever equal, so equal descriptions of whole scenes would say nothing about chance.
//! There each cell is a case of its own: what should be in it, which may be nothing, and what a model says is
//! there. An empty cell is a case of its place, since models may prefer some places to others.

use crate::record::mini_words::MiniThing;
use crate::record::{Grade, Item};
use serde::Deserialize;
use serde_json::Value;

/// One wrong name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mistake {
    /// Row and column from 1. Zeros for a label.
    pub cell: [u64; 2],
    /// What is there.
    pub truth: String,
    /// What is said instead.
    pub said: String,
}

/// The wrong names of one output. What is not named at all is none.
pub(super) fn mistakes(item: &Item, grade: &Grade) -> Vec<Mistake> {
    if grade.score.is_none() {
        return Vec::new();
    }
    match item.expect.get("scene") {
        Some(scene) => {
            let things = Vec::<MiniThing>::deserialize(scene).unwrap_or_default();
            in_scene(&things, &grade.reason)
        }
        None => label(item, grade).into_iter().collect(),
    }
}

/// The wrong label.
fn label(item: &Item, grade: &Grade) -> Option<Mistake> {
    let swapped = grade.parts.get("swap") == Some(&1.0);
    let truth = item.expect.get("label").and_then(Value::as_str);
    swapped.then(|| Mistake {
        cell: [0; 2],
        truth: truth.unwrap_or_default().to_owned(),
        said: grade.reason.clone(),
    })
}

/// The cells of a scene in which something else is said to be than is there.
fn in_scene(things: &[MiniThing], reason: &str) -> Vec<Mistake> {
    let said = said_in_cells(reason);
    let wrong = said
        .iter()
        .enumerate()
        .filter_map(|(place, (cell, first))| {
            let again = said[..place].iter().any(|(other, _)| other == cell);
            let truth = truth(things, *cell);
            let right = said
                .iter()
                .any(|(other, name)| other == cell && *name == truth);
            (!again && !right).then(|| Mistake {
                cell: *cell,
                truth,
                said: (*first).to_owned(),
            })
        });
    wrong.collect()
}

/// What is in a cell, in words.
fn truth(things: &[MiniThing], [row, column]: [u64; 2]) -> String {
    let here = |thing: &&MiniThing| [thing.row + 1, thing.column + 1] == [row, column];
    match things.iter().find(here) {
        Some(thing) => format!("{} {}", thing.color, thing.shape),
        None => format!("nothing at row {row}, column {column}"),
    }
}

/// The things of a grade's reason, `red circle at row 1, column 2; …`, by row and column from 1.
fn said_in_cells(reason: &str) -> Vec<([u64; 2], &str)> {
    let things = reason.split("; ").filter_map(|thing| {
        let (name, place) = thing.split_once(" at row ")?;
        let (row, column) = place.split_once(", column ")?;
        Some(([row.parse().ok()?, column.parse().ok()?], name))
    });
    things.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_cell_of_a_scene_is_a_case() {
        let item = json!({"item": "a@mix0.4", "task": "edit", "prompt": "p", "expect": {"scene": [
            {"shape": "circle", "color": "red", "row": 0, "column": 1},
            {"shape": "square", "color": "blue", "row": 2, "column": 3},
            {"shape": "square", "color": "green", "row": 3, "column": 3}]}});
        let item: Item = serde_json::from_value(item).unwrap();
        let grade = |reason: &str| Grade {
            score: Some(0.0),
            reason: reason.to_owned(),
            ..Grade::default()
        };
        // The first is wrong, the second is right beside something wrong, the third is not named, and the
        // last cell is empty.
        let said = "red square at row 1, column 2; white circle at row 3, column 4; \
                    blue square at row 3, column 4; green square at row 1, column 1";
        let mistake = |cell, truth: &str, said: &str| Mistake {
            cell,
            truth: truth.to_owned(),
            said: said.to_owned(),
        };
        let expected = [
            mistake([1, 2], "red circle", "red square"),
            mistake([1, 1], "nothing at row 1, column 1", "green square"),
        ];
        assert_eq!(mistakes(&item, &grade(said)), expected);
        assert_eq!(mistakes(&item, &grade("")), []);
        assert_eq!(mistakes(&item, &Grade::default()), []);
    }
}
