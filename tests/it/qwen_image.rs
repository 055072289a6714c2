//! The `qwen-image` generator end to end, with the tiny checkpoints of the parity cases, the language model of
//! another one, and a made tokenizer.

use crate::parity::copy_into;
use crate::support::{lines, stderr, unigauge};
use crate::uniworld::tokenizer;
use candle_core::{DType, Device, Tensor};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Width of the states of the tiny language model.
const WIDTH: usize = 48;

/// The tiny checkpoint as a user has a released one, with the pipeline's name in `model_index.json`.
fn checkpoint(dir: &Path, case: &str, class: &str) -> PathBuf {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/parity");
    let folder = dir.join("tiny");
    copy_into(&golden.join(case).join("checkpoint"), &folder);
    widen(&folder.join("transformer"));
    copy_into(
        &golden.join("qwen2_5_vl/checkpoint"),
        &folder.join("text_encoder"),
    );
    let specials = [
        ("assistant", 197),
        ("<|im_start|>", 199),
        ("<|im_end|>", 200),
        ("<|vision_start|>", 201),
        ("<|vision_end|>", 202),
        ("<|image_pad|>", 204),
    ];
    tokenizer(&folder.join("tokenizer"), 0, &specials);
    let index = json!({ "_class_name": class });
    fs::write(folder.join("model_index.json"), index.to_string()).unwrap();
    folder
}

/// Makes the transformer read states of the language model's width: its weights for the prompt are repeated.
fn widen(transformer: &Path) {
    let name = "diffusion_pytorch_model";
    let mut weights = BTreeMap::new();
    for number in ["00001", "00002"] {
        let shard = transformer.join(format!("{name}-{number}-of-00002.safetensors"));
        weights.extend(candle_core::safetensors::load(&shard, &Device::Cpu).unwrap());
        fs::remove_file(shard).unwrap();
    }
    fs::remove_file(transformer.join(format!("{name}.safetensors.index.json"))).unwrap();
    let narrow = weights["txt_in.weight"].clone();
    let more = narrow.narrow(1, 0, WIDTH - narrow.dim(1).unwrap()).unwrap();
    let wide = Tensor::cat(&[&narrow, &more.contiguous().unwrap()], 1).unwrap();
    weights.insert("txt_in.weight".into(), wide);
    let ones = Tensor::ones(WIDTH, DType::F32, &Device::Cpu).unwrap();
    weights.insert("txt_norm.weight".into(), ones);
    let weights = weights.into_iter().collect();
    let file = transformer.join(format!("{name}.safetensors"));
    candle_core::safetensors::save(&weights, file).unwrap();
    edit(&transformer.join("config.json"), |config| {
        config["joint_attention_dim"] = json!(WIDTH);
    });
}

fn edit(path: &Path, change: impl Fn(&mut Value)) {
    let mut value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    change(&mut value);
    fs::write(path, serde_json::to_vec(&value).unwrap()).unwrap();
}

/// A token of the tiny transformer covers 8 × 8 pixels.
fn model(dir: &Path, settings: &str) {
    let text = format!(
        "name = \"tiny\"\ntitle = \"Tiny\"\ngenerator = \"qwen-image\"\n\n[settings]\ncheckpoint = \"tiny\"\n\
         num_inference_steps = 2\n{settings}\n"
    );
    fs::write(dir.join("tiny.toml"), text).unwrap();
}

fn suite(dir: &Path, items: &[Value]) {
    let text: String = items.iter().map(|item| format!("{item}\n")).collect();
    fs::write(dir.join("items.jsonl"), text).unwrap();
    let text = "name = \"own\"\nversion = \"1\"\ntitle = \"Own\"\ntask = \"edit\"\n\n[items]\nfile = \"items.jsonl\"\n\n\
                [grade]\nrule = \"contains\"\n";
    fs::write(dir.join("own.toml"), text).unwrap();
}

fn draw(dir: &Path) {
    for (name, shade, width, height) in [("a.png", 40u8, 100, 50), ("b.png", 200, 40, 40)] {
        let picture = image::RgbImage::from_fn(width, height, |x, y| {
            image::Rgb([shade, (2 * x) as u8, (3 * y) as u8])
        });
        picture.save(dir.join(name)).unwrap();
    }
}

fn generate(dir: &Path, suite: &str, more: &[&str]) -> assert_cmd::assert::Assert {
    let mut command = unigauge(dir);
    command.args(["generate", suite, "--device", "cpu", "--model", "tiny.toml"]);
    command.args(more).assert()
}

fn outputs(run: &Path) -> BTreeMap<String, Value> {
    named(lines(&run.join("outputs.jsonl")))
}

fn named(lines: Vec<Value>) -> BTreeMap<String, Value> {
    let item = |line: &Value| line["item"].as_str().unwrap().to_owned();
    lines.into_iter().map(|line| (item(&line), line)).collect()
}

/// Item → sha256 of its picture. Null for an item without a picture.
fn hashes(outputs: &BTreeMap<String, Value>) -> BTreeMap<String, Value> {
    let hash = |(item, line): (&String, &Value)| (item.clone(), line["sha256"].clone());
    outputs.iter().map(hash).collect()
}

fn distinct(hashes: &BTreeMap<String, Value>) -> usize {
    hashes
        .values()
        .map(Value::to_string)
        .collect::<BTreeSet<_>>()
        .len()
}

#[test]
fn prompts_become_the_same_pictures_on_every_way() {
    let dir = tempfile::tempdir().unwrap();
    checkpoint(dir.path(), "qwen_image", "QwenImagePipeline");
    let size = "size = [32, 24]";
    model(dir.path(), size);
    let run = |out: &str| dir.path().join(out).join("geneval/tiny/seed0-limit4");
    let make = |out: &str, more: &[&str]| {
        let common = ["--limit", "4", "--repeats", "1", "--out", out];
        generate(dir.path(), "geneval", &[&common[..], more].concat()).success();
        outputs(&run(out))
    };
    let made = make("whole", &[]);
    let whole = hashes(&made);
    assert_eq!((made.len(), distinct(&whole)), (4, 4));
    for line in made.values() {
        assert_eq!((&line["width"], &line["height"]), (&json!(32), &json!(24)));
        assert_eq!(line.get("prompt_truncated_for"), None);
        for phase in ["text", "denoise", "decode"] {
            assert!(line["timings"][phase].as_f64().unwrap() > 0.0, "{phase}");
        }
        assert_eq!(line["timings"].get("reference"), None);
    }
    assert_eq!(hashes(&make("phased", &["--vram-budget", "1KB"])), whole);

    let mut seen = BTreeSet::from([format!("{whole:?}")]);
    for (out, settings) in [
        ("plain", "true_cfg_scale = 1.0"),
        ("negative", "negative_prompt = \"blurry\""),
        ("suffix", "prompt_suffix = \", 4K\""),
        ("system", "system_prompt = \"Draw:\""),
        ("cuda", "noise = \"torch-cuda\""),
        ("cut", "max_sequence_length = 9"),
    ] {
        model(dir.path(), &format!("{size}\n{settings}"));
        let changed = make(out, &[]);
        assert!(seen.insert(format!("{:?}", hashes(&changed))), "{out}");
        if out == "cut" {
            for line in changed.values() {
                assert_eq!(line["prompt_truncated_for"], json!(["qwen2.5-vl"]));
            }
        }
    }
    // Without guidance, the negative prompt changes nothing.
    model(
        dir.path(),
        &format!("{size}\ntrue_cfg_scale = 1.0\nnegative_prompt = \"blurry\""),
    );
    assert_eq!(hashes(&make("same", &[])), hashes(&outputs(&run("plain"))));
}

/// The area of a reference is 4096 pixels: 100 × 50 becomes 96 × 32, and 40 × 40 becomes 64 × 64.
const AREAS: &str = "reference_pixels = 4096\nvision_pixels = 4096";

#[test]
fn an_edit_sees_its_pictures() {
    let dir = tempfile::tempdir().unwrap();
    draw(dir.path());
    let item =
        |id: &str, images: &[&str]| json!({"id": id, "prompt": "make it red", "images": images});
    let items = [
        item("a", &["a.png"]),
        item("b", &["b.png"]),
        item("both", &["a.png", "b.png"]),
        item("turned", &["b.png", "a.png"]),
        item("none", &[]),
    ];
    suite(dir.path(), &items);
    model(dir.path(), AREAS);
    let run = |out: &str| dir.path().join(out).join("own/tiny/seed0");
    checkpoint(
        dir.path(),
        "qwen_image_edit_2511",
        "QwenImageEditPlusPipeline",
    );
    let output = generate(dir.path(), "own.toml", &["--out", "whole"]);
    let text = stderr(output.get_output());
    assert!(text.contains("the item has no input image"), "{text}");
    let made = outputs(&run("whole"));
    let whole = hashes(&made);
    assert_eq!(whole["none"], Value::Null);
    assert_eq!(distinct(&whole), 5);
    // The last picture gives the size.
    for (id, size) in [
        ("a", [96, 32]),
        ("b", [64, 64]),
        ("both", [64, 64]),
        ("turned", [96, 32]),
    ] {
        let line = &made[id];
        assert_eq!(json!([line["width"], line["height"]]), json!(size), "{id}");
        for phase in ["text", "reference", "denoise", "decode"] {
            assert!(line["timings"][phase].as_f64().unwrap() > 0.0, "{phase}");
        }
    }

    // One network at a time, and two shards: the same bytes.
    generate(
        dir.path(),
        "own.toml",
        &["--out", "phased", "--vram-budget", "1KB"],
    );
    assert_eq!(hashes(&outputs(&run("phased"))), whole);
    let mut parts = Vec::new();
    for (shard, file) in [
        ("1/2", "outputs.1-of-2.jsonl"),
        ("2/2", "outputs.2-of-2.jsonl"),
    ] {
        let options = ["--out", "shards", "--shard", shard];
        generate(dir.path(), "own.toml", &options);
        parts.extend(lines(&run("shards").join(file)));
    }
    assert_eq!(hashes(&named(parts)), whole);

    // A lost picture is made again, alike.
    let lost = made["both"]["file"].as_str().unwrap();
    fs::remove_file(run("whole").join(lost)).unwrap();
    generate(dir.path(), "own.toml", &["--out", "whole"]);
    assert_eq!(hashes(&outputs(&run("whole"))), whole);

    // The settings may name another size.
    model(dir.path(), &format!("{AREAS}\nsize = [32, 24]"));
    generate(dir.path(), "own.toml", &["--out", "sized"]);
    let sized = outputs(&run("sized"));
    assert_eq!(
        (&sized["a"]["width"], &sized["a"]["height"]),
        (&json!(32), &json!(24))
    );
}

/// Qwen-Image-Edit reads one picture, without a label before it.
#[test]
fn the_first_release_of_edits_reads_one_picture() {
    let dir = tempfile::tempdir().unwrap();
    draw(dir.path());
    let items = [
        json!({"id": "a", "prompt": "make it red", "images": ["a.png"]}),
        json!({"id": "both", "prompt": "make it red", "images": ["a.png", "b.png"]}),
    ];
    suite(dir.path(), &items);
    model(dir.path(), AREAS);
    let hash = |class: &str, out: &str| {
        checkpoint(dir.path(), "qwen_image_edit", class);
        let output = generate(dir.path(), "own.toml", &["--out", out]);
        let made = outputs(&dir.path().join(out).join("own/tiny/seed0"));
        (hashes(&made), stderr(output.get_output()))
    };
    let (first, text) = hash("QwenImageEditPipeline", "first");
    assert!(text.contains("reads one;"), "{text}");
    assert!(first["a"].is_string());
    assert_eq!(first["both"], Value::Null);
    let (plus, _) = hash("QwenImageEditPlusPipeline", "plus");
    assert!(plus["both"].is_string());
    assert_ne!(first["a"], plus["a"]);
}

#[test]
fn wrong_checkpoints_settings_and_items_are_named() {
    type Break = fn(&Path);
    let cases: [(&str, Break, &str); 9] = [
        ("size = [32, 30]", |_| {}, "`size` = [32, 30]"),
        ("num_inference_steps = 0", |_| {}, "steps is 0"),
        (
            "max_sequence_length = 0",
            |_| {},
            "`max_sequence_length` = 0",
        ),
        ("max_sequence_length = 2000", |_| {}, "from 1 to 1024"),
        ("noise = \"cuda\"", |_| {}, "torch-cuda"),
        (
            "",
            |tiny| {
                let index = json!({"_class_name": "FluxPipeline"});
                fs::write(tiny.join("model_index.json"), index.to_string()).unwrap();
            },
            "FluxPipeline, which is not a pipeline of",
        ),
        (
            "",
            |tiny| fs::remove_file(tiny.join("model_index.json")).unwrap(),
            "model_index.json",
        ),
        (
            "",
            |tiny| {
                edit(&tiny.join("scheduler/scheduler_config.json"), |config| {
                    config["_class_name"] = json!("EulerDiscreteScheduler");
                });
            },
            "EulerDiscreteScheduler",
        ),
        (
            "",
            |tiny| {
                let index = json!({"_class_name": "QwenImageEditPlusPipeline"});
                fs::write(tiny.join("model_index.json"), index.to_string()).unwrap();
                let file = tiny.join("../tiny.toml");
                let text = fs::read_to_string(&file).unwrap();
                fs::write(file, text + "max_sequence_length = 9\n").unwrap();
            },
            "does not cut its instructions",
        ),
    ];
    for (settings, breaks, part) in cases {
        let dir = tempfile::tempdir().unwrap();
        model(dir.path(), settings);
        let path = dir.path().join("tiny.toml");
        if settings.starts_with("num_inference_steps") {
            let text = fs::read_to_string(&path).unwrap();
            fs::write(&path, text.replace("num_inference_steps = 2\n", "")).unwrap();
        }
        breaks(&checkpoint(dir.path(), "qwen_image", "QwenImagePipeline"));
        let output = generate(dir.path(), "geneval", &["--limit", "1"]).failure();
        let text = stderr(output.get_output());
        assert!(text.contains(part), "{part}: {text}");
    }

    // An edit for a checkpoint that makes pictures from prompts alone.
    let dir = tempfile::tempdir().unwrap();
    draw(dir.path());
    suite(
        dir.path(),
        &[json!({"id": "a", "prompt": "red", "images": ["a.png"]})],
    );
    model(dir.path(), "size = [32, 24]");
    checkpoint(dir.path(), "qwen_image", "QwenImagePipeline");
    let output = generate(dir.path(), "own.toml", &[]).failure();
    let text = stderr(output.get_output());
    assert!(text.contains("edits need a checkpoint of"), "{text}");
}
