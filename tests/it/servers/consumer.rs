//! Who asks servers, each with a suite of one item and the numbers that a right answer gives.

use crate::http::Server;
use crate::support::{lines, model, unigauge};
use base64::Engine as _;
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Consumer {
    Chat,
    Picture,
    Edit,
    Reader,
    Judge,
}

use Consumer::{Chat, Edit, Judge, Picture, Reader};

const JUDGED: &str = "Brief reasoning: as told.\nPrompt Compliance: 5\nVisual Naturalness: 4\nPhysical & Detail Coherence: 4";

fn png() -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let picture = image::RgbImage::from_fn(24, 16, |x, y| {
        image::Rgb([(x * 9) as u8, (y * 14) as u8, 80])
    });
    picture
        .write_to(&mut bytes, image::ImageFormat::Png)
        .unwrap();
    bytes.into_inner()
}

impl Consumer {
    /// The server's answer when nothing goes wrong.
    pub(super) fn right(self) -> Value {
        let chat = |text: &str| {
            json!({"id": "r", "model": "m", "choices": [{"index": 0, "finish_reason": "stop",
                   "message": {"role": "assistant", "content": text}}],
                   "usage": {"prompt_tokens": 9, "completion_tokens": 3}})
        };
        match self {
            Chat => chat("It is blue"),
            Reader => chat("FRESH BREAD"),
            Judge => chat(JUDGED),
            Picture | Edit => {
                let encoded = base64::engine::general_purpose::STANDARD.encode(png());
                json!({"created": 1, "data": [{"b64_json": encoded}]})
            }
        }
    }

    /// Writes a suite of one item and what it needs.
    pub(super) fn prepare(self, dir: &Path, server: &Server) {
        let url = server.url("/v1");
        fs::write(dir.join("dot.png"), png()).unwrap();
        let (task, rule, more) = match self {
            Chat => ("understand", "contains", String::new()),
            Picture => ("text-to-image", "contains", String::new()),
            Edit => ("edit", "contains", String::new()),
            Reader => (
                "text-to-image",
                "longtext",
                format!(
                    "[observe.openai-ocr]\nmodel = \"m\"\nbase_url = \"{url}\"\napi_key_env = \"NO_SUCH_KEY\"\nmax_attempts = 2\n"
                ),
            ),
            Judge => (
                "edit",
                "imgedit",
                format!(
                    "[observe.judge]\nset = \"imgedit\"\ncheck = false\n[observe.judge.server]\nmodel = \"m\"\n\
                     base_url = \"{url}\"\napi_key_env = \"NO_SUCH_KEY\"\nmax_attempts = 2\nfirst_wait_seconds = 0.0\n"
                ),
            ),
        };
        let observers = match self {
            Reader => "observers = [\"openai-ocr\"]\n",
            Judge => "observers = [\"judge\"]\n",
            _ => "",
        };
        let suite = format!(
            "name = \"s\"\nversion = \"1\"\ntitle = \"S\"\ntask = \"{task}\"\n{observers}\n[items]\nfile = \"items.jsonl\"\n\n\
             [grade]\nrule = \"{rule}\"\n\n{more}"
        );
        fs::write(dir.join("s.toml"), suite).unwrap();
        let images = match self {
            Edit | Judge => json!(["dot.png"]),
            _ => json!([]),
        };
        let item = json!({"id": "a", "prompt": "Which colour is the door that says FRESH BREAD?", "images": images,
            "expect": {"answers": ["blue"], "texts": ["FRESH BREAD"], "language": "en", "edit_type": "add"}});
        fs::write(dir.join("items.jsonl"), format!("{item}\n")).unwrap();
        fs::create_dir(dir.join("pictures")).unwrap();
        fs::write(dir.join("pictures/a_0.png"), png()).unwrap();
        model(
            dir,
            "m",
            "openai",
            &format!(
                "model = \"m\"\nbase_url = \"{url}\"\napi_key_env = \"NO_SUCH_KEY\"\nmax_attempts = 2"
            ),
        );
    }

    pub(super) fn run(self, dir: &Path) -> std::process::Output {
        let arguments: &[&str] = match self {
            Chat => &["run", "s.toml", "--model", "m.toml", "--out", "out"],
            Picture | Edit => &["generate", "s.toml", "--model", "m.toml", "--out", "out"],
            Reader | Judge => &[
                "observe", "--suite", "./s.toml", "--images", "pictures", "--name", "m", "--out",
                "out",
            ],
        };
        unigauge(dir).args(arguments).output().unwrap()
    }

    /// Whether what was measured is what the right answer gives.
    pub(super) fn is_right(self, dir: &Path) -> bool {
        let value = |right: f64| {
            let summary = fs::read(file(dir, "summary.json")).unwrap();
            let summary: Value = serde_json::from_slice(&summary).unwrap();
            (summary["overall"]["value"].as_f64().unwrap() - right).abs() < 0.005
        };
        match self {
            Chat | Reader => value(1.0),
            // The mean of 5, 4 and 4, to two digits as the benchmark has it.
            Judge => value(13.0 / 3.0),
            Picture | Edit => {
                let outputs = lines(&file(dir, "outputs.jsonl"));
                let made = outputs.last().unwrap()["file"].as_str().unwrap().to_owned();
                fs::read(file(dir, "outputs.jsonl").with_file_name("").join(made)).unwrap() == png()
            }
        }
    }

    /// The message of the failed record.
    pub(super) fn failure(self, dir: &Path) -> String {
        let name = match self {
            Reader | Judge => "evidence.jsonl",
            _ => "outputs.jsonl",
        };
        let records = lines(&file(dir, name));
        let message = &records.last().unwrap()["error"]["message"];
        message.as_str().unwrap_or_default().to_owned()
    }
}

/// The only file of this name under `out`.
pub(super) fn file(dir: &Path, name: &str) -> PathBuf {
    let mut folders = vec![dir.join("out")];
    while let Some(folder) = folders.pop() {
        for entry in
            fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false if path.file_name().unwrap() == name => return path,
                false => {}
            }
        }
    }
    panic!("no {name} under {}", dir.display())
}
