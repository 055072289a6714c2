//! The miniature world: its suites, its exact observer, and what it holds out of training.

use crate::support::{lines, stderr, unigauge};
use image::{Rgb, RgbImage};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use unigauge::config::Settings;
use unigauge::grade;
use unigauge::record::Grade;
use unigauge::world::caption::{Caption, Task};
use unigauge::world::edit::{Edit, Kind};
use unigauge::world::random::Random;
use unigauge::world::scene::Scene;
use unigauge::world::split::Split;

fn run(dir: &Path, suite: &str, model: &str) -> Value {
    let output = unigauge(dir)
        .args(["run", suite, "--model", model])
        .env("UNIGAUGE_CACHE", dir.join("cache"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let folder = dir.join(format!("results/{suite}/{model}/seed0"));
    serde_json::from_slice(&fs::read(folder.join("summary.json")).unwrap()).unwrap()
}

#[test]
fn exact_drawings_are_right_throughout_and_mistakes_cost() {
    let dir = tempfile::tempdir().unwrap();
    for (suite, items) in [
        ("mini-geneval", 432),
        ("mini-composition", 144),
        ("mini-edit", 200),
        ("mini-text", 80),
    ] {
        let exact = run(dir.path(), suite, "world");
        assert_eq!(exact["overall"]["value"], 1.0, "{suite} {exact}");
        assert_eq!(exact["expected"], items, "{suite} {exact}");
        // Every fifth thing wrong: each item has one to four.
        let mistaken = run(dir.path(), suite, "world-mistaken");
        let value = mistaken["overall"]["value"].as_f64().unwrap();
        assert!((0.5..0.95).contains(&value), "{suite} {value}");
    }
}

#[test]
fn every_edit_has_its_input_and_changes_only_its_region() {
    let dir = tempfile::tempdir().unwrap();
    run(dir.path(), "mini-edit", "world");
    let folder = dir.path().join("results/mini-edit/world/seed0");
    let seen = lines(&folder.join("evidence.jsonl"));
    let pixels: Vec<&Value> = seen
        .iter()
        .filter(|record| record["observer"] == "edit-pixels")
        .map(|record| &record["evidence"])
        .collect();
    assert_eq!(pixels.len(), 200);
    for evidence in pixels {
        assert_eq!(evidence["region"], "annotation");
        assert_eq!(evidence["outside"]["l1"], 0.0, "{evidence}");
        assert!(
            evidence["inside"]["l1"].as_f64().unwrap() > 0.0,
            "{evidence}"
        );
    }
}

/// A grey picture with a red disc around (4, 12), a blue square from (16, 16) to (22, 22) and, in white, "HI"
/// at the bottom.
fn picture() -> RgbImage {
    let h = [
        "#...#", "#...#", "#...#", "#####", "#...#", "#...#", "#...#",
    ];
    let i = [
        "#####", "..#..", "..#..", "..#..", "..#..", "..#..", "#####",
    ];
    RgbImage::from_fn(32, 32, |x, y| {
        let ink = |letter: [&str; 7], left: u32| {
            let (Some(column), Some(row)) = (x.checked_sub(left), y.checked_sub(25)) else {
                return false;
            };
            letter
                .get(row as usize)
                .and_then(|row| row.as_bytes().get(column as usize))
                == Some(&b'#')
        };
        let (dx, dy) = (f64::from(x) + 0.5 - 4.0, f64::from(y) + 0.5 - 12.0);
        if dx.hypot(dy) <= 3.2 {
            Rgb([230, 30, 50])
        } else if (16..=22).contains(&x) && (16..=22).contains(&y) {
            Rgb([30, 90, 210])
        } else if ink(h, 1) || ink(i, 9) {
            Rgb([250, 250, 250])
        } else {
            Rgb([128, 128, 128])
        }
    })
}

#[test]
fn shapes_colours_places_and_letters_are_read_from_pictures_drawn_elsewhere() {
    let dir = tempfile::tempdir().unwrap();
    let images = dir.path().join("images");
    fs::create_dir(&images).unwrap();
    let small = picture();
    small.save(images.join("small.png")).unwrap();
    let large = image::imageops::resize(&small, 256, 256, image::imageops::FilterType::Nearest);
    large.save(images.join("large.png")).unwrap();
    // A frame of two pixels is like no shape and no letter.
    let frame = RgbImage::from_fn(32, 32, |x, y| {
        let edge = x.min(y).min(31 - x).min(31 - y) < 2;
        Rgb(if edge { [220, 40, 40] } else { [128, 128, 128] })
    });
    frame.save(images.join("frame.png")).unwrap();
    let items =
        ["small", "large", "frame"].map(|id| format!("{}\n", json!({"id": id, "prompt": "p"})));
    fs::write(dir.path().join("own.jsonl"), items.concat()).unwrap();
    fs::write(
        dir.path().join("own.toml"),
        "name = \"own\"\nversion = \"1\"\ntitle = \"Own\"\ntask = \"text-to-image\"\nobservers = [\"world\"]\n\n\
         [items]\nfile = \"own.jsonl\"\n\n[grade]\nrule = \"measure\"\noptions = { key = \"unknown\" }\n",
    )
    .unwrap();
    let output = unigauge(dir.path())
        .args(["observe", "--suite", "own.toml", "--name", "a", "--images"])
        .arg(&images)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    for record in lines(&dir.path().join("results/own/a/seed0/evidence.jsonl")) {
        let evidence = &record["evidence"];
        let found = evidence["detections"].as_array().unwrap();
        let named: Vec<[&Value; 2]> = found
            .iter()
            .map(|object| [&object["class"], &object["color"]])
            .collect();
        let name = record["item"].as_str().unwrap();
        if name == "frame" {
            assert_eq!(evidence["unknown"], 1, "{evidence}");
            assert!(named.is_empty(), "{evidence}");
            continue;
        }
        assert_eq!(
            named,
            [["circle", "red"], ["square", "blue"]],
            "{name} {evidence}"
        );
        assert_eq!(evidence["text"], "HI", "{name}");
        assert_eq!(evidence["unknown"], 0, "{name}");
        assert_eq!(evidence["resized"], name == "large");
        if name == "small" {
            assert_eq!(found[1]["box"], json!([16, 16, 22, 22]));
        }
    }
}

/// Grades one picture in which these objects were found: class, colour, left edge of a box of 6 pixels in the
/// first row.
fn edited(expect: &Value, found: &[(&str, &str, i64)]) -> Grade {
    let rule = grade::build("object-edit", &Settings::default()).unwrap();
    let object = |&(class, color, x): &(&str, &str, i64)| json!({"class": class, "color": color, "score": 1.0, "box": [x, 1, x + 5, 6]});
    let detections: Vec<Value> = found.iter().map(object).collect();
    let item = json!({"item": "a", "task": "edit", "prompt": "p", "expect": expect});
    let seen = json!({"item": "a", "observer": "world", "evidence": {"detections": detections}});
    let item = serde_json::from_value(item).unwrap();
    let seen = serde_json::from_value(seen).unwrap();
    grade::grade_all(&*rule, &[item], 1, None, &[seen]).remove(0)
}

/// Worked by hand from the rule's definition.
#[test]
fn edits_are_graded_by_what_came_what_went_and_what_stayed() {
    let recolor = json!({
        "kept": [
            {"class": "square", "color": "red", "box": [8, 0, 15, 7]},
            {"class": "triangle", "color": "white", "box": [24, 0, 31, 7]},
        ],
        "gone": {"class": "circle", "color": "blue", "box": [0, 0, 7, 7]},
        "new": {"class": "circle", "color": "green", "box": [0, 0, 7, 7]},
    });
    let done = ("circle", "green", 1);
    let [square, triangle] = [("square", "red", 9), ("triangle", "white", 25)];
    for (found, score, correct, why) in [
        (vec![done, square, triangle], 1.0, true, ""),
        // 4 pixels off is in place, 5 is not.
        (vec![done, ("square", "red", 13), triangle], 1.0, true, ""),
        (
            vec![done, ("square", "red", 14), triangle],
            0.5,
            false,
            "the red square is not where it was\nnot asked for: red square",
        ),
        (
            vec![("circle", "blue", 1), square, triangle],
            0.0,
            false,
            "there is no green circle as asked for\nthe blue circle is still there",
        ),
        // Both the old and the new one.
        (
            vec![done, ("circle", "blue", 2), square, triangle],
            0.0,
            false,
            "the blue circle is still there",
        ),
        (
            vec![done, square, triangle, ("square", "red", 17)],
            1.0,
            false,
            "not asked for: red square",
        ),
        (
            vec![],
            0.0,
            false,
            "the red square is not where it was\nthe white triangle is not where it was\n\
             there is no green circle as asked for",
        ),
    ] {
        let grade = edited(&recolor, &found);
        assert_eq!(grade.score, Some(score), "{found:?} {grade:?}");
        assert_eq!(grade.correct, Some(correct), "{found:?} {grade:?}");
        assert_eq!(grade.reason, why, "{found:?}");
    }
    let add = json!({"kept": [], "gone": null, "new": {"class": "square", "color": "red"}});
    assert_eq!(edited(&add, &[("square", "red", 20)]).score, Some(1.0));
    let nothing = edited(&json!({"new": 1}), &[]);
    assert_eq!(nothing.score, None);
    assert!(
        nothing
            .unscored
            .unwrap()
            .contains("`kept`, `gone` and `new`")
    );
}

/// What is held out, said once more here: three coloured shapes, two relations (either way round) and four
/// triangles.
fn shows_what_is_held_out(scene: &Scene) -> bool {
    let things = &scene.things;
    let name = |place: usize| format!("{} {}", things[place].color, things[place].shape);
    let colored = (0..things.len()).any(|place| {
        ["purple circle", "yellow square", "green triangle"].contains(&name(place).as_str())
    });
    let lies = |first: &str, second: &str, offset: fn(i32, i32) -> i32| {
        let pairs = things
            .iter()
            .flat_map(|a| things.iter().map(move |b| (a, b)));
        pairs
            .filter(|(a, b)| a.shape.name() == first && b.shape.name() == second)
            .any(|(a, b)| {
                let across = i32::from(b.cell.column) - i32::from(a.cell.column);
                let down = i32::from(b.cell.row) - i32::from(a.cell.row);
                // GenEval's rule in cells of 8 pixels with boxes of 6.4.
                let whole = f64::from(across).hypot(f64::from(down)) * 8.0;
                f64::from(offset(across, down)) * 8.0 - 1.28 > whole / 2.0
            })
    };
    colored
        || lies("circle", "triangle", |across, _| across)
        || lies("square", "circle", |_, down| down)
        || things
            .iter()
            .filter(|t| t.shape.name() == "triangle")
            .count()
            == 4
}

#[test]
fn what_is_held_out_is_never_drawn_for_training() {
    let mut random = Random::new(3, 0);
    let captions: Vec<Caption> = Task::ALL.into_iter().flat_map(Caption::all_of).collect();
    // 3 + 6 + 9 + 18 + 24 + 6 ordered pairs of shapes with 30 ordered pairs of colours.
    assert_eq!(captions.len(), 240);
    let held_out = captions
        .iter()
        .filter(|caption| caption.split() == Split::HeldOut);
    // Four triangles; 3 coloured shapes; 2 relations either way round; and of the coloured pairs those with
    // one of the three: each is first in 10 (2 shapes × 5 colours) and second in 10; two of them meet in 6
    // ordered pairs, counted twice.
    assert_eq!(held_out.count(), 1 + 3 + 4 + (60 - 6));
    let mut shown = 0;
    for caption in captions {
        for _ in 0..30 {
            let scene = caption.scene(&mut random);
            match caption.split() {
                Split::Seen => assert!(
                    !shows_what_is_held_out(&scene),
                    "{} {scene:?}",
                    caption.words()
                ),
                Split::HeldOut => shown += u32::from(shows_what_is_held_out(&scene)),
            }
        }
    }
    assert_eq!(shown, 62 * 30);
    for kind in Kind::ALL {
        for _ in 0..300 {
            let edit = Edit::sampled(kind, &mut random);
            assert!(!shows_what_is_held_out(&edit.before), "{edit:?}");
            assert!(!shows_what_is_held_out(&edit.after), "{edit:?}");
        }
    }
}
