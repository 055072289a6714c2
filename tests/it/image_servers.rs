//! The example files for servers of today's models, run against fakes that check each request and answer as
//! vLLM-Omni and SGLang-Diffusion do according to their documentation.

use crate::http::{Reply, Seen, Server};
use crate::support::{lines, stderr, unigauge};
use base64::Engine as _;
use serde_json::{Map, Value, json};
use std::fs;
use std::io::Cursor;
use std::path::Path;
use std::process::Output;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Dialect {
    VllmOmni,
    SglangDiffusion,
}

use Dialect::{SglangDiffusion, VllmOmni};

/// An example file, and what it has to send.
#[derive(Clone, Copy)]
struct Example {
    file: &'static str,
    dialects: &'static [Dialect],
    model: &'static str,
    /// `None` for a model that only edits.
    size: Option<(u32, u32)>,
    /// The largest number of input images of an edit; 0 for a model that does not edit.
    edits: usize,
    /// The fields beyond those that each request has, as JSON.
    sampling: &'static str,
}

const BOTH: &[Dialect] = &[VllmOmni, SglangDiffusion];

const EXAMPLES: [Example; 6] = [
    Example {
        file: "qwen-image.toml",
        dialects: BOTH,
        model: "Qwen/Qwen-Image",
        size: Some((1328, 1328)),
        edits: 0,
        sampling: r#"{"num_inference_steps": 50, "true_cfg_scale": 4.0, "negative_prompt": " "}"#,
    },
    Example {
        file: "qwen-image-edit.toml",
        dialects: BOTH,
        model: "Qwen/Qwen-Image-Edit-2511",
        size: None,
        edits: 2,
        sampling: r#"{"num_inference_steps": 40, "guidance_scale": 1.0, "true_cfg_scale": 4.0, "negative_prompt": " "}"#,
    },
    Example {
        file: "z-image.toml",
        dialects: BOTH,
        model: "Tongyi-MAI/Z-Image-Turbo",
        size: Some((1024, 1024)),
        edits: 0,
        sampling: r#"{"num_inference_steps": 9, "guidance_scale": 0.0}"#,
    },
    Example {
        file: "hunyuan-image.toml",
        dialects: BOTH,
        model: "tencent/HunyuanImage-3.0-Instruct",
        size: Some((1024, 1024)),
        edits: 2,
        sampling: r#"{"num_inference_steps": 50, "guidance_scale": 2.5}"#,
    },
    Example {
        file: "flux2-klein.toml",
        dialects: BOTH,
        model: "black-forest-labs/FLUX.2-klein-4B",
        size: Some((1024, 1024)),
        edits: 2,
        sampling: r#"{"num_inference_steps": 4, "guidance_scale": 1.0}"#,
    },
    Example {
        file: "sglang-bagel.toml",
        dialects: &[SglangDiffusion],
        model: "ByteDance-Seed/BAGEL-7B-MoT",
        size: Some((1024, 1024)),
        edits: 1,
        sampling: r#"{"num_inference_steps": 50}"#,
    },
];

/// Two inputs of different sizes, so that a mix-up shows.
const INPUTS: [(u32, u32); 2] = [(40, 24), (16, 32)];

fn png((width, height): (u32, u32)) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image::RgbImage::from_pixel(width, height, image::Rgb([90, 120, 30]))
        .write_to(&mut bytes, image::ImageFormat::Png)
        .unwrap();
    bytes.into_inner()
}

fn size_of(bytes: &[u8]) -> (u32, u32) {
    let picture = image::load_from_memory_with_format(bytes, image::ImageFormat::Png).unwrap();
    (picture.width(), picture.height())
}

/// A request's fields, which are texts in a form, and its files by the name of the field.
struct Asked {
    fields: Map<String, Value>,
    files: Vec<(String, Vec<u8>)>,
}

impl Asked {
    fn read(seen: &Seen) -> Result<Self, String> {
        let kind = seen.header("content-type").ok_or("no content type")?;
        match kind.strip_prefix("multipart/form-data; boundary=") {
            Some(boundary) => Self::form(&seen.body, boundary),
            None if kind == "application/json" => Ok(Self {
                fields: serde_json::from_slice(&seen.body).map_err(|error| error.to_string())?,
                files: Vec::new(),
            }),
            None => Err(format!("content type {kind}")),
        }
    }

    fn form(body: &[u8], boundary: &str) -> Result<Self, String> {
        let mut asked = Self {
            fields: Map::new(),
            files: Vec::new(),
        };
        let mark = format!("--{boundary}");
        for part in split(body, mark.as_bytes()).into_iter().skip(1) {
            if part.starts_with(b"--") {
                return Ok(asked);
            }
            let part = part
                .strip_prefix(b"\r\n")
                .ok_or("no line end after a boundary")?;
            let at = find(part, b"\r\n\r\n").ok_or("a part without content")?;
            let head = String::from_utf8_lossy(&part[..at]).into_owned();
            let content = part[at + 4..].strip_suffix(b"\r\n").ok_or("no line end")?;
            let name = head
                .split("name=\"")
                .nth(1)
                .ok_or("a part without a name")?;
            let name = name.split('"').next().unwrap_or_default().to_owned();
            if head.contains("filename=\"") {
                if !head.contains("Content-Type: image/png") {
                    return Err(format!("a file with the head {head}"));
                }
                asked.files.push((name, content.to_vec()));
            } else {
                let text =
                    String::from_utf8(content.to_vec()).map_err(|error| error.to_string())?;
                if asked.fields.insert(name.clone(), json!(text)).is_some() {
                    return Err(format!("{name} twice"));
                }
            }
        }
        Err("no end of the form".to_owned())
    }
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

fn split<'a>(mut text: &'a [u8], mark: &[u8]) -> Vec<&'a [u8]> {
    let mut parts = Vec::new();
    while let Some(at) = find(text, mark) {
        parts.push(&text[..at]);
        text = &text[at + mark.len()..];
    }
    parts.push(text);
    parts
}

impl Example {
    /// The fields that a request must have: these, and a seed.
    fn wanted(self, edit: bool) -> Map<String, Value> {
        let mut fields: Map<String, Value> = serde_json::from_str(self.sampling).unwrap();
        let size = match self.size {
            Some((width, height)) if !edit => format!("{width}x{height}"),
            _ => "auto".to_owned(),
        };
        for (key, value) in [
            ("model", json!(self.model)),
            ("n", json!(1)),
            ("size", json!(size)),
            ("prompt", json!("Paint the \"door\"\nblue")),
            ("response_format", json!("b64_json")),
            ("output_format", json!("png")),
        ] {
            fields.insert(key.to_owned(), value);
        }
        if edit {
            // A form has texts only.
            for value in fields.values_mut().filter(|value| value.is_number()) {
                *value = json!(value.to_string());
            }
        }
        fields
    }

    /// The answer to a request. A request that is not exactly as it must be is refused, as FastAPI refuses it.
    fn answer(self, dialect: Dialect, seen: &Seen) -> Reply {
        match self.picture(seen) {
            Ok((seed, size)) => {
                let encoded = base64::engine::general_purpose::STANDARD.encode(png(size));
                let (width, height) = size;
                Reply::json(
                    "200 OK",
                    &match dialect {
                        VllmOmni => json!({
                            "created": 1701234567,
                            "data": [{"b64_json": encoded, "url": null, "revised_prompt": null}],
                            "output_format": "png", "size": format!("{width}x{height}"), "cot_output": null,
                            "metrics": null}),
                        SglangDiffusion => json!({
                            "id": format!("request-{seed}"), "created": 1701234567, "peak_memory_mb": 30512.5,
                            "data": [{"b64_json": encoded, "url": null, "file_path": null,
                                      "revised_prompt": "Paint the \"door\"\nblue"}],
                            "inference_time_s": 3.25}),
                    },
                )
            }
            Err(what) => Reply::json(
                "422 Unprocessable Entity",
                &json!({"detail": [{"type": "fake", "loc": ["body"], "msg": what}]}),
            ),
        }
    }

    /// The seed, and the size of the picture that is due.
    fn picture(self, seen: &Seen) -> Result<(u64, (u32, u32)), String> {
        let edit = match &*seen.path {
            "/v1/images/generations" => false,
            "/v1/images/edits" => true,
            path => return Err(format!("no such path: {path}")),
        };
        let mut asked = Asked::read(seen)?;
        let seed = asked.fields.remove("seed").ok_or("no seed")?;
        let seed: u64 = match &seed {
            Value::String(text) => text.parse().map_err(|_| format!("seed {text}"))?,
            other => other.as_u64().ok_or(format!("seed {other}"))?,
        };
        let wanted = self.wanted(edit);
        if asked.fields != wanted {
            return Err(format!("{:?}, not {wanted:?}", asked.fields));
        }
        if !edit {
            return Ok((seed, self.size.unwrap()));
        }
        let due = match asked.files.len() {
            1 => vec![("image".to_owned(), png(INPUTS[0]))],
            _ => INPUTS
                .map(|size| ("image[]".to_owned(), png(size)))
                .to_vec(),
        };
        if asked.files != due {
            return Err("the input images are not those of the item".to_owned());
        }
        Ok((seed, size_of(&asked.files[0].1)))
    }

    /// Writes a copy of the example for this server, and a suite with an item for each number of input images.
    fn prepare(self, dir: &Path, server: &Server, edit: bool, more: &str) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("configs/examples")
            .join(self.file);
        let text = fs::read_to_string(path).unwrap();
        let replace = |text: String, old: &str, new: &str| {
            assert_eq!(text.matches(old).count(), 1, "{}: {old}", self.file);
            text.replace(old, new)
        };
        let text = replace(text, "http://localhost:8000/v1", &server.url("/v1"));
        let text = match more {
            "" => text,
            more => replace(text, "timeout_seconds = 600.0", more),
        };
        fs::write(dir.join("m.toml"), text).unwrap();
        let task = if edit { "edit" } else { "text-to-image" };
        let suite = format!(
            "name = \"s\"\nversion = \"1\"\ntitle = \"S\"\ntask = \"{task}\"\n\n[items]\nfile = \"items.jsonl\"\n\n\
             [grade]\nrule = \"contains\"\n"
        );
        fs::write(dir.join("s.toml"), suite).unwrap();
        let mut items = String::new();
        for (number, size) in INPUTS.into_iter().enumerate() {
            if edit && number >= self.edits {
                break;
            }
            fs::write(dir.join(format!("{number}.png")), png(size)).unwrap();
            let inputs: Vec<String> = (0..=number).map(|input| format!("{input}.png")).collect();
            let images = if edit { inputs } else { Vec::new() };
            let item = json!({"id": format!("a{number}"), "prompt": "Paint the \"door\"\nblue", "images": images,
                              "expect": {"answers": ["blue"]}});
            items += &format!("{item}\n");
        }
        fs::write(dir.join("items.jsonl"), items).unwrap();
    }
}

fn generate(dir: &Path) -> Output {
    unigauge(dir)
        .args([
            "generate", "s.toml", "--model", "m.toml", "--out", "out", "--jobs", "1",
        ])
        .env_remove("IMAGE_SERVER_KEY")
        .output()
        .unwrap()
}

/// The run folder, which is the only one.
fn outputs(dir: &Path) -> std::path::PathBuf {
    let model = fs::read_dir(dir.join("out/s"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    model.path().join("seed0/outputs.jsonl")
}

#[test]
fn each_example_speaks_the_dialects_of_its_servers() {
    for example in EXAMPLES {
        for &dialect in example.dialects {
            let tasks = [(false, example.size.is_some()), (true, example.edits > 0)];
            for (edit, _) in tasks.into_iter().filter(|(_, able)| *able) {
                let dir = tempfile::tempdir().unwrap();
                let server = Server::start(move |seen, _| example.answer(dialect, seen));
                example.prepare(dir.path(), &server, edit, "");
                let output = generate(dir.path());
                let what = format!(
                    "{} {dialect:?} edit={edit}: {}",
                    example.file,
                    stderr(&output)
                );
                assert_eq!(output.status.code(), Some(0), "{what}");
                let outputs = outputs(dir.path());
                let records = lines(&outputs);
                let count = if edit { example.edits } else { 2 };
                assert_eq!(records.len(), count, "{what}");
                // Two outputs are made at the same time, in any order.
                let asked = server.seen();
                let asked: Vec<_> = asked
                    .iter()
                    .map(|seen| example.picture(seen).unwrap())
                    .collect();
                for record in &records {
                    let own = record["seed"].as_u64().unwrap() % (1 << 31);
                    let size = asked.iter().find(|(seed, _)| *seed == own).expect(&what).1;
                    let file = outputs.with_file_name(record["file"].as_str().unwrap());
                    assert_eq!(size_of(&fs::read(file).unwrap()), size, "{what}");
                }
                if let [first, second] = &records[..] {
                    assert_ne!(first["seed"], second["seed"], "{what}");
                }
            }
        }
    }
}

/// Whatever a server does wrong is the error of each item, and no picture is recorded.
#[test]
fn faults_of_a_server_are_errors_of_its_items() {
    type Fault = fn(Reply) -> Reply;
    let cases: [(Fault, &str, &str); 6] = [
        (
            |_| {
                let detail = "Image generation failed: no memory";
                Reply::json("500 Internal Server Error", &json!({"detail": detail}))
            },
            "server",
            "Image generation failed: no memory",
        ),
        (
            |_| {
                let detail = "Model mismatch: request specifies 'a' but server is running 'b'.";
                Reply::json("400 Bad Request", &json!({"detail": detail}))
            },
            "rejected",
            "Model mismatch",
        ),
        (
            |right| right.cut(60),
            "network",
            "the answer was interrupted",
        ),
        (|right| right.silent(10), "timeout", ""),
        (
            |_| {
                let data = json!([{"b64_json": null, "url": null, "revised_prompt": null}]);
                Reply::json("200 OK", &json!({"created": 1, "data": data}))
            },
            "protocol",
            "neither `data[0].b64_json` nor `data[0].url`",
        ),
        (
            |_| {
                let data = json!([{"b64_json": "iVBORw0KGgo*"}]);
                Reply::json("200 OK", &json!({"created": 1, "data": data}))
            },
            "image",
            "broken base64",
        ),
    ];
    let example = EXAMPLES[4];
    for edit in [false, true] {
        for (fault, kind, words) in cases {
            let dir = tempfile::tempdir().unwrap();
            let server = Server::start(move |seen, _| fault(example.answer(VllmOmni, seen)));
            let seconds = if kind == "timeout" { 0.5 } else { 60.0 };
            let limits = format!("timeout_seconds = {seconds:?}\nmax_attempts = 1");
            example.prepare(dir.path(), &server, edit, &limits);
            let output = generate(dir.path());
            let what = format!("{words} edit={edit}: {}", stderr(&output));
            assert_eq!(output.status.code(), Some(5), "{what}");
            let records = lines(&outputs(dir.path()));
            assert_eq!(records.len(), 2, "{what}");
            for record in records {
                assert!(record["file"].is_null(), "{what}: {record}");
                assert_eq!(record["error"]["kind"], kind, "{what}: {record}");
                let message = record["error"]["message"].as_str().unwrap();
                assert!(message.contains(words), "{what}: {message}");
            }
        }
    }
}
