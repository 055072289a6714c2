//! What a model names wrongly: the label of a picture, or each thing of a scene of the miniature world.
//!
//! Two scenes are hardly ever equal, so equal descriptions of whole scenes would say nothing about chance. There
//! each thing is a case of its own: what should be in its cell, and what a model says is there.

use crate::record::mini_words::MiniThing;
use crate::record::{Grade, Item};
use serde::Deserialize;
use serde_json::Value;

/// One wrong name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mistake {
    /// The number of the thing in its scene. 0 for a label.
    pub place: usize,
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
        place: 0,
        truth: truth.unwrap_or_default().to_owned(),
        said: grade.reason.clone(),
    })
}

/// The things of a scene in whose cells something else is said to be.
fn in_scene(things: &[MiniThing], reason: &str) -> Vec<Mistake> {
    let said = said_in_cells(reason);
    let wrong = things.iter().enumerate().filter_map(|(place, thing)| {
        let truth = format!("{} {}", thing.color, thing.shape);
        let cell = [thing.row + 1, thing.column + 1];
        let mut here = said.iter().filter(|(at, _)| *at == cell);
        let (_, first) = here.clone().next()?;
        let right = here.any(|(_, name)| *name == truth);
        (!right).then(|| Mistake {
            place,
            truth,
            said: (*first).to_owned(),
        })
    });
    wrong.collect()
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
    fn each_thing_of_a_scene_is_a_case() {
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
        // The first is wrong, the second is right beside something wrong, and the third is not named.
        let said = "red square at row 1, column 2; white circle at row 3, column 4; \
                    blue square at row 3, column 4; green square at row 1, column 1";
        let expected = Mistake {
            place: 0,
            truth: "red circle".into(),
            said: "red square".into(),
        };
        assert_eq!(mistakes(&item, &grade(said)), [expected]);
        assert_eq!(mistakes(&item, &grade("")), []);
        assert_eq!(mistakes(&item, &Grade::default()), []);
    }
}
