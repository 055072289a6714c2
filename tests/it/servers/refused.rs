//! One request that a server does not let through, and what other programs write of half an emoji.

use super::cases::{body, plain};
use super::consumer::Consumer::{Chat, Edit, Judge, Picture, Reader};
use super::consumer::{Consumer, file};
use crate::http::{Reply, Server};
use crate::support::{lines, model, stderr, unigauge};
use serde_json::json;
use std::fs;
use std::path::Path;

/// A gateway that answers "not found" to large requests, as [`large`] tells them.
fn gateway(consumer: Consumer, status: &'static str) -> Server {
    let right = consumer.right();
    Server::start(move |seen, _| {
        if large(&seen.body) {
            Reply::json(status, &json!({"statusCode": 404, "error": "Not Found"}))
        } else {
            plain(&right)
        }
    })
}

fn large(body: &[u8]) -> bool {
    body.len() > 20_000
}

/// Items of which some send a large picture.
fn items(consumer: Consumer, dir: &Path, large: &[bool]) {
    let noise = |x: u32, y: u32| {
        let mixed = (x * 7919 + y * 104_729).wrapping_mul(2_654_435_761) ^ (x * y);
        image::Rgb([(mixed >> 8) as u8, (mixed >> 16) as u8, (mixed >> 24) as u8])
    };
    image::RgbImage::from_fn(160, 160, noise)
        .save(dir.join("noise.png"))
        .unwrap();
    let mut text = String::new();
    for (at, large) in large.iter().enumerate() {
        let picture = if *large { "noise.png" } else { "dot.png" };
        let images = if consumer == Reader {
            json!([])
        } else {
            json!([picture])
        };
        let item = json!({"id": format!("a{at}"), "prompt": format!("Which colour has number {at}?"), "images": images,
            "expect": {"answers": ["blue"], "texts": ["FRESH BREAD"], "language": "en", "edit_type": "add"}});
        text += &format!("{item}\n");
        fs::copy(dir.join(picture), dir.join(format!("pictures/a{at}_0.png"))).unwrap();
    }
    let _ = fs::remove_file(dir.join("pictures/a_0.png"));
    fs::write(dir.join("items.jsonl"), text).unwrap();
}

/// Which items failed for good.
fn failed(consumer: Consumer, dir: &Path) -> Vec<String> {
    let name = match consumer {
        Reader | Judge => "evidence.jsonl",
        _ => "outputs.jsonl",
    };
    let mut last = std::collections::BTreeMap::new();
    for record in lines(&file(dir, name)) {
        last.insert(
            record["item"].as_str().unwrap().to_owned(),
            !record["error"].is_null(),
        );
    }
    let failed = last.into_iter().filter(|(_, failed)| *failed);
    failed.map(|(item, _)| item).collect()
}

/// Not found, after others were answered: that item fails, the rest goes on, and so does the same command
/// again, whose first request is the large one.
#[test]
fn one_request_that_is_too_large_fails_alone() {
    for consumer in [Chat, Edit, Reader, Judge] {
        for status in ["404 Not Found", "413 Payload Too Large"] {
            let dir = tempfile::tempdir().unwrap();
            let server = gateway(consumer, status);
            consumer.prepare(dir.path(), &server);
            items(consumer, dir.path(), &[false, false, true, false]);
            for time in 0..2 {
                let output = consumer.run(dir.path());
                let said = stderr(&output);
                assert_eq!(
                    output.status.code(),
                    Some(5),
                    "{consumer:?} {status} {time}: {said}"
                );
                assert_eq!(
                    failed(consumer, dir.path()),
                    ["a2"],
                    "{consumer:?} {status} {time}: {said}"
                );
            }
            let asked: Vec<bool> = server.seen().iter().map(|seen| large(&seen.body)).collect();
            assert_eq!(
                asked.iter().filter(|large| !**large).count(),
                3,
                "each of the others once: {asked:?}"
            );
        }
    }
}

/// Not found at the first request ends the run; too large fails that item alone.
#[test]
fn the_first_request_tells_a_wrong_address_from_a_large_request() {
    for consumer in [Chat, Edit, Judge] {
        let dir = tempfile::tempdir().unwrap();
        let server =
            Server::start(|_, _| Reply::new("404 Not Found", "{\"detail\": \"Not Found\"}"));
        consumer.prepare(dir.path(), &server);
        items(consumer, dir.path(), &[false, false]);
        let output = consumer.run(dir.path());
        assert_eq!(
            output.status.code(),
            Some(6),
            "{consumer:?}: {}",
            stderr(&output)
        );
        let said = stderr(&output);
        assert!(said.contains("answered 404: Not Found"), "{said}");
        assert!(said.contains("check `model` and `base_url`"), "{said}");
    }
    let dir = tempfile::tempdir().unwrap();
    let server = gateway(Chat, "413 Payload Too Large");
    Chat.prepare(dir.path(), &server);
    items(Chat, dir.path(), &[true, false]);
    let output = Chat.run(dir.path());
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
    assert_eq!(failed(Chat, dir.path()), ["a0"]);
}

/// While another request is on its way, "not found" waits for what becomes of it, whoever is first.
#[test]
fn a_faster_refusal_does_not_end_what_others_prove_right() {
    let dir = tempfile::tempdir().unwrap();
    let right = Chat.right();
    let server = Server::start(move |seen, _| {
        if large(&seen.body) {
            Reply::new("404 Not Found", "")
        } else {
            std::thread::sleep(std::time::Duration::from_millis(400));
            plain(&right)
        }
    });
    Chat.prepare(dir.path(), &server);
    items(Chat, dir.path(), &[false, true, false]);
    let output = unigauge(dir.path())
        .args([
            "run", "s.toml", "--model", "m.toml", "--out", "out", "--jobs", "3",
        ])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
    assert_eq!(failed(Chat, dir.path()), ["a1"]);
}

/// A picture that the server only names and that is gone fails its item and not the run.
#[test]
fn a_named_picture_that_is_gone_fails_alone() {
    for status in ["404 Not Found", "403 Forbidden"] {
        let dir = tempfile::tempdir().unwrap();
        let store = Server::start(move |_, _| Reply::new(status, "expired"));
        let (gone, right) = (store.url("/a.png"), Picture.right());
        let server = Server::start(move |_, before| match before {
            0 => body(json!({"data": [{"url": gone}]}).to_string()),
            _ => plain(&right),
        });
        Picture.prepare(dir.path(), &server);
        items(Reader, dir.path(), &[false, false]);
        let output = unigauge(dir.path())
            .args([
                "generate", "s.toml", "--model", "m.toml", "--out", "out", "--jobs", "1",
            ])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
        assert_eq!(failed(Picture, dir.path()), ["a0"]);
    }
}

/// Half an emoji in what other programs write: items, loose outputs, and the lines of a `command`.
#[test]
fn half_an_emoji_is_read_wherever_other_programs_write_json() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(|_, _| plain(&Chat.right()));
    Chat.prepare(dir.path(), &server);
    let script = "import sys, json\nfor line in sys.stdin:\n    ask = json.loads(line)\n    \
                  print('\\ufeff' + json.dumps({'id': ask['id'], 'text': 'blue \\ud83c'}), flush=True)\n";
    fs::write(dir.path().join("answer.py"), script).unwrap();
    model(
        dir.path(),
        "c",
        "command",
        "program = [\"python3\", \"answer.py\"]\ntimeout_seconds = 20.0\nenv = { PYTHONIOENCODING = \"utf-8\" }",
    );
    let item = r#"{"id": "a", "prompt": "Which colour? \ud83c", "expect": {"answers": ["blue"]}}"#;
    for (name, text) in [
        ("items.jsonl", item.to_owned()),
        ("items.json", format!("[{item}]")),
    ] {
        fs::write(dir.path().join(name), text).unwrap();
        let suite = fs::read_to_string(dir.path().join("s.toml")).unwrap();
        let suite = suite.replace("items.jsonl", name);
        fs::write(dir.path().join("t.toml"), suite).unwrap();
        let output = unigauge(dir.path())
            .args(["run", "./t.toml", "--model", "./c.toml", "--out"])
            .arg(format!("made-{name}"))
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{name}: {}", stderr(&output));
    }
    let made = dir.path().join("made-items.jsonl/s/c/seed0/outputs.jsonl");
    assert_eq!(lines(&made)[0]["text"], "blue \u{fffd}");

    // The same as loose files.
    for name in ["items.jsonl", "outputs.jsonl"] {
        let text = fs::read_to_string(made.with_file_name(name)).unwrap();
        assert!(text.contains('\u{fffd}'), "{text}");
        let text = text.replace('\u{fffd}', "\\ud83c");
        fs::write(dir.path().join(name), format!("\u{feff}{text}")).unwrap();
    }
    let output = unigauge(dir.path())
        .args(["grade", "--suite", "./s.toml", "--items", "items.jsonl"])
        .args(["--outputs", "outputs.jsonl", "--out", "out"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(Chat.is_right(dir.path()));
}
