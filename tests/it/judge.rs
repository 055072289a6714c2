//! The observer `judge`: what each prompt set sends, and what of the replies is recorded.

use crate::chat::{Answer, Chat, ChatServer};
use crate::http::Reply;
use crate::support::{lines, stderr, unigauge};
use image::{Rgb, RgbImage};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// The pictures of a suite: a JPEG to edit of 48 × 32 pixels, and edits of 64 × 64 in `images`.
pub(crate) fn pictures(dir: &Path, items: &[&str]) {
    fs::create_dir_all(dir.join("images")).unwrap();
    let source = RgbImage::from_fn(48, 32, |x, y| Rgb([x as u8 * 5, y as u8 * 8, 90]));
    source.save(dir.join("source.jpg")).unwrap();
    for (at, item) in items.iter().enumerate() {
        let edit = RgbImage::from_fn(64, 64, |x, y| Rgb([200, at as u8, (x * y) as u8]));
        edit.save(dir.join(format!("images/{item}.png"))).unwrap();
    }
}

/// A suite of edits, or of pictures from words, that a judge looks at.
pub(crate) fn suite(
    dir: &Path,
    task: &str,
    rule: &str,
    items: &[Value],
    options: &str,
) -> std::path::PathBuf {
    let text: String = items.iter().map(|item| format!("{item}\n")).collect();
    fs::write(dir.join("items.jsonl"), text).unwrap();
    let text = format!(
        "name = \"own\"\nversion = \"1\"\ntitle = \"Own\"\ntask = \"{task}\"\nobservers = [\"judge\"]\n\n\
         [items]\nfile = \"items.jsonl\"\n\n[items.map]\nexpect = \"*\"\n\n[grade]\nrule = \"{rule}\"\n\n{options}"
    );
    let path = dir.join("own.toml");
    fs::write(&path, text).unwrap();
    path
}

fn edit(id: &str, kind: &str) -> Value {
    json!({"id": id, "prompt": format!("make {id} red"), "images": ["source.jpg"], "edit_type": kind})
}

fn observe(dir: &Path, more: &[&str]) -> std::process::Output {
    unigauge(dir)
        .args(["observe", "--suite", "own.toml", "--images", "images"])
        .args(more)
        .env("UNIGAUGE_TEST_KEY", KEY)
        .output()
        .unwrap()
}

const KEY: &str = "sk-not-to-be-seen-0123456789";
const RUN: &str = "results/own/folder/seed0";

/// The evidence of an item.
fn evidence(dir: &Path, item: &str) -> Value {
    let all = lines(&dir.join(RUN).join("evidence.jsonl"));
    let mut of = all.into_iter().filter(|line| line["item"] == item);
    of.next_back().unwrap()["evidence"].clone()
}

/// The scores of all outputs, in the order of the items.
fn scores(dir: &Path) -> Vec<Value> {
    let grades = lines(&dir.join(RUN).join("grades.jsonl"));
    grades.iter().map(|grade| grade["score"].clone()).collect()
}

fn replies(evidence: &Value) -> Vec<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let calls = evidence["calls"].as_array().unwrap().iter();
    calls
        .map(|call| {
            (
                text(&call["role"]),
                text(&call["reply"]),
                text(&call["state"]),
            )
        })
        .collect()
}

fn always(text: &'static str) -> impl Fn(&Chat) -> Answer + Send + Sync {
    move |_| Answer::Text(text.into())
}

#[test]
fn imgedit_sends_both_files_as_they_are_behind_the_words_for_the_kind_of_edit() {
    let dir = tempfile::tempdir().unwrap();
    pictures(dir.path(), &["a", "b"]);
    let server = ChatServer::start(always("Brief reasoning: ok\nPrompt Compliance: 4\n"));
    let options = format!("[observe.judge]\nset = \"imgedit\"\n{}", server.settings());
    let items = [edit("a", "alter"), edit("b", "extract")];
    suite(dir.path(), "edit", "imgedit", &items, &options);
    observe(dir.path(), &[]);
    assert_eq!(scores(dir.path()), [json!(4.0), json!(4.0)]);

    let asked = server.seen("You grade edits");
    assert_eq!(asked.len(), 2);
    let of = |words: &str| asked.iter().find(|chat| chat.text.contains(words)).unwrap();
    let altered = of("instruction of the edit: make a red\n");
    // The newer name of the kind chooses the words.
    assert!(altered.text.contains("Visual Seamlessness: 1 to 5"));
    assert!(
        of("instruction of the edit: make b red\n")
            .text
            .contains("Mask Precision: 1 to 5")
    );
    let keys: Vec<&String> = altered.body.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["model", "messages", "stream"]);
    let parts = altered.parts();
    assert_eq!(parts.len(), 3);
    assert!(parts[0]["text"].is_string(), "text first");
    let file = |name: &str| fs::read(dir.path().join(name)).unwrap();
    // A JPEG under the label of a PNG: so it is officially.
    let png = |bytes| ("image/png".to_owned(), bytes);
    let sent = [png(file("source.jpg")), png(file("images/a.png"))];
    assert_eq!(altered.pictures(), sent);

    let seen = evidence(dir.path(), "a");
    assert_eq!(seen["model"], "tiny-2026-01-01");
    assert_eq!(seen["judge"], "tiny");
    assert_eq!(seen["server"], server.server.url("/v1"));
    assert_eq!(seen["prompts"]["set"], "imgedit");
    assert_eq!(seen["prompts"]["wording"], "own");
    assert_eq!(seen["prompts"]["sha256"].as_str().unwrap().len(), 64);
    let call = &seen["calls"][0];
    assert_eq!(call["role"], "judge");
    assert_eq!(call["reply"], "Brief reasoning: ok\nPrompt Compliance: 4\n");
    assert_eq!(
        (&call["input_tokens"], &call["output_tokens"]),
        (&json!(100), &json!(10))
    );
    assert_eq!(
        (&call["state"], &call["attempts"]),
        (&json!("ok"), &json!(1))
    );
    // The row says who judged, and in whose words.
    let manifest = fs::read_to_string(dir.path().join(RUN).join("manifest.json")).unwrap();
    assert!(
        manifest.contains("\"title\": \"folder (judge tiny, own prompts)\""),
        "{manifest}"
    );
    let check = fs::read_to_string(dir.path().join(RUN).join("judge/check.json")).unwrap();
    assert!(check.contains("\"told_apart\": true"), "{check}");

    // Looked at already: nothing is asked, not even whether the judge is there. Another source is another
    // question.
    let before = server.server.seen().len();
    observe(dir.path(), &[]);
    assert_eq!(server.server.seen().len(), before);
    RgbImage::new(9, 9)
        .save(dir.path().join("source.jpg"))
        .unwrap();
    observe(dir.path(), &[]);
    assert_eq!(server.seen("You grade edits").len(), 4);
}

#[test]
fn gedit_sends_jpegs_of_the_sources_size_and_asks_a_pair_again_that_cannot_be_read() {
    let dir = tempfile::tempdir().unwrap();
    pictures(dir.path(), &["a", "b"]);
    let server = ChatServer::start(|chat| {
        let good = "{\"score\": [8, 9], \"reasoning\": \"fine\"}";
        let pair = chat.pictures().len() == 2;
        // The first quality of the first item to be asked is no score.
        Answer::Text(match (pair, chat.before) {
            (false, 0) => "I cannot tell".into(),
            _ => good.into(),
        })
    });
    let options = format!(
        "[observe.judge]\nset = \"gedit\"\n{}concurrency = 1\n",
        server.settings()
    );
    suite(
        dir.path(),
        "edit",
        "gedit",
        &[edit("a", "text_change"), edit("b", "text_change")],
        &options,
    );
    observe(dir.path(), &[]);
    let seen = [evidence(dir.path(), "a"), evidence(dir.path(), "b")];
    let roles = |evidence: &Value| -> Vec<String> {
        let all = replies(evidence).into_iter();
        all.map(|(role, _, state)| format!("{role} {state}"))
            .collect()
    };
    let mut lengths = seen.each_ref().map(|evidence| roles(evidence).len());
    lengths.sort_unstable();
    assert_eq!(lengths, [2, 4]);
    // Two least scores of 8: √(8 · 8), of the round that can be read.
    assert_eq!(scores(dir.path()), [json!(8.0), json!(8.0)]);
    let twice = seen
        .iter()
        .find(|evidence| roles(evidence).len() == 4)
        .unwrap();
    assert_eq!(roles(twice), ["sc ok", "pq unparsed", "sc ok", "pq ok"]);

    let asked = server.seen("You are an artist");
    let pair = asked
        .iter()
        .find(|chat| chat.pictures().len() == 2)
        .unwrap();
    assert_eq!(pair.body["max_tokens"], 1400);
    assert_eq!(
        pair.body.as_object().unwrap().len(),
        4,
        "model, max_tokens, messages, stream"
    );
    for (label, bytes) in pair.pictures() {
        assert_eq!(label, "image/jpeg");
        let decoded = image::load_from_memory(&bytes).unwrap();
        assert_eq!(
            (decoded.width(), decoded.height()),
            (48, 32),
            "the source's size"
        );
        // The frame header: 8 bits, height, width, three parts; the first sampled 2 × 2 and the others 1 × 1.
        let frame = bytes
            .windows(2)
            .position(|pair| pair == [0xff, 0xc0])
            .unwrap();
        let frame = &bytes[frame + 4..];
        assert_eq!(frame[..6], [8, 0, 32, 0, 48, 3]);
        assert_eq!([frame[7], frame[10], frame[13]], [0x22, 0x11, 0x11]);
        // The first entry of libjpeg's luminance table at quality 75: (16 · 50 + 50) / 100.
        let table = bytes
            .windows(2)
            .position(|pair| pair == [0xff, 0xdb])
            .unwrap();
        assert_eq!(bytes[table + 5], 8);
    }
    let alone = asked
        .iter()
        .find(|chat| chat.pictures().len() == 1)
        .unwrap();
    assert!(
        !alone.text.contains("make "),
        "quality knows no instruction"
    );
}

#[test]
fn wise_asks_up_to_three_times_until_three_scores_can_be_read() {
    let dir = tempfile::tempdir().unwrap();
    pictures(dir.path(), &["good", "late", "never"]);
    let server = ChatServer::start(|chat| {
        let scores = "Consistency: 2\nRealism: 1\n**Aesthetic Quality**: 0";
        let late = chat.text.contains("\"late") && chat.before == 2;
        Answer::Text(if chat.text.contains("\"good") || late {
            scores.into()
        } else {
            "Consistency: 2".into()
        })
    });
    let options = format!("[observe.judge]\nset = \"wise\"\n{}", server.settings());
    let item = |id: &str| json!({"id": id, "prompt": "p", "Prompt": format!("{id} food"), "Explanation": "a <prompt> cake"});
    let items = ["good", "late", "never"].map(item);
    suite(dir.path(), "text-to-image", "wise", &items, &options);
    observe(dir.path(), &[]);
    let states = |item: &str| -> Vec<String> {
        let all = replies(&evidence(dir.path(), item)).into_iter();
        all.map(|(_, _, state)| state).collect()
    };
    assert_eq!(states("good"), ["ok"]);
    assert_eq!(states("late"), ["unparsed", "unparsed", "ok"]);
    assert_eq!(states("never"), ["unparsed"; 3]);
    // (0.7 · 2 + 0.2 · 1 + 0.1 · 0) / 2, of the items in their order.
    let scored = scores(dir.path());
    let near = |score: &Value| (score.as_f64().unwrap() - 0.8).abs() < 1e-12;
    assert!(scored[..2].iter().all(near), "{scored:?}");
    let asked = server.seen("Grade a picture");
    assert_eq!(asked.len(), 7);
    let body = &asked[0].body;
    assert_eq!(
        (&body["temperature"], &body["max_tokens"]),
        (&json!(0.0), &json!(2000))
    );
    assert_eq!(body["messages"][0]["role"], "system");
    assert!(asked[0].text.contains(" food\"\n"));
    // A mark inside a value is no mark.
    assert!(
        asked[0].text.contains("Explanation: \"a <prompt> cake\""),
        "{}",
        asked[0].text
    );
}

#[test]
fn a_refusal_is_kept_as_such_and_not_asked_again() {
    let dir = tempfile::tempdir().unwrap();
    pictures(dir.path(), &["filter", "words", "thoughts"]);
    let server = ChatServer::start(|chat| {
        if chat.text.contains("make filter red") {
            let code = "content_policy_violation";
            return Answer::Whole(crate::chat::error("400 Bad Request", code, "not this one"));
        }
        if chat.text.contains("make words red") {
            let message = json!({"content": null, "refusal": "I will not."});
            let choice = json!({"message": message, "finish_reason": "stop"});
            return Answer::Whole(Reply::json("200 OK", &json!({"choices": [choice]})));
        }
        Answer::Text("<think>Hm: 3</think>\nScore: 4".into())
    });
    let options = format!(
        "[observe.judge]\nset = \"uge\"\nrounds = 3\n{}",
        server.settings()
    );
    let items = ["filter", "words", "thoughts"].map(|id| edit(id, "x"));
    suite(dir.path(), "edit", "imgedit", &items, &options);
    let output = observe(dir.path(), &[]);
    for item in ["filter", "words"] {
        let seen = evidence(dir.path(), item);
        assert_eq!(
            replies(&seen),
            [("judge".into(), String::new(), "refused".into())]
        );
    }
    let grades = lines(&dir.path().join(RUN).join("grades.jsonl"));
    assert!(
        grades[0]["unscored"]
            .as_str()
            .unwrap()
            .starts_with("refused")
    );
    let refused = evidence(dir.path(), "words");
    assert_eq!(refused["calls"][0]["refusal"], "I will not.");
    assert_eq!(refused["calls"][0]["input_tokens"], Value::Null);
    let thought = evidence(dir.path(), "thoughts");
    assert_eq!(thought["calls"][0]["reply"], "Score: 4");
    assert_eq!(thought["calls"][0]["thinking"], "Hm: 3");
    assert!(!stderr(&output).contains("trying again"));
    assert!(server.account().values().all(|account| account.asked == 1));
    observe(dir.path(), &[]);
    assert!(server.account().values().all(|account| account.asked == 1));
    // Another sample is another measurement.
    observe(dir.path(), &["--set", "observe.judge.sample=1"]);
    assert!(server.account().values().all(|account| account.asked == 2));
}

#[test]
fn a_set_of_ones_own_and_a_benchmarks_own_file_are_taken() {
    let dir = tempfile::tempdir().unwrap();
    pictures(dir.path(), &["a"]);
    let server = ChatServer::start(always("9"));
    let own = "name = \"mood\"\n[request]\nmax_tokens = 5\n[fill]\n\"{kind}\" = \"expect.edit_type\"\n\
               [[call]]\nrole = \"mood\"\npictures = [\"output\"]\ntext = \"Mood of this {kind}?\"\naccept = ['^[0-9]$']\n";
    fs::write(dir.path().join("mood.toml"), own).unwrap();
    let with = |options: &str| {
        let options = format!("[observe.judge]\n{options}\n{}", server.settings());
        let more = "token_field = \"max_completion_tokens\"\nextra = { top_k = 1 }\n";
        suite(
            dir.path(),
            "edit",
            "contains",
            &[edit("a", "portrait")],
            &(options + more),
        );
        observe(dir.path(), &[])
    };
    with("prompts = \"mood.toml\"");
    let asked = &server.seen("Mood of this portrait?")[0];
    assert_eq!(asked.body["max_completion_tokens"], 5);
    assert_eq!(asked.body["top_k"], 1);
    let seen = evidence(dir.path(), "a");
    assert_eq!(seen["prompts"]["wording"], "mood.toml");
    assert_eq!(replies(&seen), [("mood".into(), "9".into(), "ok".into())]);

    // In the form in which the benchmarks publish them.
    let texts = json!({"portrait": "Official words about <edit_prompt>"});
    fs::write(dir.path().join("prompts.json"), texts.to_string()).unwrap();
    with("set = \"imgedit\"\nprompts = \"prompts.json\"");
    assert_eq!(server.seen("Official words about make a red").len(), 1);
    let source = "_context_no_delimit = \"\"\"C\"\"\"\n_prompts_0shot_two_image_edit_rule = \"\"\"R\n\"\"\"\n\
                  _prompts_0shot_tie_rule_SC = \"\"\"S <instruction>\"\"\"\n_prompts_0shot_rule_PQ = \"\"\"Q\"\"\"\n";
    fs::write(dir.path().join("vie.py"), source).unwrap();
    with("set = \"gedit\"\nprompts = \"vie.py\"");
    assert_eq!(server.seen("C\nR\n\nS make a red").len(), 2);
    assert_eq!(server.seen("C\nQ").len(), 2);

    // Mistakes are told with what would be right.
    let said = |options: &str| {
        let output = with(options);
        assert_eq!(output.status.code(), Some(2), "{options}");
        stderr(&output)
    };
    assert!(said("").contains("names no prompt set"));
    assert!(
        said("set = \"imgedits\"").replace("- ", "-").contains(
            "gedit, imgedit, imgedit-multiturn, uge, unified-reward, wise, wise-verified"
        )
    );
    assert!(said("prompts = \"absent.toml\"").contains("absent.toml"));
    assert!(said("set = \"gedit\"\nprompts = \"prompts.json\"").contains("_context_no_delimit"));
    fs::write(dir.path().join("mood.toml"), own.replace("expect.", "")).unwrap();
    assert!(said("prompts = \"mood.toml\"").contains("`edit_type` must be prompt"));
    // An item without the key fails alone, and says which.
    let output = with("set = \"wise\"");
    assert_eq!(output.status.code(), Some(5));
    assert!(
        stderr(&output).contains("the item has no `expect.Prompt`"),
        "{}",
        stderr(&output)
    );
}
