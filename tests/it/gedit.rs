//! GEdit-Bench from Parquet as on the hub: what the model sees, what the judge compares with, and the
//! official folder.

use crate::chat::{Answer, ChatServer};
use crate::parquet_files::{self, Cells, bytes, texts};
use crate::support::{stderr, unigauge};
use image::{Rgb, RgbImage};
use serde_json::{Value, json};
use std::fs;
use std::io::Cursor;
use std::path::Path;
use std::process::Output;

fn encoded(picture: &RgbImage, format: image::ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// Key, task, language, intersection, size of the raw picture; the judge's source has half the sides.
type Row = (&'static str, &'static str, &'static str, bool, (u32, u32));

const ROWS: [Row; 5] = [
    ("a1", "text_change", "en", true, (600, 400)),
    ("b2", "text_change", "cn", true, (600, 400)),
    ("c3", "subject-add", "en", false, (400, 800)),
    ("d4", "subject-add", "cn", false, (96, 96)),
    ("e5", "subject-add", "en", true, (300, 150)),
];

fn raw(at: usize) -> RgbImage {
    let (width, height) = ROWS[at].4;
    RgbImage::from_pixel(width, height, Rgb([10 * at as u8, 60, 200]))
}

fn source(at: usize) -> Vec<u8> {
    let (width, height) = ROWS[at].4;
    let picture = RgbImage::from_pixel(width / 2, height / 2, Rgb([200, 60, 10 * at as u8]));
    let format = match at {
        0 => image::ImageFormat::Jpeg,
        _ => image::ImageFormat::Png,
    };
    encoded(&picture, format)
}

/// The columns as the hub's data set has them.
fn table(path: &Path) {
    let raws: Vec<Vec<u8>> = (0..ROWS.len())
        .map(|at| encoded(&raw(at), image::ImageFormat::Png))
        .collect();
    let sources: Vec<Vec<u8>> = (0..ROWS.len()).map(source).collect();
    let raws: Vec<&[u8]> = raws.iter().map(Vec::as_slice).collect();
    let sources: Vec<&[u8]> = sources.iter().map(Vec::as_slice).collect();
    let words: Vec<String> = ROWS.iter().map(|row| format!("change {}", row.0)).collect();
    parquet_files::write(
        path,
        &[
            ("key", texts(ROWS.map(|row| row.0))),
            ("task_type", texts(ROWS.map(|row| row.1))),
            ("instruction", texts(words)),
            ("instruction_language", texts(ROWS.map(|row| row.2))),
            (
                "Intersection_exist",
                Cells::Truths(ROWS.map(|row| row.3).to_vec()),
            ),
            ("input_image_raw", bytes(raws)),
            ("input_image", bytes(sources)),
        ],
    );
}

fn command(dir: &Path, args: &[&str]) -> Output {
    unigauge(dir)
        .env("UNIGAUGE_CACHE", dir.join("cache"))
        .env("UNIGAUGE_TEST_KEY", "sk-test")
        .args(args)
        .output()
        .unwrap()
}

fn items(dir: &Path, suite: &str) -> Vec<Value> {
    let output = command(dir, &["items", suite, "--items", "t.parquet"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    lines.collect()
}

#[test]
fn a_language_is_chosen_and_pictures_are_prepared_for_model_and_judge() {
    let dir = tempfile::tempdir().unwrap();
    table(&dir.path().join("t.parquet"));
    let of = |items: &[Value]| -> Vec<String> {
        let text = |item: &Value| item["item"].as_str().unwrap().to_owned();
        items.iter().map(text).collect()
    };
    assert_eq!(of(&items(dir.path(), "gedit-cn")), ["b2", "d4"]);
    let both = items(dir.path(), "gedit");
    assert_eq!(of(&both), ["en_a1", "cn_b2", "en_c3", "cn_d4", "en_e5"]);
    let found = items(dir.path(), "gedit-en-full");
    assert_eq!(of(&found), ["a1", "c3", "e5"]);
    assert_eq!(found[0]["prompt"], "change a1");
    assert_eq!(
        found[0]["expect"],
        json!({"key": "a1", "edit_type": "text_change", "language": "en", "intersection_exist": true})
    );
    assert_eq!(
        found[1]["tags"],
        json!({"edit_type": "subject-add", "language": "en", "intersection": "false"})
    );
    // By hand: 3:2 is 627.07 × 418.05, in steps of 32 640 × 416 = 266240 > 512², so 608; 1:2 is 362.04 ×
    // 724.08, 352 × 736 = 259072 < 512², so 384; 2:1 is 736 × 352, so 768; a square is 512 × 512 and stays.
    let size = |item: &Value| image::image_dimensions(item["images"][0].as_str().unwrap()).unwrap();
    let sizes: Vec<(u32, u32)> = both.iter().map(size).collect();
    assert_eq!(
        sizes,
        [(608, 416), (608, 416), (384, 736), (512, 512), (768, 352)]
    );
    for (at, item) in both.iter().enumerate() {
        let model = image::open(item["images"][0].as_str().unwrap()).unwrap();
        assert_eq!(model.to_rgb8().get_pixel(9, 9), raw(at).get_pixel(0, 0));
        let compared = fs::read(item["compare_with"][0].as_str().unwrap()).unwrap();
        assert_eq!(compared, source(at), "as it is");
    }
    // A second reading writes nothing anew.
    let made = fs::metadata(both[0]["images"][0].as_str().unwrap()).unwrap();
    assert_eq!(items(dir.path(), "gedit"), both);
    let again = fs::metadata(both[0]["images"][0].as_str().unwrap()).unwrap();
    assert_eq!(made.modified().unwrap(), again.modified().unwrap());
}

#[test]
fn the_judge_compares_with_the_source_that_lies_beside_the_output() {
    let dir = tempfile::tempdir().unwrap();
    table(&dir.path().join("t.parquet"));
    for (key, task) in [
        ("a1", "text_change"),
        ("c3", "subject-add"),
        ("e5", "subject-add"),
    ] {
        let folder = dir.path().join("theirs/fullset").join(task).join("en");
        fs::create_dir_all(&folder).unwrap();
        RgbImage::from_pixel(64, 64, Rgb([1, 2, 3]))
            .save(folder.join(format!("{key}.png")))
            .unwrap();
    }
    let server = ChatServer::start(|chat| {
        let score = match (chat.pictures().len(), chat.text.contains("change c3")) {
            (1, _) => 9,
            (_, true) => 1,
            _ => 4,
        };
        Answer::Text(format!(
            "{{\"score\": [{score}, 10], \"reasoning\": \"fine\"}}"
        ))
    });
    let mut args: Vec<String> = [
        "observe",
        "--suite",
        "gedit-en-full",
        "--items",
        "t.parquet",
        "--images",
        "theirs",
        "--name",
        "m",
    ]
    .map(str::to_owned)
    .to_vec();
    for line in server.settings().lines().skip(1) {
        let line = line.replacen(" = ", "=", 1);
        args.extend(["--set".to_owned(), format!("observe.judge.server.{line}")]);
    }
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let output = command(dir.path(), &args);
    assert!(output.status.success(), "{}", stderr(&output));
    let run = dir.path().join("results/gedit-en-full/m/seed0");
    let beside = |name: &str| fs::read(run.join("outputs/fullset").join(name)).unwrap();
    assert_eq!(beside("subject-add/en/c3_SRCIMG.png"), source(2));
    // A JPEG under a name that says PNG would mislead: it is one.
    let first = beside("text_change/en/a1_SRCIMG.png");
    assert_eq!(
        image::guess_format(&first).unwrap(),
        image::ImageFormat::Png
    );
    assert_eq!(image::load_from_memory(&first).unwrap().width(), 300);
    assert_eq!(
        fs::read(run.join("outputs/fullset/subject-add/en/e5.png")).unwrap(),
        fs::read(dir.path().join("theirs/fullset/subject-add/en/e5.png")).unwrap()
    );
    // Both pictures of a pair have the size of input_image.
    let asked = server.seen("You are an artist");
    let pair = asked
        .iter()
        .find(|chat| chat.text.contains("change c3"))
        .unwrap();
    let sizes: Vec<(u32, u32)> = pair
        .pictures()
        .iter()
        .map(|(_, bytes)| {
            let picture = image::load_from_memory(bytes).unwrap();
            (picture.width(), picture.height())
        })
        .collect();
    assert_eq!(sizes, [(200, 400), (200, 400)]);
    // √(4 · 9) = 6, √(1 · 9) = 3: text_change 6, subject-add (3 + 6) / 2 = 4.5; of the intersection 6 and 6.
    let summary: Value =
        serde_json::from_slice(&fs::read(run.join("summary.json")).unwrap()).unwrap();
    let metrics = &summary["metrics"];
    assert_eq!(summary["overall"]["value"], 5.25);
    assert_eq!(
        (&metrics["en o"], &metrics["en intersection o"]),
        (&json!(5.25), &json!(6.0))
    );
    let table = fs::read_to_string(run.join("official/m_subject-add_gpt_score.csv")).unwrap();
    assert!(
        table.contains("fullset/subject-add/en/c3_SRCIMG.png,"),
        "{table}"
    );
}
