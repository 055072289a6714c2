//! The judge's client against servers that misbehave, programs that are killed, and budgets that end.

use crate::chat::{Account, Answer, Chat, ChatServer, completion, error};
use crate::http::Reply;
use crate::support::{lines, model, stderr, unigauge, unigauge_process};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

const KEY: &str = "sk-not-to-be-seen-0123456789";
const RUN: &str = "results/texts/echo/seed0";

/// A suite of `count` texts, each judged beside one tiny picture; `options` goes behind the server's
/// settings.
fn texts(dir: &Path, server: &ChatServer, count: usize, options: &str) {
    image::RgbImage::new(2, 2)
        .save(dir.join("dot.png"))
        .unwrap();
    let items: String = (0..count)
        .map(|at| {
            let item = json!({"id": format!("i{at}"), "prompt": format!("number {at}"), "images": ["dot.png"],
                "answers": [format!("{at}")]});
            format!("{item}\n")
        })
        .collect();
    fs::write(dir.join("items.jsonl"), items).unwrap();
    let set = "name = \"own\"\n[fill]\n\"<text>\" = \"output\"\n\
               [[call]]\nrole = \"judge\"\npictures = [\"source\"]\ntext = \"Judge <text>.\"\n";
    fs::write(dir.join("set.toml"), set).unwrap();
    let suite = format!(
        "name = \"texts\"\nversion = \"1\"\ntitle = \"Texts\"\ntask = \"understand\"\nobservers = [\"judge\"]\n\n\
         [items]\nfile = \"items.jsonl\"\n[items.map]\nexpect = [\"answers\"]\n[grade]\nrule = \"contains\"\n\n\
         [observe.judge]\nprompts = \"set.toml\"\n{}{options}\n",
        server.settings()
    );
    fs::write(dir.join("texts.toml"), suite).unwrap();
    model(dir, "echo", "echo", "");
}

fn arguments(more: &[&str]) -> Vec<String> {
    let common = ["run", "texts.toml", "--model", "echo.toml"];
    common.iter().chain(more).map(ToString::to_string).collect()
}

fn run(dir: &Path, more: &[&str]) -> std::process::Output {
    unigauge(dir)
        .args(arguments(more))
        .env("UNIGAUGE_TEST_KEY", KEY)
        .output()
        .unwrap()
}

/// Item → its evidence without what depends on time and chance.
fn evidence(run: &Path) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    for line in lines(&run.join("evidence.jsonl")) {
        let mut seen = line["evidence"].clone();
        for call in seen["calls"].as_array_mut().into_iter().flatten() {
            for key in ["seconds", "attempts", "cached"] {
                call.as_object_mut().unwrap().remove(key);
            }
        }
        let item = line["item"].as_str().unwrap().to_owned();
        assert!(all.insert(item, seen).is_none(), "one line an output");
    }
    all
}

/// The score that the server gives a text: its number modulo 6.
fn score(chat: &Chat) -> String {
    let number: String = chat.text.chars().filter(char::is_ascii_digit).collect();
    format!("Score: {}", number.parse::<u64>().unwrap() % 6)
}

/// One request in five meets a fault of some kind, up to three times in a row.
fn faulty(chat: &Chat) -> Answer {
    // A fixed mixture of the request and how often it came: no clock, no order.
    let mixed = chat
        .text
        .bytes()
        .fold(chat.before as u64 + 17, |hash, byte| {
            (hash ^ u64::from(byte))
                .wrapping_mul(0x0100_0000_01b3)
                .rotate_left(23)
        });
    let whole = |reply: Reply| Answer::Fault(reply);
    if mixed % 5 != 0 || chat.before >= 3 {
        return Answer::Text(score(chat));
    }
    match mixed / 5 % 8 {
        0 => whole(
            error("429 Too Many Requests", "rate_limit_exceeded", "slow down")
                .with("Retry-After", "0"),
        ),
        1 => whole(Reply::new("500 Internal Server Error", "<html>oops</html>")),
        2 => whole(Reply::new("503 Service Unavailable", "")),
        3 => whole(completion(&score(chat)).cut(40)),
        4 => whole(completion(&score(chat)).cut(0)),
        5 => whole(
            Reply::ok("{\"choices\": [{\"message\": {\"con")
                .with("Content-Type", "application/json"),
        ),
        6 => whole(Reply::ok("<html>welcome</html>").with("Content-Type", "text/html")),
        _ => whole(Reply::json("200 OK", &json!({"object": "something else"}))),
    }
}

#[test]
fn ten_thousand_calls_through_faults_end_whole_and_none_is_made_twice() {
    let dir = tempfile::tempdir().unwrap();
    let count = 10_000;
    let server = ChatServer::start(faulty);
    texts(
        dir.path(),
        &server,
        count,
        "concurrency = 64\nmax_attempts = 8\n",
    );
    let start = Instant::now();
    let output = run(dir.path(), &["--jobs", "2"]);
    let seconds = start.elapsed().as_secs_f64();
    assert!(output.status.success(), "{}", stderr(&output));
    let seen = evidence(&dir.path().join(RUN));
    assert_eq!(seen.len(), count);
    for (at, item) in (0..count).map(|at| (at, format!("i{at}"))) {
        let call = &seen[&item]["calls"][0];
        assert_eq!(call["reply"], format!("Score: {}", at % 6));
        assert_eq!(call["state"], "ok");
    }
    let account = server.account();
    assert_eq!(account.len(), count);
    assert!(account.values().all(|account| account.answered == 1));
    let faults: usize = account.values().map(|account| account.asked - 1).sum();
    // One in five of all requests: a quarter of the answered ones.
    assert!((2000..3000).contains(&faults), "{faults}");
    let ledger: Value =
        serde_json::from_slice(&fs::read(dir.path().join(RUN).join("judge/ledger.json")).unwrap())
            .unwrap();
    // The two calls of the check are paid, too.
    assert_eq!(ledger["calls"], count + 2);
    assert_eq!(ledger["input_tokens"], 100 * (count + 2));
    eprintln!("{count} calls and {faults} faults in {seconds:.1} s");
}

#[test]
fn evidence_depends_neither_on_order_nor_on_how_many_calls_are_in_flight() {
    let dir = tempfile::tempdir().unwrap();
    let server = ChatServer::start(faulty);
    let mut all = Vec::new();
    for (concurrency, jobs, out) in [(1, "1", "one"), (50, "4", "many")] {
        let options = format!("concurrency = {concurrency}\nmax_attempts = 8\n");
        texts(dir.path(), &server, 300, &options);
        let output = run(dir.path(), &["--jobs", jobs, "--out", out]);
        assert!(output.status.success(), "{}", stderr(&output));
        all.push(evidence(&dir.path().join(out).join("texts/echo/seed0")));
    }
    assert_eq!(all[0], all[1]);
}

#[test]
fn a_killed_run_goes_on_without_paying_for_a_finished_call() {
    let dir = tempfile::tempdir().unwrap();
    let server = ChatServer::start(|chat| {
        std::thread::sleep(Duration::from_millis(20));
        Answer::Text(format!("{} for {}", score(chat), chat.text))
    });
    texts(dir.path(), &server, 400, "concurrency = 10\n");
    let mut child = unigauge_process(dir.path())
        .args(arguments(&[]))
        .env("UNIGAUGE_TEST_KEY", KEY)
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let kept = dir.path().join(RUN).join("judge/replies.jsonl");
    let start = Instant::now();
    while fs::read(&kept).map_or(0, |bytes| {
        bytes.iter().filter(|byte| **byte == b'\n').count()
    }) < 100
    {
        assert!(
            start.elapsed() < Duration::from_secs(120),
            "nothing is kept"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
    // On Unix this is SIGKILL.
    child.kill().unwrap();
    child.wait().unwrap();
    let before = server.account();
    let text = fs::read_to_string(&kept).unwrap();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let finished: Vec<Value> = whole
        .split('\n')
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(finished.len() >= 100 && before.len() < 400);
    // What a torn line looks like.
    fs::write(&kept, format!("{whole}\n{{\"key\":\"")).unwrap();

    let output = run(dir.path(), &[]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(evidence(&dir.path().join(RUN)).len(), 400);
    let account = server.account();
    for reply in finished.iter().filter_map(|reply| reply["reply"].as_str()) {
        if let Some((_, text)) = reply.split_once(" for ") {
            assert_eq!(account[text].asked, 1, "{text} was paid twice");
        }
    }
    // Only what was in flight came again, and what was answered while the disk was busy with the answers before it.
    let again = account.values().filter(|account| account.asked > 1).count();
    assert!(again <= 30, "{again}");
}

/// Ctrl-C while calls are in flight: their answers are waited for or left unpaid, none that came is lost.
#[cfg(unix)]
#[test]
fn an_interrupted_run_keeps_every_reply_and_goes_on_without_paying_again() {
    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;
    let dir = tempfile::tempdir().unwrap();
    let server = ChatServer::start(|chat| {
        std::thread::sleep(Duration::from_millis(20));
        Answer::Text(format!("{} for {}", score(chat), chat.text))
    });
    texts(dir.path(), &server, 400, "concurrency = 10\n");
    let child = unigauge_process(dir.path())
        .args(arguments(&[]))
        .env("UNIGAUGE_TEST_KEY", KEY)
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let kept = dir.path().join(RUN).join("judge/replies.jsonl");
    let start = Instant::now();
    while fs::read(&kept).map_or(0, |bytes| {
        bytes.iter().filter(|byte| **byte == b'\n').count()
    }) < 100
    {
        assert!(
            start.elapsed() < Duration::from_secs(120),
            "nothing is kept"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
    kill(
        Pid::from_raw(i32::try_from(child.id()).unwrap()),
        Signal::SIGINT,
    )
    .unwrap();
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(130), "{}", stderr(&ended));
    let before = server.account();
    assert!(before.len() < 400, "it ran to its end");
    // Whole lines, all of them answers; evidence is there of none that is not among them.
    let finished = lines(&kept);
    let said = |reply: &Value| -> Option<String> {
        let (_, text) = reply["reply"].as_str()?.split_once(" for ")?;
        Some(text.to_owned())
    };
    let finished: Vec<String> = finished.iter().filter_map(said).collect();
    assert!(finished.len() >= 98, "{}", finished.len());
    let seen = lines(&dir.path().join(RUN).join("evidence.jsonl"));
    assert!(seen.iter().all(|line| line["error"].is_null()));
    assert!(seen.len() <= finished.len());
    // What was paid stands in the ledger, too: two calls of the check.
    let ledger = fs::read(dir.path().join(RUN).join("judge/ledger.json")).unwrap();
    let ledger: Value = serde_json::from_slice(&ledger).unwrap();
    assert_eq!(ledger["calls"], finished.len() + 2);

    let output = run(dir.path(), &[]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(evidence(&dir.path().join(RUN)).len(), 400);
    let account = server.account();
    for text in &finished {
        assert_eq!(account[text].asked, 1, "{text} was paid twice");
    }
    let again = account.values().filter(|account| account.asked > 1).count();
    assert!(again <= 10, "{again}");
}

#[test]
fn shards_share_a_budget_and_no_execution_spends_it_twice() {
    let dir = tempfile::tempdir().unwrap();
    let server = ChatServer::start(|chat| Answer::Text(score(chat)));
    // A call costs 0.15, as below; each process makes two more for its check.
    let options = "concurrency = 1\nbudget = 1.4\n[observe.judge.server.prices]\ninput = 1000.0\noutput = 5000.0\n";
    texts(dir.path(), &server, 30, options);
    assert_eq!(run(dir.path(), &["--shard", "1/2"]).status.code(), Some(5));
    let made = server.account().len();
    assert_eq!(made, 8, "ten calls, two of them the check's");
    let output = run(dir.path(), &["--shard", "2/2"]);
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("those of other shards 1.5"),
        "{}",
        stderr(&output)
    );
    assert_eq!(
        server.account().len(),
        made,
        "nothing is left for the second"
    );
    // Not even the check, and again and again.
    for shard in ["1/2", "2/2"] {
        assert_eq!(run(dir.path(), &["--shard", shard]).status.code(), Some(5));
    }
    assert_eq!(server.account().len(), made);
    // A larger budget pays for what is left: the second shard's 15 calls and its check's two are 2.55.
    let larger = ["--shard", "2/2", "--set", "observe.judge.server.budget=5.0"];
    let output = run(dir.path(), &larger);
    assert!(output.status.success(), "{}", stderr(&output));
    let ledger = fs::read(dir.path().join(RUN).join("judge.2-of-2/ledger.json")).unwrap();
    let ledger: Value = serde_json::from_slice(&ledger).unwrap();
    let near = |key: &str, cost: f64| (ledger[key].as_f64().unwrap() - cost).abs() < 1e-9;
    assert!(
        near("cost", 2.55) && near("cost_of_other_shards", 1.5),
        "{ledger}"
    );
}

/// A reply that ends at its limit of tokens.
fn cut_off(text: &str) -> Reply {
    let message = json!({"role": "assistant", "content": text});
    let choice = json!({"message": message, "finish_reason": "length"});
    Reply::json(
        "200 OK",
        &json!({"model": "tiny", "choices": [choice], "usage": {"prompt_tokens": 100, "completion_tokens": 10}}),
    )
}

#[test]
fn a_reply_that_was_cut_off_is_asked_again_once_where_the_judge_may() {
    let dir = tempfile::tempdir().unwrap();
    let server = ChatServer::start(|chat| {
        let limit = chat.body["max_tokens"].as_u64().unwrap();
        let hopeless = chat.text.contains("number 1.");
        if limit < 50 || hopeless {
            Answer::Whole(cut_off("Score: "))
        } else {
            Answer::Text(score(chat))
        }
    });
    let limits = "max_tokens = 20\n";
    texts(dir.path(), &server, 2, limits);
    assert!(run(dir.path(), &[]).status.success());
    let seen = evidence(&dir.path().join(RUN));
    for item in ["i0", "i1"] {
        let calls = seen[item]["calls"].as_array().unwrap();
        assert_eq!(calls.len(), 1);
        assert_eq!(
            (&calls[0]["state"], &calls[0]["reply"]),
            (&json!("truncated"), &json!("Score: "))
        );
        assert_eq!(calls[0].get("max_tokens"), None);
    }
    assert!(server.account().values().all(|account| account.asked == 1));

    // The first replies are there already: only the longer ones are asked for, each once.
    let again = ["--set", "observe.judge.max_tokens_again=80"];
    assert!(run(dir.path(), &again).status.success());
    assert!(server.account().values().all(|account| account.asked == 2));
    let last = |item: &str| -> Value {
        let all = lines(&dir.path().join(RUN).join("evidence.jsonl"));
        let mut of = all.into_iter().filter(|line| line["item"] == item);
        of.next_back().unwrap()["evidence"]["calls"][0].clone()
    };
    assert_eq!(
        (&last("i0")["state"], &last("i0")["max_tokens"]),
        (&json!("ok"), &json!(80))
    );
    assert_eq!(last("i0")["reply"], "Score: 0");
    assert_eq!(last("i1")["state"], "truncated");
    // Word for word, both replies are kept.
    let kept = lines(&dir.path().join(RUN).join("judge/replies.jsonl"));
    assert_eq!(
        kept.iter()
            .filter(|reply| reply["finish_reason"] == "length")
            .count(),
        3
    );
    assert!(run(dir.path(), &again).status.success());
    assert!(server.account().values().all(|account| account.asked == 2));

    let output = run(dir.path(), &["--set", "observe.judge.max_tokens_again=20"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("not more than the first limit, 20"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn a_budget_ends_the_run_and_a_larger_one_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let server = ChatServer::start(|chat| Answer::Text(score(chat)));
    // A call costs (100 · 1000 + 10 · 5000) / 10⁶ = 0.15; the check's two are among them.
    let options = "concurrency = 2\nbudget = 1.5\n[observe.judge.server.prices]\ninput = 1000.0\noutput = 5000.0\n";
    texts(dir.path(), &server, 30, options);
    let output = run(dir.path(), &[]);
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
    let said = stderr(&output);
    assert!(
        said.contains("the budget of 1.5 is used up") && said.contains("raise `budget`"),
        "{said}"
    );
    let spent = || -> f64 {
        let ledger = fs::read(dir.path().join(RUN).join("judge/ledger.json")).unwrap();
        serde_json::from_slice::<Value>(&ledger).unwrap()["cost"]
            .as_f64()
            .unwrap()
    };
    assert!((1.35..1.651).contains(&spent()), "{}", spent());
    let made = server.account().len();
    assert!((7..=9).contains(&made), "{made}");
    // What was answered is evidence; nothing is recorded of the rest.
    let seen = lines(&dir.path().join(RUN).join("evidence.jsonl"));
    assert!(seen.len() <= made && seen.iter().all(|line| line["error"].is_null()));

    // The same budget again is still used up: only the check of the judge, no call.
    assert_eq!(run(dir.path(), &[]).status.code(), Some(5));
    assert_eq!(server.account().len(), made);
    let output = run(dir.path(), &["--set", "observe.judge.server.budget=10.0"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let account = server.account();
    assert_eq!(account.len(), 30);
    assert!(account.values().all(|account| *account
        == Account {
            asked: 1,
            answered: 1
        }));
    // Other limits are no other measurement: the row keeps its name.
    let manifest = fs::read_to_string(dir.path().join(RUN).join("manifest.json")).unwrap();
    assert!(manifest.contains("\"title\": \"echo (judge tiny, set.toml prompts)\""));
}

#[test]
fn the_key_is_sent_and_stands_nowhere() {
    let dir = tempfile::tempdir().unwrap();
    let server = ChatServer::start(|chat| match chat.before {
        // A server that repeats the key in an error, in a page and in an answer.
        0 => Answer::Fault(Reply::new(
            "500 Internal Server Error",
            format!("bad luck, {KEY}"),
        )),
        1 => Answer::Fault(Reply::ok(format!("<html>{KEY}</html>"))),
        _ if chat.text.contains("number 0") => {
            Answer::Fault(error("400 Bad Request", "bad", &format!("who is {KEY}?")))
        }
        _ => Answer::Text(format!("Score: 3 {KEY}")),
    });
    texts(dir.path(), &server, 3, "");
    fs::write(dir.path().join("secret"), format!("{KEY}\n")).unwrap();
    for more in [
        &[][..],
        &[
            "--out",
            "file",
            "--set",
            "observe.judge.server.api_key_file=\"../secret\"",
        ],
    ] {
        let inner = dir.path().join("inner");
        fs::create_dir_all(&inner).unwrap();
        for name in [
            "items.jsonl",
            "set.toml",
            "texts.toml",
            "echo.toml",
            "dot.png",
        ] {
            fs::copy(dir.path().join(name), inner.join(name)).unwrap();
        }
        let mut command = unigauge(&inner);
        command.args(arguments(more)).env("UNIGAUGE_LOG", "trace");
        if more.is_empty() {
            command.env("UNIGAUGE_TEST_KEY", KEY);
        }
        let output = command.output().unwrap();
        assert!(stderr(&output).contains("observe failed for item i0"));
        let said = [&output.stdout[..], &output.stderr].concat();
        assert!(
            said.windows(5).any(|five| five == b"[key]"),
            "the error is told"
        );
        assert_hidden(&said, "output");
        let mut files = 0;
        walk(&inner, &mut |path| {
            files += 1;
            assert_hidden(&fs::read(path).unwrap(), &path.display().to_string());
        });
        assert!(files > 15, "{files}");
        fs::remove_dir_all(&inner).unwrap();
    }
    let headers = server.server.seen();
    assert!(
        headers
            .iter()
            .all(|seen| seen.header("authorization") == Some(&format!("Bearer {KEY}")))
    );
}

fn assert_hidden(bytes: &[u8], place: &str) {
    let found = bytes.windows(KEY.len()).any(|part| part == KEY.as_bytes());
    assert!(!found, "the key stands in {place}");
}

fn walk(folder: &Path, visit: &mut dyn FnMut(&Path)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, visit)
        } else {
            visit(&path)
        }
    }
}

#[test]
fn waits_that_a_server_asks_for_are_kept_and_times_are_bounded() {
    let dir = tempfile::tempdir().unwrap();
    let server = ChatServer::start(|chat| match (chat.text.contains("number 0"), chat.before) {
        (true, 0) => {
            let reply = error("429 Too Many Requests", "rate_limit_exceeded", "wait");
            Answer::Fault(reply.with("Retry-After", "2"))
        }
        (false, _) => Answer::Fault(completion("never whole").dripping()),
        _ => Answer::Text(score(chat)),
    });
    texts(
        dir.path(),
        &server,
        2,
        "timeout_seconds = 0.7\ntotal_seconds = 4.0\nmax_attempts = 50\n",
    );
    let start = Instant::now();
    let output = run(dir.path(), &[]);
    let seconds = start.elapsed().as_secs_f64();
    assert_eq!(
        output.status.code(),
        Some(0),
        "evidence is beside the rule here"
    );
    assert!((3.0..60.0).contains(&seconds), "{seconds}");
    let seen = lines(&dir.path().join(RUN).join("evidence.jsonl"));
    let of = |item: &str| seen.iter().find(|line| line["item"] == item).unwrap();
    assert_eq!(of("i0")["evidence"]["calls"][0]["attempts"], 2);
    assert!(
        of("i0")["evidence"]["calls"][0]["seconds"]
            .as_f64()
            .unwrap()
            < 1.0,
        "of the attempt alone"
    );
    assert_eq!(of("i1")["error"]["kind"], "timeout");
    let asked = server.account()["Judge number 1."].asked;
    assert!((3..=7).contains(&asked), "{asked}");
}

#[test]
fn a_judge_that_does_not_work_is_told_before_anything_is_made() {
    let dir = tempfile::tempdir().unwrap();
    let server = ChatServer::start(|chat| Answer::Text(score(chat)));
    texts(dir.path(), &server, 3, "max_attempts = 2\n");
    let outputs = dir.path().join(RUN).join("outputs.jsonl");
    let nothing_made = || assert_eq!(fs::metadata(&outputs).map_or(0, |file| file.len()), 0);
    // Nothing listens on this port: it was given back.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let address = format!("observe.judge.server.base_url=\"http://127.0.0.1:{port}\"");
    let output = run(dir.path(), &["--set", &address]);
    assert_eq!(output.status.code(), Some(6), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("check that the server is running"),
        "{}",
        stderr(&output)
    );
    nothing_made();

    for (reply, code, words) in [
        (
            error("401 Unauthorized", "invalid_api_key", "who are you?"),
            6,
            "UNIGAUGE_TEST_KEY is not accepted",
        ),
        (
            error("404 Not Found", "model_not_found", "no model"),
            6,
            "check `model` and `base_url`",
        ),
        (
            error("429 Too Many Requests", "insufficient_quota", "pay first"),
            6,
            "no credit left",
        ),
        (
            error("400 Bad Request", "bad", "no pictures here"),
            6,
            "check that the model accepts pictures",
        ),
    ] {
        let pictures_only = words.contains("pictures");
        let reply = std::sync::Mutex::new(Some(reply));
        let broken = crate::http::Server::start(move |seen, _| {
            let body = String::from_utf8_lossy(&seen.body);
            if seen.path.ends_with("/models") {
                return Reply::new("404 Not Found", "");
            }
            if pictures_only && !body.contains("image_url") {
                return completion("ready");
            }
            reply
                .lock()
                .unwrap()
                .take()
                .unwrap_or_else(|| completion("ready"))
        });
        let address = format!("observe.judge.server.base_url=\"{}\"", broken.url("/v1"));
        let output = run(dir.path(), &["--set", &address]);
        assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
        assert!(
            stderr(&output).contains(words),
            "{words}: {}",
            stderr(&output)
        );
        nothing_made();
    }

    // A judge that sees nothing answers all the same: a warning, and a note in the run folder.
    let blind = crate::http::Server::start(|_, _| completion("First"));
    let address = format!("observe.judge.server.base_url=\"{}\"", blind.url(""));
    let output = run(dir.path(), &["--set", &address]);
    assert!(output.status.success());
    assert!(
        stderr(&output).contains("does it see pictures at all"),
        "{}",
        stderr(&output)
    );
    assert_eq!(blind.seen()[0].path, "/v1/models");
    let check = fs::read(dir.path().join(RUN).join("judge/check.json")).unwrap();
    let check: Value = serde_json::from_slice(&check).unwrap();
    assert_eq!(check["pictures"]["told_apart"], false);

    // Settings that cannot be right are told with their names.
    for (set, words) in [
        ("budget=1.0", "needs `prices`"),
        ("base_url=\"ftp://x\"", "does not begin with http"),
        (
            "base_url=\"http://me:secret@host/v1\"",
            "contains a user name or a password",
        ),
        ("model=\"\"", "`model` is empty"),
        ("concurrency=0", "must be positive"),
    ] {
        let output = run(
            dir.path(),
            &["--set", &format!("observe.judge.server.{set}")],
        );
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        assert!(
            stderr(&output).contains(words),
            "{set}: {}",
            stderr(&output)
        );
    }
}
