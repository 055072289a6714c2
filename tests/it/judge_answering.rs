//! Who answers: a judge that is not the one asked for, one that changes, one without a name, and one that
//! ends soon.

use crate::http::{Reply, Server};
use crate::judge::{pictures, suite};
use crate::support::{lines, model, stderr, text_suite, unigauge};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const RUN: &str = "results/own/folder/seed0";
const A: &str = "m-2026-01-01";
const B: &str = "m-2026-02-02";

/// A judge's server that counts its answers.
struct Judge {
    server: Server,
    answered: Arc<AtomicUsize>,
}

impl Judge {
    /// `facts` are the fields beside the words of the answer with this number, the two of the check among
    /// them.
    fn start(facts: impl Fn(usize) -> Value + Send + Sync + 'static) -> Self {
        Self::with_entry(json!({"id": "m", "object": "model"}), facts)
    }

    /// The same with what `/models` says of the model.
    fn with_entry(entry: Value, facts: impl Fn(usize) -> Value + Send + Sync + 'static) -> Self {
        let answered = Arc::new(AtomicUsize::new(0));
        let count = answered.clone();
        let server = Server::start(move |seen, _| {
            if seen.path.ends_with("/models") {
                return Reply::json("200 OK", &json!({"data": [entry]})).kept();
            }
            if seen.body.is_empty() {
                return Reply::new("404 Not Found", "").kept();
            }
            let asked = String::from_utf8_lossy(&seen.body).into_owned();
            let words = match () {
                () if asked.contains("Answer with the one word") => "ready",
                () if asked.contains("Which of these two pictures") => "Second.",
                () => "Score: 4",
            };
            let number = count.fetch_add(1, Ordering::SeqCst);
            let message = json!({"role": "assistant", "content": words});
            let mut answer = json!({"choices": [{"message": message, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 100, "completion_tokens": 10}});
            for (key, value) in facts(number).as_object().unwrap() {
                answer[key] = value.clone();
            }
            Reply::json("200 OK", &answer)
                .with(
                    "Date",
                    format!("Mon, 30 Nov 2026 01:{:02}:00 GMT", number.min(59)),
                )
                .with("x-request-id", format!("req-{number}"))
                .with("x-other", "not kept")
                .kept()
        });
        Self { server, answered }
    }

    fn answered(&self) -> usize {
        self.answered.load(Ordering::SeqCst)
    }
}

/// Writes a suite of edits and their pictures, judged by one call each.
fn edits(dir: &Path, judge: &Judge, count: usize, more: &str) {
    let names: Vec<String> = (0..count).map(|at| format!("e{at:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    pictures(dir, &names);
    let items: Vec<Value> = names
        .iter()
        .map(|id| json!({"id": id, "prompt": format!("make {id} red"), "images": ["source.jpg"], "edit_type": "x"}))
        .collect();
    let options = format!(
        "[observe.judge]\nset = \"uge\"\n[observe.judge.server]\nmodel = \"m\"\nbase_url = \"{}\"\n\
         api_key_env = \"UNIGAUGE_TEST_KEY\"\nfirst_wait_seconds = 0.0\n{more}\n",
        judge.server.url("/v1")
    );
    suite(dir, "edit", "imgedit", &items, &options);
}

fn observe(dir: &Path, more: &[&str]) -> Output {
    unigauge(dir)
        .args(["observe", "--suite", "own.toml", "--images", "images"])
        .args(more)
        .output()
        .unwrap()
}

fn says(dir: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = unigauge(dir).args(arguments).output().unwrap();
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.code(), shown, words(&output))
}

/// What was said on stderr, without the breaks of lines.
fn words(output: &Output) -> String {
    let said = stderr(output).replace(['│', '×'], " ");
    said.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn read(path: PathBuf) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

fn summary(run: &Path) -> Value {
    read(run.join("summary.json"))
}

fn notes(run: &Path) -> String {
    let summary = summary(run);
    let notes = summary["notes"].as_array().unwrap().iter();
    notes
        .filter_map(Value::as_str)
        .collect::<Vec<_>>()
        .join("\n")
}

fn table(run: &Path) -> String {
    fs::read_to_string(run.join("report/table.md")).unwrap()
}

/// A judge that answers as A 32 times, the check's two among them, and then as B.
fn switching() -> Judge {
    Judge::start(|number| json!({"model": if number < 32 { A } else { B }}))
}

#[test]
fn a_judge_that_changes_ends_the_run_at_the_first_reply_of_another() {
    let dir = tempfile::tempdir().unwrap();
    let judge = switching();
    edits(dir.path(), &judge, 40, "concurrency = 1");
    let output = observe(dir.path(), &[]);
    assert_eq!(output.status.code(), Some(6), "{}", words(&output));
    let why =
        format!("the judge changed: 32 replies by {A}, then {B} from 2026-11-30 01:32:00 UTC");
    assert!(words(&output).contains(&why), "{}", words(&output));
    assert!(words(&output).contains("answering = \"mark\""));
    assert_eq!(judge.answered(), 33, "no call is made after it");

    // What came is kept, the last reply marked, and nothing of B's is evidence.
    let run = dir.path().join(RUN);
    let replies = lines(&run.join("judge/replies.jsonl"));
    assert_eq!(replies.len(), 33);
    assert_eq!(
        (&replies[32]["model"], &replies[32]["set_aside"]),
        (&json!(B), &json!(why))
    );
    assert_eq!(
        replies
            .iter()
            .filter(|reply| reply.get("set_aside").is_some())
            .count(),
        1
    );
    let seen = lines(&run.join("evidence.jsonl"));
    assert_eq!(seen.len(), 30);
    assert!(seen.iter().all(|line| line["evidence"]["model"] == A));
    let (code, ..) = says(dir.path(), &["grade", RUN]);
    assert_eq!(code, Some(5));
    let graded = summary(&run);
    assert_eq!(
        (
            &graded["scored"],
            &graded["judges"].as_array().unwrap().len()
        ),
        (&json!(30), &1)
    );

    // The run goes on no further while B answers: its first reply is enough.
    let output = observe(dir.path(), &[]);
    assert_eq!(output.status.code(), Some(6));
    assert!(words(&output).contains(&why), "{}", words(&output));
    assert_eq!(judge.answered(), 34);
}

#[test]
fn a_run_that_was_stopped_is_finished_by_the_judge_that_began_it() {
    let dir = tempfile::tempdir().unwrap();
    // The 33rd answer alone is another's.
    let judge = Judge::start(|number| json!({"model": if number == 32 { B } else { A }}));
    edits(dir.path(), &judge, 36, "concurrency = 1");
    assert_eq!(observe(dir.path(), &[]).status.code(), Some(6));
    let output = observe(dir.path(), &[]);
    assert!(output.status.success(), "{}", words(&output));
    // Two of the check, and the six that A has not answered yet: B's reply is not used.
    assert_eq!(judge.answered(), 33 + 2 + 6);
    let graded = summary(&dir.path().join(RUN));
    assert_eq!(graded["scored"], 36);
    assert_eq!(graded["judges"].as_array().unwrap().len(), 1);
    assert_eq!(graded["judges"][0]["calls"], 36);
}

#[test]
fn calls_in_flight_are_kept_and_no_other_follows() {
    let dir = tempfile::tempdir().unwrap();
    let judge = switching();
    edits(dir.path(), &judge, 80, "concurrency = 8");
    assert_eq!(observe(dir.path(), &["-j", "2"]).status.code(), Some(6));
    let answered = judge.answered();
    assert!((33..=40).contains(&answered), "{answered}");
    let replies = lines(&dir.path().join(RUN).join("judge/replies.jsonl"));
    assert_eq!(replies.len(), answered);
}

#[test]
fn a_marked_change_is_graded_and_counted_and_neither_compared_nor_let_through_the_gate() {
    let dir = tempfile::tempdir().unwrap();
    let judge = switching();
    edits(
        dir.path(),
        &judge,
        40,
        "concurrency = 1\nanswering = \"mark\"",
    );
    let output = observe(dir.path(), &[]);
    assert!(output.status.success(), "{}", words(&output));
    let run = dir.path().join(RUN);
    let found = summary(&run);
    assert_eq!(found["scored"], 40);
    let judges = found["judges"].as_array().unwrap();
    let told: Vec<Value> = judges
        .iter()
        .map(|judge| {
            json!([
                judge["asked"],
                judge["answered"],
                judge["class"],
                judge["calls"]
            ])
        })
        .collect();
    assert_eq!(
        told,
        [json!(["m", A, "pinned", 30]), json!(["m", B, "pinned", 10])]
    );
    assert_eq!(judges[0]["first"], "2026-11-30T01:02:00Z");
    assert_eq!(judges[0]["last"], "2026-11-30T01:31:00Z");
    let counts = format!(
        "the judge changed: 30 replies by {A}, then 10 by {B} from 2026-11-30 01:32:00 UTC"
    );
    assert!(notes(&run).contains(&counts), "{}", notes(&run));
    assert!(table(&run).contains("prompts)§"), "{}", table(&run));
    // Further records know it, too.
    let seen = lines(&run.join("evidence.jsonl"));
    let of_b = seen
        .iter()
        .filter(|line| line["evidence"]["calls"][0]["model"] == B);
    assert_eq!(of_b.count(), 10);

    // A run that A judged alone.
    let steady = Judge::start(|_| json!({"model": A}));
    let address = format!(
        "observe.judge.server.base_url=\"{}\"",
        steady.server.url("/v1")
    );
    let output = observe(dir.path(), &["--out", "steady", "--set", &address]);
    assert!(output.status.success(), "{}", words(&output));
    let steady = "steady/own/folder/seed0";
    let (code, _, said) = says(dir.path(), &["compare", steady, RUN]);
    assert_eq!(code, Some(2), "{said}");
    assert!(
        said.contains("mixed judges: ") && said.contains("--allow-judges"),
        "{said}"
    );
    let allowed = says(dir.path(), &["compare", steady, RUN, "--allow-judges"]);
    assert_eq!(allowed.0, Some(0), "{}", allowed.2);
    assert!(
        allowed.1.contains("compared although they differ"),
        "{}",
        allowed.1
    );
    // Who lets other observers pass does not let this pass.
    assert_eq!(
        says(dir.path(), &["compare", steady, RUN, "--allow-observers"]).0,
        Some(2)
    );

    let (code, shown, _) = says(dir.path(), &["gate", RUN, "--baseline", steady]);
    assert_eq!(code, Some(5), "{shown}");
    assert!(shown.contains("mixed judges"), "{shown}");
    let policy = "name = \"mine\"\ntitle = \"Mine\"\nallow_judges = true\n[[rules]]\nmetric = \"overall\"\ntier = \"critical\"\n";
    fs::write(dir.path().join("mine.toml"), policy).unwrap();
    let (code, shown, _) = says(
        dir.path(),
        &["gate", RUN, "--baseline", steady, "--policy", "mine.toml"],
    );
    assert_eq!(code, Some(0), "{shown}");
    // So does a baseline file, which keeps the judges.
    let saved = says(dir.path(), &["baseline", "save", RUN, "--to", "b.json"]);
    assert_eq!(saved.0, Some(0), "{}", saved.2);
    let (code, shown, _) = says(dir.path(), &["gate", steady, "--baseline", "b.json"]);
    assert_eq!(code, Some(5), "{shown}");
}

#[test]
fn a_change_that_is_ignored_is_not_marked_and_still_on_record() {
    let dir = tempfile::tempdir().unwrap();
    let judge = Judge::start(|number| json!({"model": if number < 12 { A } else { "cheap" }}));
    edits(
        dir.path(),
        &judge,
        20,
        "concurrency = 1\nanswering = \"ignore\"",
    );
    let output = observe(dir.path(), &[]);
    assert!(output.status.success(), "{}", words(&output));
    assert!(
        !words(&output).contains("the judge changed"),
        "{}",
        words(&output)
    );
    let run = dir.path().join(RUN);
    assert!(!notes(&run).contains("judge"), "{}", notes(&run));
    let found = summary(&run);
    assert_eq!(found["judges"][1]["answered"], "cheap");
    assert_eq!(found["judges"][1]["class"], "redirected");
    assert_eq!(found["judges"][1]["calls"], 10);
    let replies = lines(&run.join("judge/replies.jsonl"));
    assert_eq!(
        replies
            .iter()
            .filter(|reply| reply["model"] == "cheap")
            .count(),
        10
    );
    // The mixture is a fact of the table all the same, and nothing is held against it.
    let rows = table(&run);
    assert!(
        rows.contains("mixes the scores of several judges"),
        "{rows}"
    );
    assert_eq!(
        says(dir.path(), &["gate", RUN, "--baseline", RUN]).0,
        Some(5)
    );
}

#[test]
fn another_model_than_the_one_asked_for_ends_the_run_before_it_begins() {
    let dir = tempfile::tempdir().unwrap();
    let judge = Judge::start(|_| json!({"model": "cheap-flash"}));
    edits(dir.path(), &judge, 4, "");
    let output = observe(dir.path(), &[]);
    assert_eq!(output.status.code(), Some(6));
    let why = "the judge m was asked, and cheap-flash answers (redirected)";
    assert!(words(&output).contains(why), "{}", words(&output));
    assert_eq!(judge.answered(), 1);
    let kept = lines(&dir.path().join(RUN).join("judge/replies.jsonl"));
    assert_eq!(
        (&kept[0]["class"], &kept[0]["set_aside"]),
        (&json!("redirected"), &json!(why))
    );

    // A name that the settings declare is right, and names the row.
    let declared = ["--set", "observe.judge.server.answers=[\"CHEAP-flash\"]"];
    let output = observe(dir.path(), &declared);
    assert!(output.status.success(), "{}", words(&output));
    let rows = table(&dir.path().join(RUN));
    assert!(
        rows.contains("judge cheap-flash, own prompts)") && !rows.contains('§'),
        "{rows}"
    );
    assert_eq!(
        summary(&dir.path().join(RUN))["judges"][0]["class"],
        "declared"
    );

    // Marked, it is said, and the gate holds no redirected run against another.
    let marked = [
        "--out",
        "marked",
        "--set",
        "observe.judge.server.answering=\"mark\"",
    ];
    let output = observe(dir.path(), &marked);
    assert!(output.status.success(), "{}", words(&output));
    let run = dir.path().join("marked/own/folder/seed0");
    let note = "the judge m was asked, and cheap-flash answered in 4 replies (redirected)";
    assert!(notes(&run).contains(note), "{}", notes(&run));
    assert!(table(&run).contains('§'));
    let run = "marked/own/folder/seed0";
    let (code, shown, _) = says(dir.path(), &["gate", run, "--baseline", run]);
    assert_eq!(code, Some(5), "{shown}");
    assert!(
        shown.contains("the judge m was asked, and cheap-flash answered"),
        "{shown}"
    );
    let (code, _, said) = says(dir.path(), &["compare", RUN, run]);
    assert_eq!(code, Some(2), "{said}");
}

#[test]
fn other_dates_stop_and_absent_ones_are_told() {
    for (asked, answered, code, class) in [
        ("m-2024-08-06", "m-2024-11-20", 6, "other date"),
        ("m-2024-08-06", "org/m-20240806", 0, "same"),
        ("m-2024-08-06", "m", 0, "unpinned"),
        ("m", "models/m@main", 0, "same"),
        ("m:8b", "m:70b", 6, "redirected"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let judge = Judge::start(move |_| json!({"model": answered}));
        edits(dir.path(), &judge, 2, "");
        let model = format!("observe.judge.server.model=\"{asked}\"");
        let output = observe(dir.path(), &["--set", &model]);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{asked} → {answered}: {}",
            words(&output)
        );
        let kept = lines(&dir.path().join(RUN).join("judge/replies.jsonl"));
        assert_eq!(kept[0]["class"], class, "{asked} → {answered}");
        assert_eq!(
            (&kept[0]["asked"], &kept[0]["model"]),
            (&json!(asked), &json!(answered))
        );
        if code == 0 {
            let told = notes(&dir.path().join(RUN)).contains("(unpinned)");
            assert_eq!(told, class == "unpinned");
        }
    }
}

#[test]
fn a_server_that_names_no_model_is_recorded_as_such() {
    for nameless in [json!({}), json!({"model": null}), json!({"model": ""})] {
        let dir = tempfile::tempdir().unwrap();
        let judge = Judge::start(move |_| nameless.clone());
        edits(dir.path(), &judge, 3, "");
        let output = observe(dir.path(), &[]);
        assert!(output.status.success(), "{}", words(&output));
        assert!(
            words(&output).contains("names no model"),
            "{}",
            words(&output)
        );
        let run = dir.path().join(RUN);
        let check = read(run.join("judge/check.json"));
        assert_eq!(
            (&check["answered"], &check["class"]),
            (&Value::Null, &json!("unknown"))
        );
        for reply in lines(&run.join("judge/replies.jsonl")) {
            let fields = reply.as_object().unwrap();
            assert_eq!(fields.get("model"), Some(&Value::Null));
            assert_eq!(
                (&reply["asked"], &reply["class"]),
                (&json!("m"), &json!("unknown"))
            );
        }
        for line in lines(&run.join("evidence.jsonl")) {
            let seen = &line["evidence"];
            assert_eq!(seen.as_object().unwrap().get("model"), Some(&Value::Null));
            assert_eq!(
                (&seen["judge"], &seen["class"]),
                (&json!("m"), &json!("unknown"))
            );
            assert_eq!(
                seen["calls"][0].as_object().unwrap().get("model"),
                Some(&Value::Null)
            );
        }
        let judge = &summary(&run)["judges"][0];
        assert_eq!(
            (&judge["asked"], &judge["answered"]),
            (&json!("m"), &Value::Null)
        );
        let note = "the judge m was asked, and its server named no model in 3 replies";
        assert!(notes(&run).contains(note), "{}", notes(&run));
    }
}

#[test]
fn what_the_server_says_beside_its_words_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let judge = Judge::start(|number| {
        json!({"model": A, "id": format!("chatcmpl-{number}"), "created": 1_796_000_000, "service_tier": "default",
            "system_fingerprint": if number < 4 { "fp_a" } else { "fp_b" },
            "provider": "Somebody", "openrouter_metadata": {"strategy": "direct"}})
    });
    edits(dir.path(), &judge, 5, "concurrency = 1");
    assert!(observe(dir.path(), &[]).status.success());
    let run = dir.path().join(RUN);
    let kept = lines(&run.join("judge/replies.jsonl"));
    let last = kept.last().unwrap();
    assert_eq!(last["id"], "chatcmpl-6");
    assert_eq!(last["created"], 1_796_000_000);
    assert_eq!(last["service_tier"], "default");
    assert_eq!(last["fingerprint"], "fp_b");
    assert_eq!(last["server_date"], "Mon, 30 Nov 2026 01:06:00 GMT");
    assert_eq!(last["headers"], json!({"x-request-id": "req-6"}));
    let provider = json!({"provider": "Somebody", "openrouter_metadata": {"strategy": "direct"}});
    assert_eq!(last["provider"], provider);
    let check = read(run.join("judge/check.json"));
    assert_eq!(check["models_entry"], json!({"id": "m", "object": "model"}));
    assert_eq!(
        (&check["answered"], &check["class"]),
        (&json!(A), &json!("pinned"))
    );
    assert_eq!(
        (&check["fingerprint"], &check["days_left"]),
        (&json!("fp_a"), &Value::Null)
    );
    assert_eq!(check["headers"], json!({"x-request-id": "req-0"}));
    // Two of the check's answers and two of the outputs' came before the change.
    let judge = &summary(&run)["judges"][0];
    assert_eq!(judge["fingerprints"], json!({"fp_a": 2, "fp_b": 3}));
    assert!(
        notes(&run).contains("2 system fingerprints (fp_a: 2, fp_b: 3)"),
        "{}",
        notes(&run)
    );
}

/// The day that is so many days from today, in UTC.
fn day(days: i64) -> String {
    let moment = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24 * days);
    moment.strftime("%F").to_string()
}

#[test]
fn an_end_that_is_near_or_past_is_told_before_the_run_and_beside_its_numbers() {
    let cases = [
        (
            json!({"id": "m", "shutdown_date": day(10)}),
            Some("is to be shut down on"),
            Some(10),
        ),
        (
            json!({"id": "m", "shutdown_date": day(-3)}),
            Some("may be answered by another model"),
            Some(-3),
        ),
        (json!({"id": "m", "shutdown_date": day(90)}), None, Some(90)),
        (json!({"id": "m", "shutdown_date": null}), None, None),
        (json!({"id": "m"}), None, None),
        (json!({"id": "m", "shutdown_date": "in spring"}), None, None),
        (
            json!({"id": "m", "shutdown_date": 1_800_000_000}),
            None,
            None,
        ),
    ];
    for (entry, told, days) in cases {
        let dir = tempfile::tempdir().unwrap();
        let judge = Judge::with_entry(entry.clone(), |_| json!({"model": A}));
        edits(dir.path(), &judge, 2, "");
        let output = observe(dir.path(), &[]);
        assert!(output.status.success(), "{entry}: {}", words(&output));
        let run = dir.path().join(RUN);
        let check = read(run.join("judge/check.json"));
        assert_eq!(check["models_entry"], entry);
        assert_eq!(check["days_left"], json!(days), "{entry}");
        match told {
            Some(told) => {
                assert!(words(&output).contains(told), "{}", words(&output));
                let notes = notes(&run);
                assert_eq!(notes.matches(told).count(), 1, "{notes}");
                assert!(
                    notes.contains(entry["shutdown_date"].as_str().unwrap()),
                    "{notes}"
                );
            }
            None => {
                assert!(!words(&output).contains("shut down"), "{}", words(&output));
                assert!(!notes(&run).contains("shut down"), "{}", notes(&run));
            }
        }

        // `unigauge check` looks without asking the judge anything.
        let before = judge.answered();
        model(dir.path(), "echo", "echo", "");
        let (code, shown, said) = says(dir.path(), &["check", "own.toml", "--model", "echo.toml"]);
        assert_eq!(code, Some(0), "{shown}{said}");
        assert!(shown.contains("judge m: listed by"), "{shown}");
        assert_eq!(shown.contains("warning"), told.is_some(), "{shown}");
        assert_eq!(judge.answered(), before);
    }
}

#[test]
fn the_page_of_a_model_tells_its_end_where_the_list_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(|seen, _| match seen.path.as_str() {
        "/v1/models" => Reply::json("200 OK", &json!({"data": [{"id": "other"}]})),
        "/v1/models/org/m%20x" => {
            Reply::json("200 OK", &json!({"id": "org/m x", "shutdown_date": day(5)}))
        }
        _ => crate::chat::completion("ready"),
    });
    let judge = Judge {
        server,
        answered: Arc::default(),
    };
    edits(dir.path(), &judge, 1, "");
    model(dir.path(), "echo", "echo", "");
    let name = "observe.judge.server.model=\"org/m x\"";
    let (_, shown, said) = says(
        dir.path(),
        &["check", "own.toml", "--model", "echo.toml", "--set", name],
    );
    assert!(
        shown.contains("does not list it") && shown.contains(&day(5)),
        "{shown}{said}"
    );
}

#[test]
fn replies_of_an_earlier_version_are_read_and_none_is_asked_again() {
    let dir = tempfile::tempdir().unwrap();
    let judge = Judge::start(|_| json!({"model": A}));
    edits(dir.path(), &judge, 6, "concurrency = 1");
    assert!(observe(dir.path(), &[]).status.success());
    let run = dir.path().join(RUN);
    let path = run.join("judge/replies.jsonl");
    let known = [
        "key",
        "role",
        "reply",
        "finish_reason",
        "model",
        "usage",
        "reckoned",
        "attempts",
        "seconds",
    ];
    for (name, fresh) in [(A, A), ("m", A)] {
        let old: String = lines(&path)
            .into_iter()
            .map(|mut line| {
                line.as_object_mut()
                    .unwrap()
                    .retain(|key, _| known.contains(&key.as_str()));
                line["model"] = json!(name);
                format!("{line}\n")
            })
            .collect();
        fs::write(&path, old).unwrap();
        fs::remove_file(run.join("evidence.jsonl")).unwrap();
        let before = judge.answered();
        let output = observe(dir.path(), &[]);
        assert!(output.status.success(), "{}", words(&output));
        assert_eq!(judge.answered(), before + 2, "the check alone");
        let seen = lines(&run.join("evidence.jsonl"));
        assert!(
            seen.iter()
                .all(|line| line["evidence"]["calls"][0]["cached"] == true)
        );
        assert!(seen.iter().all(|line| line["evidence"]["model"] == name));
        assert_eq!(lines(&path).last().unwrap()["model"], fresh);
    }
}

#[test]
fn summaries_and_evidence_of_an_earlier_version_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let judge = Judge::start(|_| json!({"model": A}));
    edits(dir.path(), &judge, 3, "");
    assert!(observe(dir.path(), &[]).status.success());
    let run = dir.path().join(RUN);
    let path = run.join("evidence.jsonl");
    let old: String = lines(&path)
        .into_iter()
        .map(|mut line| {
            let seen = line["evidence"].as_object_mut().unwrap();
            seen.remove("class");
            for call in seen["calls"].as_array_mut().unwrap() {
                call.as_object_mut().unwrap().remove("class");
            }
            format!("{line}\n")
        })
        .collect();
    fs::write(&path, old).unwrap();
    assert_eq!(says(dir.path(), &["grade", RUN]).0, Some(0));
    let prompts = &summary(&run)["judges"][0]["prompts"];
    let judge =
        json!([{"judge": A, "prompts": prompts, "sha256": summary(&run)["judges"][0]["sha256"]}]);
    assert_eq!(summary(&run)["judges"], judge, "as it was");
    let (code, shown, said) = says(dir.path(), &["compare", RUN, RUN]);
    assert_eq!(code, Some(0), "{shown}{said}");
}

#[test]
fn evidence_of_two_judges_that_others_made_is_not_compared_in_silence() {
    let dir = tempfile::tempdir().unwrap();
    let judge = Judge::start(|_| json!({"model": A}));
    edits(dir.path(), &judge, 3, "");
    // The suite without an observer: the evidence comes from elsewhere.
    let path = dir.path().join("own.toml");
    let with = fs::read_to_string(&path).unwrap();
    let (without, _) = with.split_once("[observe.judge]").unwrap();
    fs::write(&path, without.replace("observers = [\"judge\"]\n", "")).unwrap();
    for (out, name) in [
        ("one", "first-judge"),
        ("two", "second-judge"),
        ("three", "org/First-Judge@main"),
    ] {
        let output = observe(dir.path(), &["--out", out]);
        assert_eq!(output.status.code(), Some(5), "{}", words(&output));
        let run = dir.path().join(out).join("own/folder/seed0");
        let evidence: String = (0..3)
            .map(|at| {
                let call = json!({"role": "judge", "reply": "Score: 3"});
                let seen = json!({"item": format!("e{at:02}"), "repeat": 0, "observer": "judge",
                    "evidence": {"model": name, "calls": [call]}});
                format!("{seen}\n")
            })
            .collect();
        fs::write(run.join("evidence.jsonl"), evidence).unwrap();
        assert_eq!(
            says(dir.path(), &["grade", run.to_str().unwrap()]).0,
            Some(0)
        );
    }
    let [one, two, three] = ["one", "two", "three"].map(|out| format!("{out}/own/folder/seed0"));
    let (code, _, said) = says(dir.path(), &["compare", &one, &two]);
    assert_eq!(code, Some(2), "{said}");
    assert!(
        said.contains("judged by first-judge and by second-judge"),
        "{said}"
    );
    for option in ["--allow-judges", "--allow-observers"] {
        assert_eq!(
            says(dir.path(), &["compare", &one, &two, option]).0,
            Some(0)
        );
    }
    assert_eq!(says(dir.path(), &["compare", &one, &three]).0, Some(0));
}

#[test]
fn a_generator_whose_server_answers_with_another_model_is_told() {
    for (answered, told) in [("m-2026-01-01", false), ("n", true)] {
        let dir = tempfile::tempdir().unwrap();
        text_suite(dir.path(), 4);
        let server = Server::start(move |_, _| {
            let message = json!({"role": "assistant", "content": "number 0"});
            let choices = json!([{"message": message, "finish_reason": "stop"}]);
            Reply::json("200 OK", &json!({"model": answered, "choices": choices}))
        });
        let settings = format!(
            "model = \"m\"\nbase_url = \"{}\"\napi_key_env = \"UNIGAUGE_TEST_KEY\"",
            server.url("/v1")
        );
        model(dir.path(), "asked", "openai", &settings);
        let (code, shown, said) = says(
            dir.path(),
            &["run", "./questions.toml", "--model", "./asked.toml"],
        );
        assert_eq!(code, Some(0), "{said}");
        let note = format!(
            "4 of 4 outputs: `m` was asked, and the server says that `{answered}` answered"
        );
        assert_eq!(shown.contains(&note), told, "{shown}");
        let run = dir.path().join("results/questions/asked/seed0");
        assert_eq!(notes(&run).contains(&note), told);
    }
}
