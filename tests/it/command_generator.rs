//! The generator `command` with programs that behave and programs that do not.
#![cfg(unix)]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use unigauge::cancel::Cancel;
use unigauge::generate::command::{CommandGenerator, CommandSettings};
use unigauge::generate::{Answer, GenerateError, Generated, Generator, Request};
use unigauge::record::{Item, Task};

fn item(name: &str) -> Item {
    Item {
        item: name.to_owned(),
        task: Task::TextToImage,
        prompt: "a \"red\" bench\nin snow".to_owned(),
        images: vec!["in.png".to_owned()],
        expect: Default::default(),
        tags: Default::default(),
        extra: Default::default(),
    }
}

/// Shell around one request: `$line` is the request, `$id` and `$out` two of its values.
const LOOP: &str = r#"while IFS= read -r line; do
id=$(printf '%s' "$line" | sed 's/.*"id":"\([^"]*\)".*/\1/')
out=$(printf '%s' "$line" | sed 's/.*"output_dir":"\([^"]*\)".*/\1/')
"#;

struct Bench {
    folder: tempfile::TempDir,
    generator: CommandGenerator,
    cancel: Cancel,
}

impl Bench {
    /// A program that runs `body` for each request.
    fn new(body: &str) -> Self {
        Self::with(body, |_| {})
    }

    fn with(body: &str, change: impl FnOnce(&mut CommandSettings)) -> Self {
        Self::script(&format!("{LOOP}{body}\ndone\n"), change)
    }

    fn script(script: &str, change: impl FnOnce(&mut CommandSettings)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = CommandSettings {
            program: ["sh", "-c", script].map(str::to_owned).to_vec(),
            timeout_seconds: 20.0,
            startup_timeout_seconds: 20.0,
            restarts: 3,
            env: Default::default(),
            cwd: Some(folder.path().to_owned()),
            batch: None,
            processes: None,
            sources: Vec::new(),
        };
        change(&mut settings);
        Self {
            folder,
            generator: CommandGenerator::new(settings).unwrap(),
            cancel: Cancel::default(),
        }
    }

    fn ask(&mut self, name: &str) -> Result<Generated, GenerateError> {
        let request = Request {
            item: &item(name),
            base: Path::new("/data"),
            repeat: 2,
            seed: 18_446_744_073_709_551_615,
        };
        self.generator.generate(&request, &self.cancel)
    }

    /// The answers to a chunk, in the order in which they came: the place, and the text or the kind of the
    /// failure.
    fn ask_all(&mut self, names: &[&str]) -> Vec<(usize, String)> {
        let items: Vec<Item> = names.iter().map(|name| item(name)).collect();
        let requests: Vec<Request<'_>> = (items.iter())
            .map(|item| Request {
                item,
                base: Path::new("/data"),
                repeat: 0,
                seed: 7,
            })
            .collect();
        let mut answers = Vec::new();
        self.generator
            .generate_chunk(&requests, &self.cancel, &mut |index, result| {
                let answer = match result {
                    Ok(Generated {
                        answer: Answer::Text(text),
                        ..
                    }) => text,
                    Ok(other) => panic!("{other:?}"),
                    Err(GenerateError::Item { kind, .. }) => format!("! {kind}"),
                    Err(GenerateError::Fatal { message, .. }) => format!("!! {message}"),
                    Err(GenerateError::Cancelled) => "!!! cancelled".to_owned(),
                };
                answers.push((index, answer));
            });
        answers
    }

    fn text(&mut self, name: &str) -> String {
        match self.ask(name).unwrap().answer {
            Answer::Text(text) => text,
            other => panic!("{other:?}"),
        }
    }

    fn fails(&mut self, name: &str) -> (&'static str, String) {
        match self.ask(name).unwrap_err() {
            GenerateError::Item { kind, message } => (kind, message),
            other => panic!("{other:?}"),
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// A picture of 2×1 pixels, encoded.
fn png() -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::RgbImage::from_raw(2, 1, vec![255, 0, 0, 0, 0, 255])
        .unwrap()
        .write_to(&mut bytes, image::ImageFormat::Png)
        .unwrap();
    bytes.into_inner()
}

const ECHO: &str = r#"printf '{"id":"%s","text":"I am %s"}\n' "$id" $$"#;

#[test]
fn the_request_says_all_and_one_child_serves_many() {
    let mut bench = Bench::new(&format!("printf '%s\\n' \"$line\" >> seen\n{ECHO}"));
    let first = bench.text("a");
    assert_eq!(bench.text("b"), first);
    let seen = std::fs::read_to_string(bench.file("seen")).unwrap();
    let request: serde_json::Value = serde_json::from_str(seen.lines().next().unwrap()).unwrap();
    assert_eq!(request["item"], "a");
    assert_eq!(request["task"], "text-to-image");
    assert_eq!(request["prompt"], "a \"red\" bench\nin snow");
    assert_eq!(request["images"], serde_json::json!(["/data/in.png"]));
    assert_eq!(request["repeat"], 2);
    assert_eq!(request["seed"], 18_446_744_073_709_551_615_u64);
    let folder = Path::new(request["output_dir"].as_str().unwrap());
    assert!(folder.is_absolute() && !folder.exists());
}

#[test]
fn pictures_come_by_path_or_in_base64_and_keep_their_bytes() {
    use base64::Engine as _;
    let encoded = base64::engine::general_purpose::STANDARD.encode(png());
    // The name lies about the format: the bytes decide.
    let mut bench = Bench::with(
        &format!(
            r#"case $id in
relative*) cp picture "$out/x.jpg"; printf '{{"id":"%s","image":"x.jpg","timings":{{"denoise":1.5}},"extra":{{"steps":4}}}}\n' "$id";;
absolute*) printf '{{"id":"%s","image":"%s/picture"}}\n' "$id" "$PWD";;
*) printf '{{"id":"%s","image_base64":"{encoded}"}}\n' "$id";;
esac"#
        ),
        |_| {},
    );
    std::fs::write(bench.file("picture"), png()).unwrap();
    for name in ["relative", "absolute", "encoded"] {
        let generated = bench.ask(name).unwrap();
        match &generated.answer {
            Answer::Encoded { bytes, extension } => {
                assert_eq!((bytes, *extension), (&png(), "png"));
            }
            other => panic!("{other:?}"),
        }
        if name == "relative" {
            assert_eq!(generated.timings["denoise"], 1.5);
            assert_eq!(generated.extra["steps"], 4);
        }
    }
}

#[test]
fn what_is_no_picture_is_refused_and_the_next_item_goes_on() {
    let mut bench = Bench::new(
        r#"case $id in
missing*) printf '{"id":"%s","image":"none.png"}\n' "$id";;
empty*) : > "$out/e.png"; printf '{"id":"%s","image":"e.png"}\n' "$id";;
text*) echo 'CUDA out of memory' > "$out/t.png"; printf '{"id":"%s","image":"t.png"}\n' "$id";;
folder*) printf '{"id":"%s","image":"."}\n' "$id";;
pipe*) mkfifo "$out/p.png"; printf '{"id":"%s","image":"p.png"}\n' "$id";;
two*) printf '{"id":"%s","image":"a","text":"b"}\n' "$id";;
error*) printf '{"id":"%s","error":"unsafe prompt"}\n' "$id";;
*) printf '{"id":"%s","text":"fine"}\n' "$id";;
esac"#,
    );
    for (name, kind, words) in [
        ("missing", "image", "none.png: No such file"),
        ("empty", "image", "an empty file"),
        ("text", "image", "begin with \"CUDA out of mem"),
        ("folder", "image", "is not a file"),
        ("pipe", "image", "is not a file"),
        ("two", "protocol", "exactly one of"),
        ("error", "program", "unsafe prompt"),
    ] {
        let (was, message) = bench.fails(name);
        assert_eq!(was, kind, "{name}: {message}");
        assert!(message.contains(words), "{name}: {message}");
    }
    assert_eq!(bench.text("good"), "fine");
}

#[test]
fn a_child_that_dies_is_started_again_and_its_last_words_are_shown() {
    let mut bench = Bench::new(&format!(
        "case $id in die*) echo 'out of memory' >&2; exit 9;; esac\n{ECHO}"
    ));
    let first = bench.text("a");
    let (kind, message) = bench.fails("die");
    assert_eq!(kind, "crashed");
    assert!(
        message.contains("out of memory") && message.contains("exit status: 9"),
        "{message}"
    );
    assert_ne!(bench.text("b"), first);
}

#[test]
fn a_child_that_ended_between_requests_costs_no_item() {
    let mut bench = Bench::new(&format!("{ECHO}\nexit 0"));
    let first = bench.text("a");
    std::thread::sleep(Duration::from_millis(300));
    assert_ne!(bench.text("b"), first);
}

#[test]
fn a_program_that_always_fails_stops_the_run() {
    let mut bench = Bench::script("echo 'no weights' >&2; exit 1", |s| s.restarts = 2);
    assert_eq!(bench.fails("a").0, "crashed");
    assert_eq!(bench.fails("b").0, "crashed");
    match bench.ask("c").unwrap_err() {
        GenerateError::Fatal { message, help } => {
            assert!(
                message.contains("3 times in a row") && message.contains("no weights"),
                "{message}"
            );
            assert!(help.contains("restarts"), "{help}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_program_that_is_not_there_is_named() {
    let mut bench = Bench::with("", |s| s.program = vec!["no-such-program".to_owned()]);
    match bench.ask("a").unwrap_err() {
        GenerateError::Fatal { message, .. } => {
            assert!(message.contains("no-such-program"), "{message}");
        }
        other => panic!("{other:?}"),
    }
    let settings = CommandSettings {
        program: Vec::new(),
        timeout_seconds: 1.0,
        startup_timeout_seconds: 1.0,
        restarts: 0,
        env: Default::default(),
        cwd: None,
        batch: None,
        processes: None,
        sources: Vec::new(),
    };
    assert!(CommandGenerator::new(settings).is_err());
}

/// Whether a process exists and is no zombie.
fn runs(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim()));
    stat.is_ok_and(|stat| !stat.contains(") Z "))
}

#[cfg(target_os = "linux")]
#[test]
fn a_child_that_hangs_is_stopped_with_its_own_children() {
    let mut bench = Bench::with(
        &format!("case $id in hang*) sleep 60 & echo $! > grandchild; wait;; esac\n{ECHO}"),
        |s| {
            s.timeout_seconds = 0.5;
            s.startup_timeout_seconds = 0.0;
        },
    );
    let start = Instant::now();
    let (kind, message) = bench.fails("hang");
    assert_eq!(kind, "timeout", "{message}");
    assert!(message.contains("within 0.5 s"), "{message}");
    assert!(start.elapsed() < Duration::from_secs(5));
    let grandchild = std::fs::read_to_string(bench.file("grandchild")).unwrap();
    // A killed process may take a moment to go.
    let end = Instant::now() + Duration::from_secs(2);
    while runs(&grandchild) && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(!runs(&grandchild));
    assert!(bench.text("b").starts_with("I am"));
}

#[test]
fn loading_has_its_own_time_and_ready_ends_it() {
    let slow_start = |limit| {
        Bench::script(
            &format!("sleep 1; echo '{{\"ready\": true}}'\n{LOOP}{ECHO}\ndone"),
            move |s| {
                s.timeout_seconds = 0.5;
                s.startup_timeout_seconds = limit;
            },
        )
    };
    assert!(slow_start(20.0).ask("a").is_ok());
    assert_eq!(slow_start(0.0).fails("a").0, "timeout");
    // Once ready, the long startup limit no longer counts.
    let mut hangs = Bench::script("echo '{\"ready\": true}'; sleep 60", |s| {
        s.timeout_seconds = 0.5;
        s.startup_timeout_seconds = 60.0;
    });
    assert_eq!(hangs.fails("a").0, "timeout");
}

#[test]
fn stray_lines_and_other_ids_are_passed_over_up_to_a_limit() {
    let mut bench = Bench::new(&format!(
        "echo 'Loading: 50%'; echo '{{\"id\": \"else#0\", \"text\": \"wrong\"}}'; echo '[1,2]'; printf '\\377\\n'\n{ECHO}"
    ));
    assert!(bench.text("a").starts_with("I am"));

    let mut bench = Bench::new("yes 'step 1 of 50' | head -n 5000; sleep 60");
    let (kind, message) = bench.fails("a");
    assert_eq!(kind, "protocol");
    assert!(message.contains("step 1 of 50"), "{message}");
}

#[test]
fn a_line_without_end_is_bounded() {
    let mut bench = Bench::new("head -c 70000000 /dev/zero | tr '\\0' x; sleep 60");
    let (kind, message) = bench.fails("a");
    assert_eq!(kind, "protocol");
    assert!(message.contains("more than 64 MiB"), "{message}");
}

#[cfg(target_os = "linux")]
#[test]
fn an_interrupt_stops_the_child_and_so_does_the_end_of_the_generator() {
    let mut bench = Bench::new("echo $$ > pid; sleep 60");
    let cancel = bench.cancel.clone();
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(400));
        cancel.raise();
    });
    let start = Instant::now();
    assert!(matches!(bench.ask("a"), Err(GenerateError::Cancelled)));
    assert!(start.elapsed() < Duration::from_secs(5));
    let pid = std::fs::read_to_string(bench.file("pid")).unwrap();
    assert!(!Path::new("/proc").join(pid.trim()).exists(), "{pid}");

    let mut bench = Bench::new(&format!("echo $$ > pid\n{ECHO}"));
    bench.text("a");
    let pid = std::fs::read_to_string(bench.file("pid")).unwrap();
    assert!(runs(&pid));
    drop(bench);
    assert!(!Path::new("/proc").join(pid.trim()).exists(), "{pid}");
}

#[test]
fn a_long_prompt_to_a_program_that_does_not_read_hangs_nothing() {
    let mut bench = Bench::script("sleep 60", |s| {
        s.timeout_seconds = 0.3;
        s.startup_timeout_seconds = 0.0;
    });
    let mut long = item("a");
    long.prompt = "x".repeat(1 << 20);
    let request = Request {
        item: &long,
        base: Path::new("."),
        repeat: 0,
        seed: 0,
    };
    let error = bench.generator.generate(&request, &bench.cancel);
    assert!(matches!(
        error,
        Err(GenerateError::Item {
            kind: "timeout",
            ..
        })
    ));
}

#[test]
fn settings_have_defaults_and_refuse_unknown_keys() {
    let settings: CommandSettings =
        toml::from_str("program = [\"model\"]\n[env]\nHF_HUB_OFFLINE = \"1\"").unwrap();
    assert_eq!(
        (settings.timeout_seconds, settings.startup_timeout_seconds),
        (600.0, 600.0)
    );
    assert_eq!(settings.restarts, 3);
    let error = toml::from_str::<CommandSettings>("program = [\"m\"]\ntimeout = 5").unwrap_err();
    assert!(error.to_string().contains("unknown field `timeout`"));
}

/// A program in Python that names this batch. `answer` is the body of its loop, in which `requests` has those
/// of one line. It writes each line that it reads to `seen`.
fn batched(batch: &str, answer: &str) -> String {
    format!(
        r#"
import json, os, sys, time
def say(value):
    print(json.dumps(value), flush=True)
def text(request):
    say({{"id": request["id"], "text": request["item"].upper()}})
say({{"ready": True, "batch": {batch}}})
for line in sys.stdin:
    open("seen", "a").write(line)
    told = json.loads(line)
    requests = told.get("requests", [told])
{answer}
"#
    )
}

fn python(script: &str, change: impl FnOnce(&mut CommandSettings)) -> Bench {
    Bench::with("", |settings| {
        settings.program = ["python3", "-c", script].map(str::to_owned).to_vec();
        change(settings);
    })
}

impl Bench {
    /// The number of requests in each line so far; 0 for a line that is one request without a list.
    fn sizes(&self) -> Vec<usize> {
        let seen = std::fs::read_to_string(self.file("seen")).unwrap();
        let size = |line: &str| {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            line.get("requests")
                .map_or(0, |list| list.as_array().unwrap().len())
        };
        seen.lines().map(size).collect()
    }
}

fn sorted(mut answers: Vec<(usize, String)>) -> Vec<String> {
    answers.sort();
    answers.into_iter().map(|(_, answer)| answer).collect()
}

#[test]
fn a_program_that_names_a_batch_gets_lists_and_may_answer_in_any_order() {
    let answer = "    for request in reversed(requests):\n        text(request)";
    let mut bench = python(&batched("3", answer), |_| {});
    assert_eq!(bench.generator.chunk(), 1);
    // The first request is sent before the program has said anything.
    assert_eq!(bench.text("a"), "A");
    assert_eq!(bench.generator.chunk(), 3);
    let answers = bench.ask_all(&["a", "b", "c", "d", "e"]);
    let order: Vec<usize> = answers.iter().map(|(index, _)| *index).collect();
    assert_eq!(order, [2, 1, 0, 4, 3]);
    assert_eq!(sorted(answers), ["A", "B", "C", "D", "E"]);
    assert_eq!(bench.text("z"), "Z");
    assert_eq!(bench.sizes(), [0, 3, 2, 1]);
    let seen = std::fs::read_to_string(bench.file("seen")).unwrap();
    let line: serde_json::Value = serde_json::from_str(seen.lines().nth(1).unwrap()).unwrap();
    let folders: std::collections::BTreeSet<&str> = (line["requests"].as_array().unwrap().iter())
        .map(|request| request["output_dir"].as_str().unwrap())
        .collect();
    assert_eq!(folders.len(), 3);
    assert!(folders.iter().all(|folder| !Path::new(folder).exists()));
}

#[test]
fn the_setting_batch_makes_batches_smaller_and_never_larger() {
    let answer = "    for request in requests:\n        text(request)";
    for (setting, sizes) in [(2, vec![0, 2, 2]), (100, vec![0, 4])] {
        let mut bench = python(&batched("8", answer), |s| s.batch = Some(setting));
        bench.text("first");
        bench.ask_all(&["a", "b", "c", "d"]);
        assert_eq!(bench.sizes(), sizes);
    }
    // A program that names none gets one request a line, whatever the setting is.
    let mut bench = python(&batched("None", answer), |s| s.batch = Some(4));
    bench.text("first");
    assert_eq!(bench.generator.chunk(), 1);
    assert_eq!(sorted(bench.ask_all(&["a", "b"])), ["A", "B"]);
    assert_eq!(bench.sizes(), [0, 0, 0]);
    let settings: CommandSettings = toml::from_str("program = [\"m\"]\nbatch = 0").unwrap();
    let refused = CommandGenerator::new(settings).err().unwrap();
    assert!(refused.to_string().contains("`batch` = 0"), "{refused}");
}

#[test]
fn a_batch_that_is_no_number_stops_the_run_and_is_shown() {
    for (wrong, shown) in [
        ("0", "`batch`: 0"),
        ("-3", "-3"),
        ("2.5", "2.5"),
        ("'8'", "\"8\""),
    ] {
        let mut bench = python(&batched(wrong, "    pass"), |_| {});
        match bench.ask("a").unwrap_err() {
            GenerateError::Fatal { message, help } => {
                assert!(message.contains(shown), "{message}");
                assert!(help.contains("1 or more"), "{help}");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_program_that_says_its_last_reply_is_asked_nothing_more() {
    // It takes a moment to end, as a process with a broken GPU does.
    let answer = "    for request in requests:
        broken = request['item'] == 'broken'
        reply = {'id': request['id'], 'text': request['item'].upper(), 'last': broken}
        print(json.dumps(reply), flush=True)
        if broken:
            time.sleep(0.3)
            os._exit(1)";
    let mut bench = python(&batched("8", answer), |_| {});
    for name in ["a", "broken", "b", "broken", "c"] {
        assert_eq!(bench.text(name), name.to_uppercase());
    }
    let answers = bench.ask_all(&["d", "broken", "e"]);
    assert_eq!(sorted(answers), ["D", "BROKEN", "E"]);
}

#[test]
fn what_a_batch_answered_before_the_program_died_is_kept_and_the_rest_is_asked_singly() {
    let answer = "    for request in requests:
        if request['item'] == 'bad':
            os._exit(3)
        text(request)";
    let mut bench = python(&batched("8", answer), |_| {});
    bench.text("first");
    let answers = bench.ask_all(&["a", "b", "bad", "c", "d"]);
    assert_eq!(sorted(answers), ["A", "B", "! crashed", "C", "D"]);
    // The batch, then the bad one alone, and then a new program.
    let sizes = bench.sizes();
    assert_eq!(sizes[..3], [0, 5, 0]);
    assert_eq!(sizes.len(), 5);
    assert_eq!(sorted(bench.ask_all(&["e", "f"])), ["E", "F"]);
    assert_eq!(bench.sizes()[5..], [2]);
}

#[test]
fn the_time_of_a_batch_is_that_of_one_reply_for_each_request_and_begins_again_with_each_reply() {
    let answer = "    for request in requests:
        time.sleep(60 if request['item'] == 'hang' else 1 if len(requests) > 1 else 0)
        text(request)";
    let mut bench = python(&batched("4", answer), |s| s.timeout_seconds = 0.8);
    bench.text("first");
    // It takes 4 seconds in all, 1 for each, and the limit of the batch is 3.2.
    assert_eq!(
        sorted(bench.ask_all(&["a", "b", "c", "d"])),
        ["A", "B", "C", "D"]
    );
    let answers = bench.ask_all(&["a", "hang", "c"]);
    assert_eq!(sorted(answers), ["A", "! timeout", "C"]);
}

#[test]
fn ids_that_were_not_asked_and_second_answers_are_wrong_lines() {
    let answer = "    for request in requests:
        text({'id': 'never#0', 'item': 'wrong'})
        text(request)
        text({'id': request['id'], 'item': 'twice'})";
    let mut bench = python(&batched("4", answer), |_| {});
    bench.text("first");
    assert_eq!(sorted(bench.ask_all(&["a", "b", "c"])), ["A", "B", "C"]);
    assert_eq!(sorted(bench.ask_all(&["d", "e"])), ["D", "E"]);

    let answer = "    text(requests[0])
    if len(requests) > 1:
        for _ in range(2000):
            text(requests[0])
    else:
        continue
    time.sleep(60)";
    let mut bench = python(&batched("4", answer), |_| {});
    bench.text("first");
    assert_eq!(sorted(bench.ask_all(&["a", "b"])), ["A", "B"]);
}

#[test]
fn errors_in_a_batch_are_those_of_their_items() {
    let answer = "    for request in requests:
        if request['item'] == 'unsafe':
            say({'id': request['id'], 'error': 'unsafe prompt'})
        elif request['item'] == 'none':
            say({'id': request['id']})
        else:
            text(request)";
    let mut bench = python(&batched("4", answer), |_| {});
    bench.text("first");
    let answers = bench.ask_all(&["a", "unsafe", "none", "b"]);
    assert_eq!(sorted(answers), ["A", "! program", "! protocol", "B"]);
    assert_eq!(bench.sizes(), [0, 4]);
}

#[test]
fn a_program_that_always_fails_in_batches_stops_the_run_with_an_answer_for_each_request() {
    let answer = "    if requests[0]['item'] != 'first':
        os._exit(3)
    text(requests[0])";
    let mut bench = python(&batched("4", answer), |s| s.restarts = 2);
    bench.text("first");
    let answers = sorted(bench.ask_all(&["a", "b", "c", "d"]));
    assert_eq!(answers[0], "! crashed");
    for answer in &answers[1..] {
        assert!(answer.contains("failed 3 times in a row"), "{answer}");
    }
}
