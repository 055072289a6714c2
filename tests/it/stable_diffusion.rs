//! The `stable-diffusion` generator end to end, with the tiny checkpoints of the parity cases and made
//! tokenizers.

use crate::parity::copy_into;
use crate::support::{lines, stderr, unigauge};
use candle_core::{Device, Tensor};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The characters of the tokenizer. The first has the id 0, with which SDXL's second tokenizer pads.
const CHARACTERS: &str = "! ?abcdefghijklmnopqrstuvwxyz,.'0123456789-";

/// The special tokens of CLIP for a vocabulary of 90, of which the last two are the start and the end.
const CLIP: [(&str, usize); 2] = [("<|startoftext|>", 88), ("<|endoftext|>", 89)];

/// A tokenizer of single characters.
fn tokenizer(folder: &Path, specials: [(&str, usize); 2]) {
    let mut vocab: BTreeMap<String, usize> = CHARACTERS
        .chars()
        .enumerate()
        .map(|(id, character)| (character.to_string(), id))
        .collect();
    vocab.extend(specials.map(|(name, id)| (name.to_owned(), id)));
    let added = specials.map(|(content, id)| {
        json!({"id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
            "normalized": false, "special": true})
    });
    let all = json!({"version": "1.0", "truncation": null, "padding": null, "added_tokens": added,
        "normalizer": {"type": "Lowercase"}, "pre_tokenizer": null, "post_processor": null,
        "decoder": {"type": "Fuse"},
        "model": {"type": "BPE", "dropout": null, "unk_token": "?", "continuing_subword_prefix": null,
            "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false, "vocab": vocab, "merges": []}});
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join("tokenizer.json"), all.to_string()).unwrap();
}

/// The checkpoint of a parity case as a user has a released one.
fn checkpoint(dir: &Path, case: &str) -> PathBuf {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/parity");
    let folder = dir.join("tiny");
    copy_into(&golden.join(case).join("checkpoint"), &folder);
    if case == "z_image" {
        let chat = [("<|im_start|>", 70), ("<|im_end|>", 71)];
        tokenizer(&folder.join("tokenizer"), chat);
        return folder;
    }
    tokenizer(&folder.join("tokenizer"), CLIP);
    if case != "sd_pipeline" {
        tokenizer(&folder.join("tokenizer_2"), CLIP);
    }
    if case == "sd3_pipeline" {
        let specials = [("<pad>", 0), ("</s>", 1)];
        crate::uniworld::tokenizer(&folder.join("tokenizer_3"), 2, &specials);
    }
    folder
}

fn model(dir: &Path, settings: &str) -> PathBuf {
    let path = dir.join("tiny.toml");
    let text = format!(
        "name = \"tiny\"\ntitle = \"Tiny\"\ngenerator = \"stable-diffusion\"\n\n[settings]\ncheckpoint = \"tiny\"\n\
         num_inference_steps = 3\nsize = [32, 24]\n{settings}\n"
    );
    fs::write(&path, text).unwrap();
    path
}

fn generate(dir: &Path, model: &Path, out: &str, more: &[&str]) -> assert_cmd::assert::Assert {
    let mut command = unigauge(dir);
    command
        .args(["generate", "geneval", "--device", "cpu", "--limit", "4"])
        .args(["--out", out, "--model"])
        .arg(model)
        .args(more);
    command.assert()
}

fn outputs(dir: &Path, out: &str) -> Vec<Value> {
    let run = dir.join(out).join("geneval/tiny/seed0-limit4");
    let mut all = lines(&run.join("outputs.jsonl"));
    all.sort_by_key(|line| (line["item"].to_string(), line["repeat"].as_u64()));
    all
}

fn hashes(dir: &Path, out: &str) -> Vec<String> {
    let hash = |line: &Value| line["sha256"].as_str().unwrap().to_owned();
    outputs(dir, out).iter().map(hash).collect()
}

fn distinct(hashes: &[String]) -> usize {
    hashes.iter().collect::<BTreeSet<_>>().len()
}

/// Both forms: SD 1.5's with PNDM, and SDXL's with Euler, whose autoencoder is stored as a variant.
#[test]
fn prompts_become_the_same_pictures_on_every_way() {
    for case in ["sd_pipeline", "sd_pipeline_xl"] {
        let dir = tempfile::tempdir().unwrap();
        checkpoint(dir.path(), case);
        let model = model(dir.path(), "variant = \"fp16\"\nstored_size = [64, 48]");
        let once = ["--repeats", "1"];
        generate(dir.path(), &model, "whole", &once).success();
        let whole = outputs(dir.path(), "whole");
        assert_eq!(whole.len(), 4, "{case}");
        assert_eq!(distinct(&hashes(dir.path(), "whole")), 4, "{case}");
        let first = &whole[0];
        assert_eq!(
            (&first["width"], &first["height"]),
            (&json!(64), &json!(48))
        );
        for phase in ["text", "denoise", "decode"] {
            assert!(first["timings"][phase].as_f64().unwrap() > 0.0, "{phase}");
        }
        // Fifteen tokens have no room for any of these prompts.
        let encoders = if case == "sd_pipeline" {
            json!(["clip"])
        } else {
            json!(["clip", "clip_2"])
        };
        assert_eq!(first["prompt_truncated_for"], encoders, "{first}");

        let phased = [&once[..], &["--vram-budget", "1KB"]].concat();
        generate(dir.path(), &model, "phased", &phased).success();
        assert_eq!(hashes(dir.path(), "phased"), hashes(dir.path(), "whole"));
    }
}

#[test]
fn settings_change_the_pictures() {
    let dir = tempfile::tempdir().unwrap();
    checkpoint(dir.path(), "sd_pipeline_xl");
    let once = ["--repeats", "1"];
    let mut seen = BTreeSet::new();
    for (out, settings) in [
        ("plain", ""),
        ("empty", "negative_prompt = \"\""),
        ("negative", "negative_prompt = \"blurry\""),
        ("unguided", "guidance_scale = 1.0"),
        ("rescaled", "guidance_rescale = 0.7"),
        ("cuda", "noise = \"torch-cuda\""),
        ("steps", "num_inference_steps = 2"),
    ] {
        let changed = if settings.starts_with("num_inference_steps") {
            let path = dir.path().join("tiny.toml");
            let text = fs::read_to_string(&path).unwrap();
            fs::write(&path, text.replace("steps = 3", "steps = 2")).unwrap();
            path
        } else {
            model(dir.path(), settings)
        };
        generate(dir.path(), &changed, out, &once).success();
        assert!(seen.insert(hashes(dir.path(), out)), "{out}");
    }
}

/// GenEval's script sets the seed before each prompt, so that the pictures of all prompts start from the same
/// noises.
#[test]
fn a_seed_of_the_prompt_gives_successive_draws() {
    for noise in ["torch-cpu", "torch-cuda"] {
        let dir = tempfile::tempdir().unwrap();
        checkpoint(dir.path(), "sd_pipeline");
        let settings = format!("noise = \"{noise}\"\nprompt_seed = 42");
        let model = model(dir.path(), &settings);
        generate(dir.path(), &model, "a", &["--repeats", "2"]).success();
        let two = outputs(dir.path(), "a");
        assert_eq!(two.len(), 8);
        // The four prompts are cut after "a photo of a ", so only the draw makes a difference.
        assert_eq!(distinct(&hashes(dir.path(), "a")), 2);
        // Another seed of the run changes nothing.
        let mut command = unigauge(dir.path());
        command
            .args(["generate", "geneval", "--device", "cpu", "--limit", "4"])
            .args(["--out", "b", "--repeats", "2", "--seed", "1", "--model"])
            .arg(&model);
        command.assert().success();
        let run = dir.path().join("b/geneval/tiny/seed1-limit4");
        let mut other: Vec<Value> = lines(&run.join("outputs.jsonl"));
        other.sort_by_key(|line| (line["item"].to_string(), line["repeat"].as_u64()));
        let hash = |line: &Value| line["sha256"].as_str().unwrap().to_owned();
        let other: Vec<String> = other.iter().map(hash).collect();
        assert_eq!(other, hashes(dir.path(), "a"), "{noise}");
    }
}

fn edit(path: &Path, change: impl Fn(&mut Value)) {
    let mut value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    change(&mut value);
    fs::write(path, serde_json::to_vec(&value).unwrap()).unwrap();
}

#[test]
fn wrong_checkpoints_and_settings_are_named() {
    type Break = fn(&Path);
    let cases: [(&str, Break, &str); 7] = [
        (
            "",
            |tiny| {
                edit(&tiny.join("unet/config.json"), |config| {
                    config["in_channels"] = json!(9)
                });
            },
            "inpainting",
        ),
        (
            "",
            |tiny| {
                let file = tiny.join("scheduler/scheduler_config.json");
                edit(&file, |config| {
                    config["_class_name"] = json!("HeunDiscreteScheduler")
                });
            },
            "HeunDiscreteScheduler",
        ),
        (
            "",
            |tiny| fs::rename(tiny.join("unet"), tiny.join("transformer")).unwrap(),
            "this folder has no `unet`",
        ),
        (
            "",
            |tiny| {
                let unet = tiny.join("unet");
                let plain = unet.join("diffusion_pytorch_model.safetensors");
                let to =
                    |name: &str| unet.join(format!("diffusion_pytorch_model.{name}.safetensors"));
                fs::copy(&plain, to("fp16")).unwrap();
                fs::rename(&plain, to("non_ema")).unwrap();
            },
            "these are variants",
        ),
        ("guidance_rescale = 2.0", |_| {}, "`guidance_rescale` = 2"),
        ("stored_size = [8, 8]\nprecision = \"f8\"", |_| {}, "f16"),
        ("noise = \"cuda\"", |_| {}, "torch-cuda"),
    ];
    for (settings, breaks, part) in cases {
        let dir = tempfile::tempdir().unwrap();
        breaks(&checkpoint(dir.path(), "sd_pipeline"));
        let model = model(dir.path(), settings);
        let output = generate(dir.path(), &model, "out", &[]).failure();
        let text = stderr(output.get_output());
        assert!(text.contains(part), "{part}: {text}");
    }
    let dir = tempfile::tempdir().unwrap();
    checkpoint(dir.path(), "sd_pipeline");
    let path = model(dir.path(), "");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("[32, 24]", "[32, 30]")).unwrap();
    let output = generate(dir.path(), &path, "out", &[]).failure();
    let text = stderr(output.get_output());
    assert!(text.contains("multiples of 4"), "{text}");

    // One file with all parts.
    fs::write(dir.path().join("v1-5.safetensors"), "").unwrap();
    fs::write(&path, text_of_single(&path)).unwrap();
    let output = generate(dir.path(), &path, "out", &[]).failure();
    let text = stderr(output.get_output());
    assert!(text.contains("this is a single file"), "{text}");
}

fn text_of_single(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    text.replace("checkpoint = \"tiny\"", "checkpoint = \"v1-5.safetensors\"")
}

/// Stable Diffusion 3: three text encoders, of which T5 is stored in shards.
#[test]
fn three_encoders_make_pictures() {
    let dir = tempfile::tempdir().unwrap();
    checkpoint(dir.path(), "sd3_pipeline");
    let path = model(dir.path(), "max_sequence_length = 12");
    let text = fs::read_to_string(&path).unwrap();
    let third = text.replace("\"stable-diffusion\"", "\"stable-diffusion-3\"");
    fs::write(&path, &third).unwrap();
    let once = ["--repeats", "1"];
    generate(dir.path(), &path, "whole", &once).success();
    let whole = outputs(dir.path(), "whole");
    assert_eq!(distinct(&hashes(dir.path(), "whole")), 4);
    assert_eq!(
        whole[0]["prompt_truncated_for"],
        json!(["clip", "clip_2", "t5"])
    );
    let phased = [&once[..], &["--vram-budget", "1KB"]].concat();
    generate(dir.path(), &path, "phased", &phased).success();
    assert_eq!(hashes(dir.path(), "phased"), hashes(dir.path(), "whole"));
    fs::write(&path, third + "guidance_scale = 1.0\n").unwrap();
    generate(dir.path(), &path, "unguided", &once).success();
    assert_ne!(hashes(dir.path(), "unguided"), hashes(dir.path(), "whole"));
}

/// Z-Image: a chat in front of a transformer that pads texts and pictures.
#[test]
fn a_chat_makes_pictures() {
    let dir = tempfile::tempdir().unwrap();
    checkpoint(dir.path(), "z_image");
    let path = model(dir.path(), "");
    let text = fs::read_to_string(&path).unwrap();
    let own = text.replace("\"stable-diffusion\"", "\"z-image\"");
    fs::write(&path, &own).unwrap();
    let once = ["--repeats", "1"];
    generate(dir.path(), &path, "whole", &once).success();
    assert_eq!(distinct(&hashes(dir.path(), "whole")), 4);
    let phased = [&once[..], &["--vram-budget", "1KB"]].concat();
    generate(dir.path(), &path, "phased", &phased).success();
    assert_eq!(hashes(dir.path(), "phased"), hashes(dir.path(), "whole"));
    for (out, settings) in [
        ("guided", "guidance_scale = 3.0\n"),
        ("cut", "max_sequence_length = 9\n"),
    ] {
        fs::write(&path, format!("{own}{settings}")).unwrap();
        generate(dir.path(), &path, out, &once).success();
        assert_ne!(hashes(dir.path(), out), hashes(dir.path(), "whole"));
    }
    let cut = outputs(dir.path(), "cut");
    assert_eq!(cut[0]["prompt_truncated_for"], json!(["qwen3"]));
}

/// A safety checker of random weights beside the other parts, in which every concept has this threshold.
fn safety_checker(dir: &Path, model: &Path, threshold: f32) {
    let folder = dir.join("tiny/safety_checker");
    fs::create_dir_all(&folder).unwrap();
    let config = json!({"projection_dim": 6, "vision_config": {"hidden_size": 8, "intermediate_size": 12,
        "num_hidden_layers": 1, "num_attention_heads": 2, "image_size": 28, "patch_size": 14}});
    fs::write(folder.join("config.json"), config.to_string()).unwrap();
    let output = unigauge(dir)
        .args(["--json", "check", "--keys"])
        .arg(model)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
    let keys: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let own = keys
        .iter()
        .filter(|tensor| tensor["network"] == "safety checker");
    let tensors: std::collections::HashMap<String, Tensor> = own
        .map(|tensor| {
            let name = tensor["name"].as_str().unwrap().to_owned();
            let sides = tensor["shape"].as_array().unwrap().iter();
            let shape: Vec<usize> = sides.map(|side| side.as_u64().unwrap() as usize).collect();
            let count: usize = shape.iter().product();
            let value = |at: usize| {
                if name.ends_with("embeds_weights") {
                    threshold
                } else {
                    (at as f32 * 0.7 + name.len() as f32).sin()
                }
            };
            let values: Vec<f32> = (0..count).map(value).collect();
            let tensor = Tensor::from_vec(values, shape, &Device::Cpu).unwrap();
            (name, tensor)
        })
        .collect();
    // The names and the counts of the published file.
    for (name, shape) in [
        (
            "vision_model.vision_model.embeddings.class_embedding",
            &[8][..],
        ),
        ("visual_projection.weight", &[6, 8]),
        ("concept_embeds", &[17, 6]),
        ("concept_embeds_weights", &[17]),
        ("special_care_embeds", &[3, 6]),
        ("special_care_embeds_weights", &[3]),
    ] {
        assert_eq!(tensors[name].dims(), shape, "{name}");
    }
    candle_core::safetensors::save(&tensors, folder.join("model.safetensors")).unwrap();
}

#[test]
fn the_safety_checker_makes_pictures_black_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    checkpoint(dir.path(), "sd_pipeline");
    let items = "{\"id\": \"a\", \"prompt\": \"a dog\"}\n{\"id\": \"b\", \"prompt\": \"a cat\"}\n";
    fs::write(dir.path().join("own.jsonl"), items).unwrap();
    let suite = "name = \"own\"\nversion = \"1\"\ntitle = \"Own\"\ntask = \"text-to-image\"\nobservers = [\"quality\"]\n\n\
                 [items]\nfile = \"own.jsonl\"\n\n[grade]\nrule = \"measure\"\noptions = { key = \"brightness\" }\n";
    fs::write(dir.path().join("own.toml"), suite).unwrap();
    let run = |model: &Path, out: &str| {
        let mut command = unigauge(dir.path());
        command.args([
            "run", "own.toml", "--device", "cpu", "--out", out, "--model",
        ]);
        command.arg(model).assert().success();
        let folder = dir.path().join(out).join("own/tiny/seed0");
        let mut made = lines(&folder.join("outputs.jsonl"));
        made.sort_by_key(|line| line["item"].to_string());
        let summary: Value =
            serde_json::from_slice(&fs::read(folder.join("summary.json")).unwrap()).unwrap();
        (folder, made, summary["notes"].to_string())
    };
    let hashes =
        |made: &[Value]| -> Vec<Value> { made.iter().map(|line| line["sha256"].clone()).collect() };
    let (_, plain, _) = run(&model(dir.path(), ""), "plain");
    let checked = model(dir.path(), "safety_checker = true");

    // No cosine is above 1, so nothing is found.
    safety_checker(dir.path(), &checked, 2.0);
    let (_, shown, notes) = run(&checked, "shown");
    assert_eq!(hashes(&shown), hashes(&plain));
    assert!(!notes.contains("black"), "{notes}");

    // Every cosine is above −1.
    safety_checker(dir.path(), &checked, -1.5);
    let (folder, made, notes) = run(&checked, "black");
    let told = "the safety checker made the picture black";
    assert!(
        notes.contains(&format!("2 of 2 outputs: {told}")),
        "{notes}"
    );
    for line in &made {
        assert_eq!(line["notes"], json!([told]), "{line}");
        let file = folder.join(line["file"].as_str().unwrap());
        let picture = image::open(file).unwrap().to_rgb8();
        assert_eq!(picture.dimensions(), (32, 24));
        assert!(picture.pixels().all(|pixel| pixel.0 == [0; 3]));
    }
}

#[test]
fn sdxl_has_no_safety_checker() {
    let dir = tempfile::tempdir().unwrap();
    checkpoint(dir.path(), "sd_pipeline_xl");
    let model = model(dir.path(), "safety_checker = true");
    let output = generate(dir.path(), &model, "out", &["--repeats", "1"]).failure();
    let said = stderr(output.get_output());
    assert!(said.contains("SDXL has no safety checker"), "{said}");
}
