use super::*;
use crate::record::{Evidence, Grade, Item, Output};
use serde_json::json;
use std::path::Path;

fn item(expect: &Value) -> Item {
    let item = json!({"item": "a@mix0.4", "task": "edit", "prompt": "p", "images": ["a.png"], "expect": expect});
    serde_json::from_value(item).unwrap()
}

fn graded(expect: &Value, evidence: &[Value], words: Option<&str>) -> Verdict {
    let item = item(expect);
    let evidence = evidence.iter().zip(["one", "two"]);
    let evidence: Vec<Evidence> = evidence
        .map(|(seen, observer)| {
            let record = json!({"item": "a@mix0.4", "observer": observer, "evidence": seen});
            serde_json::from_value(record).unwrap()
        })
        .collect();
    let evidence: Vec<&Evidence> = evidence.iter().collect();
    let output = words.map(|words| {
        let output =
            json!({"item": "a@mix0.4", "repeat": 0, "seed": 1, "kind": "text", "text": words});
        serde_json::from_value::<Output>(output).unwrap()
    });
    Noise(NoiseOptions::default()).grade(&Case {
        item: &item,
        repeat: 0,
        output: output.as_ref(),
        evidence: &evidence,
    })
}

fn scene() -> Value {
    json!({"scene": [
        {"shape": "circle", "color": "red", "row": 0, "column": 1},
        {"shape": "square", "color": "blue", "row": 2, "column": 3},
    ]})
}

fn thing(class: &str, color: &str, row: u32, column: u32) -> Value {
    let (x, y) = (8 * column, 8 * row);
    json!({"class": class, "score": 1.0, "color": color, "box": [x + 1, y + 1, x + 6, y + 6]})
}

fn seen(things: &[Value], unknown: u32) -> Value {
    json!({"detections": things, "unknown": unknown, "text": ""})
}

#[test]
fn a_scene_is_recognised_thing_by_thing() {
    let both = [thing("circle", "red", 0, 1), thing("square", "blue", 2, 3)];
    let right = graded(&scene(), &[seen(&both, 0)], None);
    assert_eq!((right.score, right.parts["things"]), (Some(1.0), 1.0));
    assert_eq!((right.parts["swap"], right.parts["nothing"]), (0.0, 0.0));

    let moved = [thing("circle", "red", 0, 2), thing("square", "blue", 2, 3)];
    let swapped = graded(&scene(), &[seen(&moved, 0)], None);
    assert_eq!((swapped.score, swapped.parts["things"]), (Some(0.0), 0.5));
    assert_eq!(swapped.parts["swap"], 1.0);

    let more = [
        both[0].clone(),
        both[1].clone(),
        thing("circle", "red", 3, 3),
    ];
    let extra = graded(&scene(), &[seen(&more, 0)], None);
    assert_eq!((extra.score, extra.parts["things"]), (Some(0.0), 2.0 / 3.0));

    let unknown = graded(&scene(), &[seen(&both, 1)], None);
    assert_eq!((unknown.score, unknown.parts["nothing"]), (Some(0.0), 1.0));
    let blank = graded(&scene(), &[seen(&[], 0)], None);
    assert_eq!((blank.score, blank.parts["nothing"]), (Some(0.0), 1.0));
}

#[test]
fn a_description_is_read_as_things() {
    let words = "a red circle row one column two, a blue square row three column four";
    let right = graded(&scene(), &[], Some(words));
    assert_eq!((right.score, right.correct), (Some(1.0), Some(true)));
    let deer = graded(&scene(), &[], Some("a red square row one column two"));
    assert_eq!((deer.score, deer.parts["swap"]), (Some(0.0), 1.0));
    let refused = graded(&scene(), &[], Some("I cannot say"));
    assert_eq!((refused.score, refused.parts["nothing"]), (Some(0.0), 1.0));
}

#[test]
fn an_option_is_chosen_by_a_model_or_by_a_reader_of_its_picture() {
    let expect = json!({"options": ["deer", "dog"], "answer": "B"});
    assert_eq!(graded(&expect, &[], Some("B")).score, Some(1.0));
    let deer = graded(&expect, &[], Some("A"));
    assert_eq!((deer.score, deer.parts["swap"]), (Some(0.0), 1.0));
    assert_eq!(deer.reason, "deer");
    let none = graded(&expect, &[], Some("I see nothing."));
    assert_eq!((none.score, none.parts["nothing"]), (Some(0.0), 1.0));
    let read = json!({"answers": {"what": "b"}});
    assert_eq!(graded(&expect, &[read], None).score, Some(1.0));
}

#[test]
fn a_word_is_a_whole_word() {
    let expect = json!({"label": "dog", "answers": ["puppy"]});
    for (words, score) in [
        ("A Dog.", 1.0),
        ("a puppy", 1.0),
        ("a dogfish", 0.0),
        ("", 0.0),
    ] {
        assert_eq!(
            graded(&expect, &[], Some(words)).score,
            Some(score),
            "{words}"
        );
    }
    assert_eq!(graded(&expect, &[], Some("")).parts["nothing"], 1.0);
}

#[test]
fn only_a_label_of_the_set_is_a_swap() {
    let expect = json!({"label": "garden", "labels": ["garden", "window", "silver"]});
    for (read, right, swap) in [
        ("Garden", 1.0, 0.0),
        ("window", 0.0, 1.0),
        ("gardem", 0.0, 0.0),
        ("", 0.0, 0.0),
    ] {
        let found = graded(&expect, &[json!({"text": read})], None);
        let parts = (found.score, found.parts["swap"], found.parts["nothing"]);
        let nothing = 1.0 - right - swap;
        assert_eq!(parts, (Some(right), swap, nothing), "{read}");
    }
    // A picture and words are graded alike, and the label that was said is the reason.
    let said = graded(&expect, &[], Some("It says WINDOW."));
    assert_eq!((said.parts["swap"], said.reason.as_str()), (1.0, "window"));
}

#[test]
fn the_clean_picture_has_the_greatest_gain() {
    let pixels = json!({"psnr_clean": null, "ssim_clean": 1.0, "psnr_input": 12.0, "ssim_input": 0.2,
        "psnr_rescaled": 15.0, "resized": false});
    let clean = graded(&scene(), &[pixels], None);
    // Nobody looked at the things, so there is no score, but the measures are there.
    assert_eq!(clean.score, None);
    assert_eq!((clean.parts["psnr"], clean.parts["gain"]), (100.0, 88.0));
    assert_eq!(
        (clean.parts["gain_rescaled"], clean.parts["better"]),
        (85.0, 1.0)
    );
}

/// Grades of sources that are recognised up to a level each.
fn board_metrics(kinds: &[&str], last: &[f64]) -> BTreeMap<String, f64> {
    let (mut items, mut grades) = (Vec::new(), Vec::new());
    for kind in kinds {
        for (source, last) in last.iter().enumerate() {
            for step in 0..10_u8 {
                let level = f64::from(step) / 10.0;
                let name = format!("{source}@{kind}{level}");
                let expect = json!({"source": source.to_string(), "level": level, "noise": kind});
                let mut item = item(&expect);
                item.item.clone_from(&name);
                items.push(item);
                grades.push(Grade {
                    item: name,
                    score: Some(f64::from(u8::from(level <= *last))),
                    parts: BTreeMap::from([("gain".to_owned(), 0.35 - level)]).into(),
                    ..Grade::default()
                });
            }
        }
    }
    Noise(NoiseOptions::default()).metrics(&Board {
        model: "m",
        root: Path::new("."),
        items: &items,
        outputs: None,
        evidence: &[],
        grades: &grades,
    })
}

#[test]
fn the_level_at_which_half_is_lost_has_an_interval() {
    let metrics = board_metrics(&["mix"], &[0.2, 0.4, 0.4, 0.6]);
    let close = |name: &str, value: f64| (metrics[name] - value).abs() < 1e-9;
    assert!(close("t_half", 0.45), "{metrics:?}");
    assert!(metrics["t_half_low"] < 0.45 && metrics["t_half_high"] > 0.45);
    assert!(close("t_half_reached", 1.0) && close("t_gain", 0.35));
}

#[test]
fn a_level_beyond_the_ladder_is_absent_and_kinds_are_apart() {
    let metrics = board_metrics(&["add", "mix"], &[0.9, 0.9]);
    assert_eq!(metrics["t_half_reached_add"], 0.0);
    assert!(!metrics.contains_key("t_half_add") && !metrics.contains_key("t_half"));
    assert!(metrics.contains_key("t_gain_mix"));
}
