//! The controls of the specification, with a reader that knows the drawing.

use super::*;
use crate::record::{Evidence, Grade, Item, Output};
use serde_json::{Value, json};
use std::path::Path;

/// Eight lines, of a height of 40 pixels, on a page of 1024 × 1024 pixels.
fn lines() -> Vec<(String, Rect)> {
    let texts = [
        "GRAND", "OPENING", "Friday", "tickets", "2026", "harbour", "lantern", "welcome",
    ];
    let places = (0..4).flat_map(|row| [60.0, 600.0].map(|x| (x, 60.0 + 240.0 * f64::from(row))));
    let each = texts.iter().zip(places);
    each.map(|(text, (x, y))| {
        let width = 30.0 * text.len() as f64;
        ((*text).to_owned(), [x, y, x + width, y + 40.0])
    })
    .collect()
}

fn reading(lines: &[(String, Rect)]) -> Value {
    let lines = lines
        .iter()
        .map(|(text, bbox)| json!({"text": text, "box": bbox}));
    lines.collect()
}

fn graded_with(after: &[(String, Rect)], edit: Option<Value>) -> Verdict {
    let truth = reading(&lines());
    let item: Item = serde_json::from_value(json!({"item": "a", "task": "edit", "prompt": "p",
        "images": ["a.png"], "expect": {"lines": truth}}))
    .unwrap();
    let mut seen = json!({"source": truth, "after": reading(after), "width": 1024, "height": 1024,
        "edited": [700.0, 420.0, 760.0, 480.0]});
    if let Some(edit) = edit {
        seen["edit"] = edit;
    }
    let seen: Evidence =
        serde_json::from_value(json!({"item": "a", "observer": "text-drift", "evidence": seen}))
            .unwrap();
    TextDrift(TextDriftOptions::default()).grade(&Case {
        item: &item,
        repeat: 0,
        output: None,
        evidence: &[&seen],
    })
}

fn graded(after: &[(String, Rect)]) -> Verdict {
    graded_with(after, None)
}

fn moved(change: impl Fn(usize, Rect) -> Rect) -> Vec<(String, Rect)> {
    let each = lines().into_iter().enumerate();
    each.map(|(place, (text, bbox))| (text, change(place, bbox)))
        .collect()
}

fn by([x, y]: [f64; 2], [left, top, right, bottom]: Rect) -> Rect {
    [left + x, top + y, right + x, bottom + y]
}

#[test]
fn the_same_picture_keeps_all() {
    let same = graded_with(&lines(), Some(json!({"iou": 0.0, "color": 0.0})));
    assert_eq!((same.score, same.parts["done"]), (Some(1.0), 0.0));
    assert_eq!((same.parts["dist_median"], same.parts["lines"]), (0.0, 8.0));
    let edited = graded_with(&lines(), Some(json!({"iou": 0.9, "color": 12.0})));
    assert_eq!((edited.score, edited.parts["done"]), (Some(1.0), 1.0));
}

#[test]
fn a_shift_is_global_and_no_drift() {
    for (pixels, kept) in [(1.0, 1.0), (8.0, 1.0), (10.0, 1.0), (16.0, 0.0)] {
        let shifted = graded(&moved(|_, bbox| by([pixels, 0.0], bbox)));
        assert_eq!(shifted.score, Some(kept), "{pixels}");
        assert_eq!(shifted.parts["kept_local"], 1.0);
        assert!((shifted.parts["global_x"] - pixels).abs() < 0.5);
        assert!(shifted.parts["residual_median"] < 1.0);
    }
}

#[test]
fn a_scale_is_global_and_changes_the_size() {
    let about = |at: f64| 512.0 + 1.05 * (at - 512.0);
    let scaled = graded(&moved(|_, bbox| bbox.map(about)));
    assert!((scaled.parts["size_median"] - 4.879).abs() < 0.01);
    assert!((scaled.parts["global_scale"] - 1.05).abs() < 1e-6);
    assert!(scaled.parts["residual_median"] < 1.0);
    assert_eq!(scaled.parts["kept_local"], 1.0);
}

#[test]
fn a_dropped_line_is_the_only_one_that_is_lost() {
    let mut after = lines();
    after.remove(3);
    let found = graded(&after);
    assert_eq!(
        (found.score, found.parts["lost"]),
        (Some(7.0 / 8.0), 1.0 / 8.0)
    );
}

#[test]
fn two_lines_that_trade_places_moved() {
    let mut after = lines();
    let (first, last) = (after[0].0.clone(), after[7].0.clone());
    (after[0].0, after[7].0) = (last, first);
    let found = graded(&after);
    assert_eq!(
        (found.parts["lost"], found.parts["moved"]),
        (0.0, 2.0 / 8.0)
    );
    assert_eq!(found.score, Some(6.0 / 8.0));
}

#[test]
fn respelled_and_resized_lines_are_told_apart() {
    let mut after = lines();
    after[1].0 = "OPENIMG".to_owned();
    after[2].1[3] += 8.0;
    let found = graded(&after);
    assert_eq!(found.parts["respelled"], 1.0 / 8.0);
    assert_eq!(found.parts["resized"], 1.0 / 8.0);
    assert_eq!(found.score, Some(6.0 / 8.0));
    assert!((found.parts["spelling"] - 1.0 / 7.0 / 8.0).abs() < 1e-12);
}

#[test]
fn one_line_that_drifts_is_residual_displacement() {
    let after = moved(|place, bbox| {
        if place == 7 {
            by([0.0, 30.0], bbox)
        } else {
            bbox
        }
    });
    let found = graded(&after);
    assert_eq!(
        (found.score, found.parts["moved"]),
        (Some(7.0 / 8.0), 1.0 / 8.0)
    );
    assert!(found.parts["global_y"].abs() < 0.5);
    // Only lines beyond 0.3 of the diagonal from the edited region count there.
    assert!(found.parts.contains_key("far_residual"));
}

#[test]
fn lines_beyond_a_null_are_counted_and_offsets_calibrate_the_reader() {
    // The first line is far from the edited region and moves by 30 pixels.
    let after = moved(|place, bbox| {
        if place == 0 {
            by([0.0, 30.0], bbox)
        } else {
            bbox
        }
    });
    let item: Item =
        serde_json::from_value(json!({"item": "a", "task": "edit", "prompt": "p"})).unwrap();
    let seen = json!({"source": reading(&lines()), "after": reading(&after), "width": 1024,
        "height": 1024, "edited": [700.0, 420.0, 760.0, 480.0]});
    let seen: Evidence =
        serde_json::from_value(json!({"item": "a", "observer": "text-drift", "evidence": seen}))
            .unwrap();
    let output = json!({"item": "a", "repeat": 0, "seed": 1, "kind": "image",
        "offsets": {"GRAND": [0.0, 27.0], "OPENING": [0.0, 0.0]}});
    let output: Output = serde_json::from_value(output).unwrap();
    let rule = TextDrift(TextDriftOptions {
        null_far: Some(5.0),
        ..TextDriftOptions::default()
    });
    let verdict = rule.grade(&Case {
        item: &item,
        repeat: 0,
        output: Some(&output),
        evidence: &[&seen],
    });
    assert!(verdict.parts["beyond_null"] > 0.0 && verdict.parts["beyond_null"] < 1.0);
    // Errors of 3 and of 0 pixels.
    assert_eq!(verdict.parts["offset_error"], 4.5);
    let far = rule.all_far(&Board {
        model: "m",
        root: Path::new("."),
        items: &[item],
        outputs: None,
        evidence: &[seen],
        grades: &[],
    });
    assert_eq!(far.iter().filter(|residual| **residual > 5.0).count(), 1);
}

#[test]
fn lines_that_the_reader_misreads_are_not_followed() {
    let item: Item = serde_json::from_value(json!({"item": "a", "task": "edit", "prompt": "p",
    "expect": {"lines": [
        {"text": "GRAND", "box": [0, 0, 100, 20]},
        {"text": "OPENING", "box": [0, 40, 100, 60]},
        {"text": "sold out", "box": [0, 80, 100, 100], "target": true},
    ]}}))
    .unwrap();
    let read = |text: &str, bbox: Rect| ReadLine {
        text: text.into(),
        bbox,
        in_edit: false,
    };
    let seen = [
        read("GR AND", [2.0, 1.0, 99.0, 21.0]),
        read("OPEN1NG", [0.0, 40.0, 100.0, 60.0]),
        read("sold out", [0.0, 80.0, 100.0, 100.0]),
    ];
    let usable = usable(&item, &seen).unwrap_or_default();
    assert_eq!(usable, [Line::new("GRAND", [2.0, 1.0, 99.0, 21.0])]);
}

#[test]
fn the_headline_is_over_done_edits_only() {
    let grade = |item: &str, score: f64, done: f64| Grade {
        item: item.into(),
        score: Some(score),
        parts: BTreeMap::from([("done".to_owned(), done)]).into(),
        ..Grade::default()
    };
    let grades = [
        grade("a", 1.0, 0.0),
        grade("b", 0.5, 1.0),
        grade("c", 0.25, 1.0),
    ];
    let rule = TextDrift(TextDriftOptions::default());
    let board = |grades| Board {
        model: "m",
        root: Path::new("."),
        items: &[],
        outputs: None,
        evidence: &[],
        grades,
    };
    let metrics = rule.metrics(&board(&grades));
    assert_eq!(metrics["kept_done"], 0.375);
    let ends = ["kept_done_low", "kept_done_high"].map(|name| metrics[name]);
    assert!(ends[0] < 0.375 && ends[1] > 0.375, "{ends:?}");
    let told = rule.notes(&board(&grades));
    assert!(
        told[1].starts_with("Where the edit is done (2 of 3), 37.5 % of the text is kept (95 %"),
        "{told:?}"
    );
    let none = rule.notes(&board(&grades[..1]));
    assert!(
        none[1].starts_with("None of the 1 edits is done"),
        "{none:?}"
    );
    assert!((metrics["done"] - 2.0 / 3.0).abs() < 1e-12);
}
