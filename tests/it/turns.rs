//! Edits of several turns: each starts from the picture that the turn before made, whatever happens in
//! between.
#![cfg(unix)]

use crate::chat::{Answer, ChatServer};
use crate::support::{lines, model, stderr, unigauge, unigauge_process};
use crate::uniworld::checkpoint;
use image::{Rgb, RgbImage};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Output;
use std::time::{Duration, Instant};

/// A program that paints a square: the prompt is `COLUMN RED GREEN BLUE`, and the square covers the 8 columns
/// from there of its input picture, a PNG of the kind that it writes. `fail` in the prompt fails while the
/// file `bad` exists; `slow` takes half a second. Each request's item stands in `asked`.
const PAINTER: &str = r#"
import json, os, struct, sys, time, zlib

def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

def read(path):
    data = open(path, "rb").read()
    at, body, size = 8, b"", None
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        if kind == b"IHDR":
            size = struct.unpack(">II", data[at + 8:at + 16])
        if kind == b"IDAT":
            body += data[at + 8:at + 8 + length]
        at += length + 12
    raw = bytearray(zlib.decompress(body))
    assert all(raw[y * (size[0] * 3 + 1)] == 0 for y in range(size[1])), "not of this kind"
    return size, raw

for line in sys.stdin:
    request = json.loads(line)
    with open("asked", "a") as asked:
        asked.write(request["item"] + "\n")
    words = request["prompt"].split()
    if "slow" in words:
        time.sleep(0.5)
    if "fail" in words and os.path.exists("bad"):
        print(json.dumps({"id": request["id"], "error": "no paint left"}), flush=True)
        continue
    (width, height), raw = read(request["images"][0])
    column, colour = int(words[0]), bytes(map(int, words[1:4]))
    for y in range(height):
        start = y * (width * 3 + 1) + 1 + column * 3
        raw[start:start + 24] = colour * 8
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(raw))) + chunk(b"IEND", b"")
    path = os.path.join(request["output_dir"], "out.png")
    open(path, "wb").write(png)
    print(json.dumps({"id": request["id"], "image": path}), flush=True)
"#;

const RED: Rgb<u8> = Rgb([200, 0, 0]);
const GREEN: Rgb<u8> = Rgb([0, 200, 0]);
const BLUE: Rgb<u8> = Rgb([0, 0, 200]);
const GREY: Rgb<u8> = Rgb([90, 90, 90]);

/// A white picture and the painter, which starts from a PNG of its own kind: `source.png` is written by it.
fn painter(dir: &Path) -> std::path::PathBuf {
    fs::write(dir.join("painter.py"), PAINTER).unwrap();
    let mut bytes = Vec::new();
    let encoder = image::codecs::png::PngEncoder::new_with_quality(
        &mut bytes,
        image::codecs::png::CompressionType::Fast,
        image::codecs::png::FilterType::NoFilter,
    );
    let white = RgbImage::from_pixel(32, 8, Rgb([255; 3]));
    white.write_with_encoder(encoder).unwrap();
    fs::write(dir.join("source.png"), bytes).unwrap();
    model(
        dir,
        "painter",
        "command",
        "program = [\"python3\", \"painter.py\"]",
    )
}

/// Three turns of key 1, two of key 2, one of key 3.
fn turns(dir: &Path, file: &str, more: &str) {
    let turns = json!({
        "1": {"id": "source.png", "turn1": format!("0 200 0 0 {more}"), "turn2": format!("8 0 200 0 {more}"), "turn3": "16 0 0 200"},
        "2": {"id": "source.png", "turn1": "0 90 90 90", "turn2": "16 90 90 90"},
        "3": {"id": "source.png", "turn1": "24 90 90 90"},
    });
    fs::write(dir.join(file), turns.to_string()).unwrap();
}

const SUITE: &str = "imgedit-multiturn-pixels";

fn generate(dir: &Path, more: &[&str]) -> Output {
    let common = [
        "run",
        SUITE,
        "--model",
        "painter.toml",
        "--items",
        "turns.json",
    ];
    let named = ["--set", "items.image_folder=\".\""];
    unigauge(dir)
        .args(common)
        .args(named)
        .args(more)
        .output()
        .unwrap()
}

fn run(dir: &Path) -> std::path::PathBuf {
    dir.join("results").join(SUITE).join("painter/seed0")
}

/// The colours of the four squares of a picture.
fn squares(path: &Path) -> [Rgb<u8>; 4] {
    let picture = image::open(path).unwrap().to_rgb8();
    [0, 8, 16, 24].map(|column| *picture.get_pixel(column + 4, 4))
}

/// Item → the last line about its output.
fn outputs(path: &Path) -> BTreeMap<String, Value> {
    let all = lines(path).into_iter();
    all.map(|line| (line["item"].as_str().unwrap().to_owned(), line))
        .collect()
}

fn asked(dir: &Path) -> Vec<String> {
    let text = fs::read_to_string(dir.join("asked")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn every_turn_starts_from_the_picture_of_the_turn_before() {
    let dir = tempfile::tempdir().unwrap();
    painter(dir.path());
    turns(dir.path(), "turns.json", "");
    let output = generate(dir.path(), &[]);
    assert!(output.status.success(), "{}", stderr(&output));
    let folder = run(dir.path()).join("outputs");
    let white = Rgb([255; 3]);
    for (name, expected) in [
        ("1_turn1", [RED, white, white, white]),
        ("1_turn2", [RED, GREEN, white, white]),
        ("1_turn3", [RED, GREEN, BLUE, white]),
        ("2_turn2", [GREY, white, GREY, white]),
        ("3_turn1", [white, white, white, GREY]),
    ] {
        assert_eq!(
            squares(&folder.join(format!("{name}.png"))),
            expected,
            "{name}"
        );
    }
    let made = outputs(&run(dir.path()).join("outputs.jsonl"));
    assert_eq!(
        made["1_turn3"]["input"],
        json!({"item": "1_turn2", "sha256": made["1_turn2"]["sha256"]})
    );
    assert_eq!(made["1_turn1"].get("input"), None);
    assert_eq!(asked(dir.path()).len(), 6);

    // What is there is not made again; what lost its picture is, and all that starts from it.
    assert!(generate(dir.path(), &[]).status.success());
    assert_eq!(asked(dir.path()).len(), 6);
    fs::remove_file(folder.join("1_turn2.png")).unwrap();
    assert!(generate(dir.path(), &[]).status.success());
    assert_eq!(asked(dir.path())[6..], ["1_turn2", "1_turn3"]);
    // Other words of the second turn: the first stays.
    let text = fs::read_to_string(dir.path().join("turns.json")).unwrap();
    fs::write(
        dir.path().join("turns.json"),
        text.replace("8 0 200 0", "8 90 90 90"),
    )
    .unwrap();
    assert!(generate(dir.path(), &[]).status.success());
    assert_eq!(asked(dir.path())[8..], ["1_turn2", "1_turn3"]);
    assert_eq!(
        squares(&folder.join("1_turn3.png")),
        [RED, GREY, BLUE, white]
    );

    // A turn that is named alone comes with those that it starts from.
    let only = generate(dir.path(), &["--only", "1_turn2", "--out", "only"]);
    assert!(only.status.success(), "{}", stderr(&only));
    assert_eq!(asked(dir.path())[10..], ["1_turn1", "1_turn2"]);
}

#[test]
fn a_turn_that_fails_leaves_the_later_ones_failed_until_it_is_made() {
    let dir = tempfile::tempdir().unwrap();
    painter(dir.path());
    turns(dir.path(), "turns.json", "fail");
    fs::write(dir.path().join("bad"), "").unwrap();
    let output = generate(dir.path(), &[]);
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
    let made = outputs(&run(dir.path()).join("outputs.jsonl"));
    assert_eq!(made["1_turn1"]["error"]["message"], "no paint left");
    for (turn, before) in [("1_turn2", "1_turn1"), ("1_turn3", "1_turn2")] {
        let error = &made[turn]["error"];
        assert_eq!(error["kind"], "input");
        let message = error["message"].as_str().unwrap();
        assert!(
            message.starts_with(&format!(
                "the output of `{before}`, which it starts from, failed: "
            )) && message.ends_with("no paint left"),
            "{message}"
        );
    }
    assert!(made["2_turn2"]["error"].is_null());
    // The later turns of key 1 were not asked for.
    let mut seen = asked(dir.path());
    seen.sort();
    assert_eq!(seen, ["1_turn1", "2_turn1", "2_turn2", "3_turn1"]);

    fs::remove_file(dir.path().join("bad")).unwrap();
    let output = generate(dir.path(), &[]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(asked(dir.path())[4..], ["1_turn1", "1_turn2", "1_turn3"]);
    let last = run(dir.path()).join("outputs/1_turn3.png");
    assert_eq!(squares(&last)[..3], [RED, GREEN, BLUE]);
}

#[test]
fn a_run_killed_between_two_turns_goes_on_from_the_stored_picture() {
    let dir = tempfile::tempdir().unwrap();
    painter(dir.path());
    turns(dir.path(), "turns.json", "slow");
    let mut child = unigauge_process(dir.path())
        .args([
            "generate",
            SUITE,
            "--model",
            "painter.toml",
            "--items",
            "turns.json",
            "--jobs",
            "1",
        ])
        .args(["--set", "items.image_folder=\".\""])
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let journal = run(dir.path()).join("outputs.jsonl");
    let start = Instant::now();
    while !fs::read_to_string(&journal).is_ok_and(|text| text.contains("\"1_turn1\"")) {
        assert!(start.elapsed() < Duration::from_secs(60), "nothing is made");
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let before = outputs(&journal);
    assert!(!before.contains_key("1_turn3"));
    let output = generate(dir.path(), &[]);
    assert!(output.status.success(), "{}", stderr(&output));
    let seen = asked(dir.path());
    let times = |name: &str| seen.iter().filter(|asked| *asked == name).count();
    assert_eq!((times("1_turn1"), times("1_turn3")), (1, 1), "{seen:?}");
    let last = run(dir.path()).join("outputs/1_turn3.png");
    assert_eq!(squares(&last)[..3], [RED, GREEN, BLUE]);
}

#[test]
fn shards_keep_chains_whole_and_merge_to_the_same_run() {
    let dir = tempfile::tempdir().unwrap();
    painter(dir.path());
    turns(dir.path(), "turns.json", "");
    assert!(generate(dir.path(), &["--out", "whole"]).status.success());
    let mut parts = Vec::new();
    for shard in ["1/2", "2/2"] {
        let output = generate(dir.path(), &["--shard", shard]);
        assert!(output.status.success(), "{}", stderr(&output));
        let file = format!("outputs.{}.jsonl", shard.replace('/', "-of-"));
        parts.push(
            outputs(&run(dir.path()).join(file))
                .into_keys()
                .collect::<Vec<_>>(),
        );
    }
    // The first and the third chain, and the second.
    assert_eq!(parts[0], ["1_turn1", "1_turn2", "1_turn3", "3_turn1"]);
    assert_eq!(parts[1], ["2_turn1", "2_turn2"]);
    let folder = run(dir.path());
    let merged = unigauge(dir.path())
        .arg("merge")
        .arg(&folder)
        .output()
        .unwrap();
    assert!(merged.status.success(), "{}", stderr(&merged));
    let hashes = |folder: &Path| -> BTreeMap<String, Value> {
        let all = outputs(&folder.join("outputs.jsonl")).into_iter();
        all.map(|(item, line)| (item, json!([line["sha256"], line["fingerprint"]])))
            .collect()
    };
    let whole = dir.path().join("whole").join(SUITE).join("painter/seed0");
    assert_eq!(hashes(&folder), hashes(&whole));
    // The merged run is complete: nothing is asked again.
    let before = asked(dir.path()).len();
    assert!(generate(dir.path(), &[]).status.success());
    assert_eq!(asked(dir.path()).len(), before);
}

#[test]
fn each_turn_is_measured_and_judged_against_the_picture_it_started_from() {
    let dir = tempfile::tempdir().unwrap();
    painter(dir.path());
    fs::create_dir(dir.path().join("parts")).unwrap();
    turns(dir.path(), "parts/memory.json", "");
    turns(dir.path(), "parts/backtracking.json", "");
    let run = |suite: &str, more: &[&str]| {
        let common = [
            "run",
            suite,
            "--model",
            "painter.toml",
            "--items",
            "parts/*.json",
        ];
        let named = ["--set", "items.image_folder=\".\""];
        unigauge(dir.path())
            .args(common)
            .args(named)
            .args(more)
            .output()
            .unwrap()
    };
    let output = run(SUITE, &[]);
    assert!(output.status.success(), "{}", stderr(&output));
    let folder = dir.path().join("results").join(SUITE).join("painter/seed0");
    let grades = lines(&folder.join("grades.jsonl"));
    assert_eq!(grades.len(), 12);
    // One of four squares differs from what the turn started from; from the source it would be up to three.
    for grade in &grades {
        assert_eq!(grade["score"], 0.25, "{grade}");
    }
    let summary = fs::read_to_string(folder.join("summary.json")).unwrap();
    let summary: Value = serde_json::from_str(&summary).unwrap();
    let groups = summary["groups"].as_array().unwrap().iter();
    let groups: Vec<String> = groups
        .map(|g| {
            format!(
                "{}={} n={}",
                g["by"].as_str().unwrap(),
                g["key"].as_str().unwrap(),
                g["n"]
            )
        })
        .collect();
    insta::assert_snapshot!(groups.join(", "), @"turn=1 n=6, turn=2 n=4, turn=3 n=2, category=backtracking n=6, category=memory n=6");

    let server = ChatServer::start(|_| Answer::Text("Brief reasoning: it fits.\nScore: 4".into()));
    let mut set = vec!["--set".to_owned(), "observe.judge.check=false".to_owned()];
    for line in server.settings().lines().skip(1) {
        set.extend([
            "--set".to_owned(),
            format!("observe.judge.server.{}", line.replacen(" = ", "=", 1)),
        ]);
    }
    let set: Vec<&str> = set.iter().map(String::as_str).collect();
    let output = run("imgedit-multiturn", &set);
    assert!(output.status.success(), "{}", stderr(&output));
    let folder = dir.path().join("results/imgedit-multiturn/painter/seed0");
    let file = |name: &str| fs::read(folder.join(format!("outputs/{name}.png"))).unwrap();
    let third = server.seen("You grade one turn").into_iter();
    let third: Vec<_> = third
        .filter(|chat| chat.text.contains("this turn: 16 0 0 200"))
        .collect();
    // Both files hold the same items: the same question is asked once.
    assert_eq!(third.len(), 1);
    assert!(
        third[0]
            .text
            .contains("earlier turns:\n1. 0 200 0 0 \n2. 8 0 200 0 \n\n"),
        "{}",
        third[0].text
    );
    let sent: Vec<Vec<u8>> = third[0]
        .pictures()
        .into_iter()
        .map(|(_, bytes)| bytes)
        .collect();
    assert_eq!(sent, [file("memory_1_turn2"), file("memory_1_turn3")]);
    let notes = fs::read_to_string(folder.join("summary.json")).unwrap();
    assert!(notes.contains("Not official: the authors judged these by hand."));
    // A single run's gallery shows what each turn started from.
    let cards = crate::report::embedded(&folder.join("report/index.html"));
    assert!(cards["items"].to_string().contains("memory_1_turn3"));
}

#[test]
fn a_chain_that_leads_nowhere_is_told() {
    let dir = tempfile::tempdir().unwrap();
    painter(dir.path());
    let items = [
        json!({"id": "a", "prompt": "p", "images": ["source.png"], "input_from": "b"}),
        json!({"id": "b", "prompt": "p", "images": ["source.png"]}),
        json!({"id": "c", "prompt": "p", "images": ["source.png"], "input_from": 7}),
    ];
    let text: String = items.iter().map(|item| format!("{item}\n")).collect();
    fs::write(dir.path().join("own.jsonl"), text).unwrap();
    let output = unigauge(dir.path())
        .args(["items", "preservation", "--items", "own.jsonl"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    assert!(
        said.contains(
            "`a` starts from the output of `b` (`input_from`), but no earlier item has this id"
        ),
        "{said}"
    );
    assert!(
        said.contains("`input_from` is the id of an earlier edit"),
        "{said}"
    );
}

#[test]
fn phased_batches_of_a_pipeline_give_the_same_chain_as_one_by_one() {
    let dir = tempfile::tempdir().unwrap();
    checkpoint(dir.path());
    let settings = "checkpoint = \"tiny\"\nnum_inference_steps = 2\nmax_sequence_length = 24\nsize = [32, 24]\n\
                    min_pixels = 3136\nmax_pixels = 4704";
    model(dir.path(), "tiny", "uniworld", settings);
    let source = RgbImage::from_fn(60, 40, |x, y| Rgb([40, x as u8, y as u8]));
    source.save(dir.path().join("source.png")).unwrap();
    turns(dir.path(), "turns.json", "");
    let generate = |more: &[&str]| {
        let common = [
            "generate",
            SUITE,
            "--model",
            "tiny.toml",
            "--device",
            "cpu",
            "--items",
            "turns.json",
        ];
        let named = ["--set", "items.image_folder=\".\""];
        let output = unigauge(dir.path())
            .args(common)
            .args(named)
            .args(more)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
    };
    let hashes = |out: &str, file: &str| -> BTreeMap<String, Value> {
        let path = dir
            .path()
            .join(out)
            .join(SUITE)
            .join("tiny/seed0")
            .join(file);
        let all = outputs(&path).into_iter();
        all.map(|(item, line)| (item, line["sha256"].clone()))
            .collect()
    };
    generate(&["--out", "whole"]);
    let whole = hashes("whole", "outputs.jsonl");
    let distinct: std::collections::BTreeSet<String> =
        whole.values().map(Value::to_string).collect();
    assert_eq!(distinct.len(), 6);
    generate(&["--out", "phased", "--vram-budget", "1KB"]);
    assert_eq!(hashes("phased", "outputs.jsonl"), whole);
    let mut parts = BTreeMap::new();
    for shard in ["1/2", "2/2"] {
        generate(&["--out", "parts", "--shard", shard]);
        parts.extend(hashes(
            "parts",
            &format!("outputs.{}.jsonl", shard.replace('/', "-of-")),
        ));
    }
    assert_eq!(parts, whole);
    // The third turn's picture depends on the second's: another second turn is another third one.
    let text = fs::read_to_string(dir.path().join("turns.json")).unwrap();
    fs::write(
        dir.path().join("turns.json"),
        text.replace("8 0 200 0", "other"),
    )
    .unwrap();
    generate(&["--out", "whole"]);
    let other = hashes("whole", "outputs.jsonl");
    let changed: Vec<&String> = whole
        .keys()
        .filter(|item| whole[*item] != other[*item])
        .collect();
    assert_eq!(changed, ["1_turn2", "1_turn3"]);
}
