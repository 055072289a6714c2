//! The queue of looks, before an observer that looks only when the test lets it.

use super::{Service, own, picture, request, wait_for};
use crate::chat::{Answer, ChatServer};
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

const PROMPT: &str = "a sign that says \"AB\"";
const WAITING: &str = "unigauge_queue{observer=\"openai-ocr\"}";

/// A reader of texts that answers when its gate is open.
pub(super) struct Reader {
    gate: Arc<AtomicBool>,
    asked: Arc<AtomicUsize>,
    server: ChatServer,
}

impl Reader {
    pub(super) fn start() -> Self {
        let gate = Arc::new(AtomicBool::new(false));
        let asked = Arc::new(AtomicUsize::new(0));
        let (open, count) = (gate.clone(), asked.clone());
        let server = ChatServer::start(move |_| {
            count.fetch_add(1, Ordering::SeqCst);
            let begun = Instant::now();
            while !open.load(Ordering::SeqCst) && begun.elapsed() < Duration::from_secs(60) {
                std::thread::sleep(Duration::from_millis(2));
            }
            Answer::Text("AB".into())
        });
        Self {
            gate,
            asked,
            server,
        }
    }

    pub(super) fn open(&self) {
        self.gate.store(true, Ordering::SeqCst);
    }

    pub(super) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// A server whose reward asks this reader.
    pub(super) fn serve(&self, dir: &Path, args: &[&str]) -> Service {
        let url = self.server.server.url("/v1");
        let reward = format!(
            "name = \"read\"\nobservers = [\"openai-ocr\"]\n\n[[components]]\nname = \"text\"\nrule = \"text-recall\"\n\
             options = {{ observers = [\"openai-ocr\"] }}\n\n[observe.openai-ocr]\nmodel = \"reader\"\n\
             base_url = \"{url}\"\ntimeout_seconds = 60\nmax_attempts = 1\n"
        );
        std::fs::write(dir.join("read.toml"), reward).unwrap();
        Service::start(dir, &[&["--rewards", "./read.toml"], args].concat())
    }
}

fn reward(body: &Value) -> &Value {
    &body["results"][0]["reward"]
}

#[test]
fn equal_looks_are_made_once_and_kept() {
    let dir = tempfile::tempdir().unwrap();
    let reader = Reader::start();
    let service = reader.serve(dir.path(), &[]);
    let one = json!({"prompt": PROMPT, "image": picture(1)});
    let body = json!({"reward": "read", "requests": [one, one, one]});
    std::thread::scope(|scope| {
        let asks: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| service.post("/v1/rewards", &body)))
            .collect();
        wait_for(|| reader.asked() == 1);
        reader.open();
        for ask in asks {
            let said = ask.join().unwrap();
            assert!(
                (0..3).all(|at| said.body["results"][at]["reward"] == 1.0),
                "{said:?}"
            );
        }
    });
    assert_eq!(reader.asked(), 1);
    let hash = {
        use base64::Engine as _;
        let bytes = base64::engine::general_purpose::STANDARD.decode(picture(1));
        unigauge::files::sha256_hex(bytes.unwrap())
    };
    let said = service.post(
        "/v1/rewards",
        &own("read", PROMPT, &format!("sha256:{hash}")),
    );
    assert_eq!(reward(&said.body), &json!(1.0));
    let never = format!("sha256:{}", "0".repeat(64));
    let said = service.post("/v1/rewards", &own("read", PROMPT, &never));
    assert_eq!(
        said.body["results"][0]["errors"]["reward"]["kind"],
        "picture"
    );
    assert_eq!(reader.asked(), 1);
}

#[test]
fn deadlines_are_kept_and_who_hangs_up_leaves_the_queue() {
    let dir = tempfile::tempdir().unwrap();
    let reader = Reader::start();
    let service = reader.serve(dir.path(), &[]);
    // The first look is in work from here on.
    let said = service.post_within("/v1/rewards", &own("read", PROMPT, &picture(1)), 400);
    assert_eq!(
        (said.status, &said.body["error"]["kind"]),
        (504, &json!("timeout"))
    );
    assert_eq!(reader.asked(), 1);
    let mut gone = Vec::new();
    for number in 2..6 {
        let mut stream = service.connect();
        let body = own("read", PROMPT, &picture(number));
        stream.write_all(&request("/v1/rewards", &body)).unwrap();
        gone.push(stream);
    }
    wait_for(|| service.metric(WAITING) == 4.0);
    gone.pop();
    wait_for(|| service.metric(WAITING) == 3.0);
    drop(gone);
    wait_for(|| service.metric(WAITING) == 0.0);
    let hung = "unigauge_requests_total{route=\"/v1/rewards\",status=\"hung up\"}";
    wait_for(|| service.metric(hung) == 4.0);
    reader.open();
    // The look that the deadline did not wait for is kept all the same.
    let said = service.post("/v1/rewards", &own("read", PROMPT, &picture(1)));
    assert_eq!(reward(&said.body), &json!(1.0));
    assert_eq!(reader.asked(), 1);
    let said = service.post("/v1/rewards", &own("read", PROMPT, &picture(2)));
    assert_eq!(reward(&said.body), &json!(1.0));
    assert_eq!(reader.asked(), 2);
}

#[test]
fn overload_waits_and_is_refused_at_its_deadline() {
    let dir = tempfile::tempdir().unwrap();
    let reader = Reader::start();
    let service = reader.serve(dir.path(), &["--max-pictures", "1"]);
    std::thread::scope(|scope| {
        let first = scope.spawn(|| service.post("/v1/rewards", &own("read", PROMPT, &picture(1))));
        wait_for(|| reader.asked() == 1);
        let patient =
            scope.spawn(|| service.post("/v1/rewards", &own("read", PROMPT, &picture(2))));
        let said = service.post_within("/v1/rewards", &own("read", PROMPT, &picture(3)), 300);
        assert_eq!(
            (said.status, &said.body["error"]["kind"]),
            (429, &json!("overload"))
        );
        assert_eq!(said.retry_after.as_deref(), Some("1"));
        // Nothing of the two was looked at while there was no room.
        assert_eq!(reader.asked(), 1);
        reader.open();
        for ask in [first, patient] {
            let said = ask.join().unwrap();
            assert_eq!((said.status, reward(&said.body)), (200, &json!(1.0)));
        }
    });
    let bytes = service.metric("unigauge_decoded_bytes");
    assert_eq!(bytes, 0.0);
}

#[test]
fn a_missing_look_is_an_error_of_its_reward_alone() {
    let dir = tempfile::tempdir().unwrap();
    let reader = Reader::start();
    let noise = "name = \"sharp\"\nobservers = [\"quality\"]\n\n[[components]]\nname = \"quality\"\nrule = \"measure\"\n\
                 options = { key = \"sharpness\", observer = \"quality\" }\nscale = [0, 1000]\n";
    std::fs::write(dir.path().join("sharp.toml"), noise).unwrap();
    let service = reader.serve(dir.path(), &["--rewards", "./sharp.toml"]);
    let turn = json!({"text": PROMPT, "image_b64": picture(1)});
    let body = json!({"requests": [{"history": [turn], "required_rewards": ["read", "sharp"]}]});
    let said = service.post_within("/score", &body, 1500);
    assert_eq!(said.status, 200, "{said:?}");
    assert_eq!(
        said.body["results"][0],
        json!({"sharp": {"sharp": 0.0, "quality": 0.0}})
    );
    let why = said.body["errors"][0]["read"].as_str().unwrap();
    assert!(why.starts_with("timeout: "), "{why}");
    reader.open();
}
