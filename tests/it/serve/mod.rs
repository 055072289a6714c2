//! `unigauge serve rewards`: a server process on a free port of the loopback interface.

#[cfg(unix)]
mod ending;
mod in_process;
mod limits;
mod queue;
mod wires;

use crate::support::{lines, stderr, unigauge, unigauge_process};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// No wait of these tests is longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// GenEval's rule over the exact observer.
const STRICT: &str = r#"
name = "strict"
observers = ["world"]

[[components]]
name = "exact"
rule = "geneval"
options = { accept_no_detections = true }
"#;

/// A server that is ready.
pub(super) struct Service {
    pub child: Child,
    pub address: String,
    client: reqwest::blocking::Client,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Said {
    pub status: u16,
    pub retry_after: Option<String>,
    pub body: Value,
}

impl Service {
    /// Starts it in a folder, and waits until its observers are open.
    pub(super) fn start(dir: &Path, args: &[&str]) -> Self {
        let mut child = unigauge_process(dir)
            .args([
                "serve",
                "rewards",
                "--listen",
                "127.0.0.1:0",
                "--device",
                "cpu",
            ])
            .args(args)
            .env("TEST_TOKEN", "s3cret")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let stdout = child.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("http://");
        let service = Self {
            address: address.expect("the first line is the address").to_owned(),
            child,
            client: client(),
        };
        wait_for(|| service.get("/health").body["status"] == "ok");
        service
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(super) fn get(&self, path: &str) -> Said {
        said(self.client.get(self.url(path)))
    }

    pub(super) fn post(&self, path: &str, body: &Value) -> Said {
        said(self.client.post(self.url(path)).json(body))
    }

    /// The same with the time that the client waits.
    pub(super) fn post_within(&self, path: &str, body: &Value, milliseconds: u32) -> Said {
        let request = self.client.post(self.url(path)).json(body);
        said(request.header("X-Timeout-Ms", milliseconds.to_string()))
    }

    /// The value of a line of `/metrics`; 0 if there is none.
    pub(super) fn metric(&self, series: &str) -> f64 {
        let text = self
            .client
            .get(self.url("/metrics"))
            .send()
            .unwrap()
            .text()
            .unwrap();
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.map_or(0.0, |value| value.parse().unwrap())
    }

    /// Opens a connection.
    pub(super) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(super) fn client() -> reqwest::blocking::Client {
    // An error says that another test has chosen the provider.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::blocking::Client::builder();
    client.no_proxy().timeout(PATIENCE).build().unwrap()
}

pub(super) fn said(request: reqwest::blocking::RequestBuilder) -> Said {
    let response = request.send().unwrap();
    let retry_after = response.headers().get("retry-after");
    Said {
        status: response.status().as_u16(),
        retry_after: retry_after.map(|value| value.to_str().unwrap().to_owned()),
        body: response.json().unwrap_or(Value::Null),
    }
}

/// Waits until something holds.
pub(super) fn wait_for(holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "it does not become true");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A whole request with a body, as bytes.
pub(super) fn request(path: &str, body: &Value) -> Vec<u8> {
    let body = body.to_string();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    [head.into_bytes(), body.into_bytes()].concat()
}

/// Sends bytes, and reads until the server closes the connection.
pub(super) fn exchange(mut stream: TcpStream, bytes: &[u8]) -> std::io::Result<String> {
    stream.write_all(bytes)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// An output of a run, with its grade.
pub(super) struct Graded {
    pub prompt: String,
    pub expect: Value,
    pub image: String,
    pub score: f64,
}

/// The file of a reward that the tests ask for.
pub(super) fn strict(dir: &Path) {
    std::fs::write(dir.join("strict.toml"), STRICT).unwrap();
}

/// Items of each of GenEval's tasks, drawn with mistakes and graded by the reward.
pub(super) fn graded(dir: &Path) -> Vec<Graded> {
    strict(dir);
    let suite = "name = \"rewarded\"\nversion = \"1\"\ntitle = \"Rewarded\"\ntask = \"text-to-image\"\n\
                 observers = [\"world\"]\nlayout = \"flat\"\n\n[items]\ngenerator = \"mini-geneval\"\n\n\
                 [grade]\nrule = \"reward\"\n\n[grade.options]\nreward = \"./strict.toml\"\n\n\
                 [report]\ngroup_by = [\"tag\"]\n";
    std::fs::write(dir.join("rewarded.toml"), suite).unwrap();
    let tasks = [
        "single_object",
        "two_object",
        "counting",
        "colors",
        "position",
        "color_attr",
    ];
    let items = tasks
        .iter()
        .flat_map(|task| (0..5).map(move |index| format!("{task}-{index:02}")));
    let output = unigauge(dir)
        .args([
            "run",
            "./rewarded.toml",
            "--model",
            "world-mistaken",
            "--run",
            "r",
            "--only",
        ])
        .args(items)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let run = dir.join("results/rewarded/world-mistaken/r");
    let items = lines(&run.join("items.jsonl"));
    let outputs = lines(&run.join("outputs.jsonl"));
    let grades = lines(&run.join("grades.jsonl"));
    let of = |records: &[Value], item: &Value| {
        let found = records.iter().find(|record| record["item"] == item["item"]);
        found.unwrap().clone()
    };
    let graded: Vec<Graded> = (items.iter())
        .map(|item| {
            let file = of(&outputs, item)["file"].as_str().unwrap().to_owned();
            Graded {
                prompt: item["prompt"].as_str().unwrap().to_owned(),
                expect: item["expect"].clone(),
                image: STANDARD.encode(std::fs::read(run.join(file)).unwrap()),
                score: of(&grades, item)["score"].as_f64().unwrap(),
            }
        })
        .collect();
    assert_eq!(graded.len(), 30);
    let right = graded.iter().filter(|graded| graded.score == 1.0).count();
    assert!((5..30).contains(&right), "{right} are right");
    graded
}

/// A drawn picture that differs from those with other numbers, in base64.
pub(super) fn picture(number: u8) -> String {
    let picture = image::RgbImage::from_pixel(32, 32, image::Rgb([number, 0, 0]));
    STANDARD.encode(unigauge::image::encode_png(&picture).unwrap())
}

/// One output to score in the server's own form.
pub(super) fn own(reward: &str, prompt: &str, image: &str) -> Value {
    json!({"reward": reward, "requests": [{"prompt": prompt, "image": image}]})
}
