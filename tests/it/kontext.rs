//! The `flux-kontext` generator and FLUX without guidance end to end, with the tiny checkpoint of the parity
//! case, the text encoders of another one, and made tokenizers.

use crate::parity::copy_into;
use crate::support::{lines, stderr, unigauge};
use crate::uniworld::tokenizer;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The tiny checkpoint as a user has the released one.
fn checkpoint(dir: &Path) -> PathBuf {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/parity");
    let folder = dir.join("tiny");
    copy_into(&golden.join("flux_kontext/checkpoint"), &folder);
    let flux = golden.join("uniworld/checkpoint/flux");
    for part in ["text_encoder", "text_encoder_2"] {
        copy_into(&flux.join(part), &folder.join(part));
    }
    // CLIP's largest id must be the end token; its vocabulary has 99.
    tokenizer(
        &folder.join("tokenizer"),
        0,
        &[("<|startoftext|>", 97), ("<|endoftext|>", 98)],
    );
    tokenizer(&folder.join("tokenizer_2"), 2, &[("<pad>", 0), ("</s>", 1)]);
    folder
}

fn model(dir: &Path, generator: &str, settings: &str) -> PathBuf {
    let path = dir.join("tiny.toml");
    let text = format!(
        "name = \"tiny\"\ntitle = \"Tiny\"\ngenerator = \"{generator}\"\n\n[settings]\ncheckpoint = \"tiny\"\n\
         num_inference_steps = 2\nmax_sequence_length = 12\n{settings}\n"
    );
    fs::write(&path, text).unwrap();
    path
}

/// A suite with edits of pictures.
fn suite(dir: &Path, items: &[Value]) -> PathBuf {
    let text: String = items.iter().map(|item| format!("{item}\n")).collect();
    fs::write(dir.join("items.jsonl"), text).unwrap();
    let path = dir.join("own.toml");
    let text = "name = \"own\"\nversion = \"1\"\ntitle = \"Own\"\ntask = \"edit\"\n\n[items]\nfile = \"items.jsonl\"\n\n\
                [grade]\nrule = \"contains\"\n";
    fs::write(&path, text).unwrap();
    path
}

fn pictures(dir: &Path, out: &str) -> BTreeMap<String, Value> {
    let run = dir.join(out).join("own/tiny/seed0");
    let outputs = lines(&run.join("outputs.jsonl"));
    let named = outputs.into_iter().map(|line| {
        let item = line["item"].as_str().unwrap().to_owned();
        (item, line)
    });
    named.collect()
}

fn generate(dir: &Path, suite: &Path, model: &Path, out: &str) -> assert_cmd::assert::Assert {
    let mut command = unigauge(dir);
    command.arg("generate").arg(suite).arg("--model").arg(model);
    command.args(["--device", "cpu", "--out", out]).assert()
}

fn draw(dir: &Path, name: &str, size: (u32, u32), shade: u8) {
    let picture = image::RgbImage::from_fn(size.0, size.1, |x, y| {
        image::Rgb([shade, (3 * x) as u8, (3 * y) as u8])
    });
    picture.save(dir.join(name)).unwrap();
}

#[test]
fn an_edit_sees_its_picture() {
    let dir = tempfile::tempdir().unwrap();
    checkpoint(dir.path());
    draw(dir.path(), "a.png", (60, 40), 40);
    draw(dir.path(), "b.png", (60, 40), 200);
    let edit =
        |id: &str, images: &[&str]| json!({"id": id, "prompt": "make it red", "images": images});
    let items = [
        edit("a", &["a.png"]),
        edit("b", &["b.png"]),
        edit("both", &["a.png", "b.png"]),
        edit("none", &[]),
    ];
    let own = suite(dir.path(), &items);
    let settings = "output = [32, 24]\nreference_size = [20, 12]";
    let one = model(dir.path(), "flux-kontext", settings);
    let output = generate(dir.path(), &own, &one, "one");
    assert!(stderr(output.get_output()).contains("stitch = true"));
    let made = pictures(dir.path(), "one");
    let hash = |item: &str| made[item]["sha256"].as_str().map(str::to_owned);
    assert!(hash("a").is_some() && hash("none").is_some());
    assert_ne!(hash("a"), hash("b"));
    assert_ne!(hash("a"), hash("none"));
    assert_eq!(hash("both"), None, "{:?}", made["both"]);
    assert_eq!(
        (&made["a"]["width"], &made["a"]["height"]),
        (&json!(32), &json!(24))
    );
    for phase in ["reference", "text", "denoise", "decode"] {
        assert!(
            made["a"]["timings"][phase].as_f64().unwrap() > 0.0,
            "{phase}"
        );
    }

    let settings = format!("{settings}\nstitch = true");
    let both = model(dir.path(), "flux-kontext", &settings);
    generate(dir.path(), &own, &both, "both").success();
    let stitched = pictures(dir.path(), "both");
    assert!(stitched["both"]["sha256"].is_string());
    assert_eq!(stitched["a"]["sha256"], made["a"]["sha256"]);
}

#[test]
fn sizes_that_are_no_multiples_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    checkpoint(dir.path());
    draw(dir.path(), "a.png", (60, 40), 40);
    let items = [json!({"id": "a", "prompt": "red", "images": ["a.png"]})];
    let own = suite(dir.path(), &items);
    for (settings, part) in [
        ("output = [32, 30]", "`size` = [32, 30]"),
        (
            "output = [32, 24]\nreference_size = [20, 14]",
            "`reference_size` = [20, 14]",
        ),
        ("output = \"round\"", "output"),
    ] {
        let model = model(dir.path(), "flux-kontext", settings);
        let output = generate(dir.path(), &own, &model, "out").failure();
        let text = stderr(output.get_output());
        assert!(text.contains(part), "{part}: {text}");
    }
}

/// FLUX.1-schnell: no guidance in the network, four evenly spaced levels.
#[test]
fn a_transformer_without_guidance_makes_pictures() {
    let dir = tempfile::tempdir().unwrap();
    let tiny = checkpoint(dir.path());
    let transformer = tiny.join("transformer");
    let config = transformer.join("config.json");
    let mut value: Value = serde_json::from_slice(&fs::read(&config).unwrap()).unwrap();
    value["guidance_embeds"] = json!(false);
    fs::write(&config, value.to_string()).unwrap();
    let schedule = tiny.join("scheduler/scheduler_config.json");
    let levels = json!({"_class_name": "FlowMatchEulerDiscreteScheduler", "use_dynamic_shifting": false, "shift": 1.0});
    fs::write(&schedule, levels.to_string()).unwrap();
    let model = model(dir.path(), "flux", "guidance_scale = 0.0\nsize = [32, 24]");
    let mut command = unigauge(dir.path());
    command.args(["generate", "geneval", "--limit", "2", "--repeats", "1"]);
    command.args(["--device", "cpu", "--out", "out", "--model"]);
    command.arg(&model).assert().success();
    let run = dir.path().join("out/geneval/tiny/seed0-limit2");
    assert_eq!(lines(&run.join("outputs.jsonl")).len(), 2);
}
