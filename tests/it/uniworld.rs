//! The `uniworld` generator end to end, with the tiny composed checkpoint of the parity case and made
//! tokenizers.

use crate::parity::copy_into;
use crate::support::{lines, stderr, unigauge};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// A tokenizer of single characters, with special tokens at given ids.
pub(crate) fn tokenizer(folder: &Path, first: u32, specials: &[(&str, u32)]) {
    let vocab: BTreeMap<String, u32> = (32u8..127)
        .chain([b'\n'])
        .map(char::from)
        .map(String::from)
        .zip(first..)
        // An added token keeps its id only when the model knows it, too.
        .chain(
            specials
                .iter()
                .map(|(content, id)| ((*content).to_owned(), *id)),
        )
        .collect();
    let added: Vec<Value> = specials
        .iter()
        .map(|(content, id)| {
            json!({"id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
                "normalized": false, "special": content.starts_with('<')})
        })
        .collect();
    let all = json!({"version": "1.0", "truncation": null, "padding": null, "added_tokens": added,
        "normalizer": null, "pre_tokenizer": null, "post_processor": null, "decoder": {"type": "Fuse"},
        "model": {"type": "BPE", "dropout": null, "unk_token": "?", "continuing_subword_prefix": null,
            "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false, "vocab": vocab, "merges": []}});
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join("tokenizer.json"), all.to_string()).unwrap();
}

/// The tiny checkpoint as a user has a released one.
pub(crate) fn checkpoint(dir: &Path) -> PathBuf {
    let golden =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/parity/uniworld/checkpoint");
    let folder = dir.join("tiny");
    copy_into(&golden, &folder);
    let qwen = [
        ("assistant", 197),
        ("<|im_start|>", 199),
        ("<|im_end|>", 200),
        ("<|vision_start|>", 201),
        ("<|vision_end|>", 202),
        ("<|image_pad|>", 204),
    ];
    tokenizer(&folder.join("uniworld"), 0, &qwen);
    // CLIP's largest id must be the end token; its vocabulary has 99.
    tokenizer(
        &folder.join("flux/tokenizer"),
        0,
        &[("<|startoftext|>", 97), ("<|endoftext|>", 98)],
    );
    tokenizer(
        &folder.join("flux/tokenizer_2"),
        2,
        &[("<pad>", 0), ("</s>", 1)],
    );
    folder
}

fn model(dir: &Path, settings: &str) -> PathBuf {
    let path = dir.join("tiny.toml");
    let text = format!(
        "name = \"tiny\"\ntitle = \"Tiny\"\ngenerator = \"uniworld\"\n\n[settings]\ncheckpoint = \"tiny\"\n\
         num_inference_steps = 3\nmax_sequence_length = 24\nsize = [32, 24]\nmin_pixels = 3136\nmax_pixels = 4704\n{settings}\n"
    );
    fs::write(&path, text).unwrap();
    path
}

/// A suite with one edit, one edit of two pictures and one question.
fn suite(dir: &Path, task: &str, items: &[Value]) -> PathBuf {
    let text: String = items.iter().map(|item| format!("{item}\n")).collect();
    fs::write(dir.join("items.jsonl"), text).unwrap();
    let path = dir.join("own.toml");
    let text = format!(
        "name = \"own\"\nversion = \"1\"\ntitle = \"Own\"\ntask = \"{task}\"\n\n[items]\nfile = \"items.jsonl\"\n\n\
         [grade]\nrule = \"contains\"\n"
    );
    fs::write(&path, text).unwrap();
    path
}

fn outputs(run: &Path) -> Vec<Value> {
    let mut all = lines(&run.join("outputs.jsonl"));
    all.sort_by_key(|line| line["item"].to_string());
    all
}

fn generate(dir: &Path, suite: &str, model: &Path, more: &[&str]) -> assert_cmd::assert::Assert {
    let mut command = unigauge(dir);
    command
        .args(["generate", suite, "--device", "cpu", "--model"])
        .arg(model)
        .args(more);
    command.assert()
}

/// Item → sha256 of its picture.
fn pictures(run: &Path) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    outputs(run)
        .iter()
        .map(|line| (text(&line["item"]), text(&line["sha256"])))
        .collect()
}

#[test]
fn geneval_prompts_become_the_same_pictures_on_every_way() {
    let dir = tempfile::tempdir().unwrap();
    checkpoint(dir.path());
    let model = model(dir.path(), "stored_size = [64, 64]");
    let run = |out: &str| dir.path().join(out).join("geneval/tiny/seed0-limit4");
    let common = ["--limit", "4", "--repeats", "1", "--out"];
    let with = |more: &[&'static str]| [&common[..], more].concat();

    generate(dir.path(), "geneval", &model, &with(&["whole"])).success();
    let whole = pictures(&run("whole"));
    assert_eq!(whole.len(), 4);
    let distinct: std::collections::BTreeSet<&String> = whole.values().collect();
    assert_eq!(
        distinct.len(),
        4,
        "another prompt and seed, another picture"
    );
    let first = &outputs(&run("whole"))[0];
    assert_eq!(
        (&first["width"], &first["height"]),
        (&json!(64), &json!(64))
    );
    for phase in ["prompt", "text", "denoise", "decode"] {
        assert!(first["timings"][phase].as_f64().unwrap() > 0.0, "{phase}");
    }
    assert!(
        !run("whole").join("scratch").exists(),
        "embeddings go when the pictures are made"
    );

    // A budget that holds one network at a time: phases in turn, the same bytes.
    generate(
        dir.path(),
        "geneval",
        &model,
        &with(&["phased", "--vram-budget", "1KB"]),
    )
    .success();
    assert_eq!(pictures(&run("phased")), whole);

    // Two shards.
    for shard in ["1/2", "2/2"] {
        let more = [
            "--limit",
            "4",
            "--repeats",
            "1",
            "--shard",
            shard,
            "--out",
            "shards",
        ];
        generate(dir.path(), "geneval", &model, &more).success();
    }
    let mut parts = BTreeMap::new();
    for shard in ["1-of-2", "2-of-2"] {
        for line in lines(&run("shards").join(format!("outputs.{shard}.jsonl"))) {
            parts.insert(
                line["item"].as_str().unwrap().to_owned(),
                line["sha256"].as_str().unwrap().to_owned(),
            );
        }
    }
    assert_eq!(parts, whole);

    // A second start makes nothing; a lost picture is made again, alike.
    fs::remove_file(run("whole").join(outputs(&run("whole"))[2]["file"].as_str().unwrap()))
        .unwrap();
    generate(dir.path(), "geneval", &model, &with(&["whole"])).success();
    assert_eq!(pictures(&run("whole")), whole);
}

#[test]
fn edits_look_at_their_pictures_and_questions_are_answered_in_words() {
    let dir = tempfile::tempdir().unwrap();
    checkpoint(dir.path());
    let model = model(dir.path(), "max_new_tokens = 5");
    for (name, shade) in [("a.png", 40u8), ("b.png", 200)] {
        let picture =
            image::RgbImage::from_fn(90, 60, |x, y| image::Rgb([shade, x as u8, y as u8]));
        picture.save(dir.path().join(name)).unwrap();
    }
    let edit =
        |id: &str, images: &[&str]| json!({"id": id, "prompt": "make it red", "images": images});
    let items = [
        edit("none", &[]),
        edit("one", &["a.png"]),
        edit("other", &["b.png"]),
        edit("two", &["a.png", "b.png"]),
        edit("broken", &["own.toml"]),
    ];
    let own = suite(dir.path(), "edit", &items);
    let output = generate(dir.path(), own.to_str().unwrap(), &model, &[]);
    assert!(stderr(output.get_output()).contains("own.toml"));
    let made = outputs(&dir.path().join("results/own/tiny/seed0"));
    let broken = made.iter().find(|line| line["item"] == "broken").unwrap();
    assert_eq!(broken["error"]["kind"], "image");
    let hashes: std::collections::BTreeSet<&str> = made
        .iter()
        .filter_map(|line| line["sha256"].as_str())
        .collect();
    assert_eq!(hashes.len(), 4);

    let question =
        json!({"id": "q", "prompt": "what is it?", "images": ["a.png"], "answers": ["x"]});
    let own = suite(dir.path(), "understand", &[question]);
    generate(
        dir.path(),
        own.to_str().unwrap(),
        &model,
        &["--out", "words"],
    )
    .success();
    let answer = &outputs(&dir.path().join("words/own/tiny/seed0"))[0];
    assert_eq!(answer["kind"], "text");
    assert!(answer["text"].is_string(), "{answer}");
}

#[test]
fn a_prompt_beyond_the_limits_is_cut_and_the_record_says_so() {
    let dir = tempfile::tempdir().unwrap();
    checkpoint(dir.path());
    let model = model(dir.path(), "");
    let items = [
        json!({"id": "long", "prompt": "word ".repeat(30)}),
        json!({"id": "short", "prompt": "word"}),
    ];
    let own = suite(dir.path(), "text-to-image", &items);
    generate(dir.path(), own.to_str().unwrap(), &model, &[]).success();
    let made = outputs(&dir.path().join("results/own/tiny/seed0"));
    let of = |id: &str| made.iter().find(|line| line["item"] == id).unwrap();
    assert_eq!(of("long")["prompt_truncated_for"], json!(["t5", "clip"]));
    assert_eq!(of("short").get("prompt_truncated_for"), None);
}

#[test]
fn a_checkpoint_that_is_not_whole_says_what_it_lacks() {
    let dir = tempfile::tempdir().unwrap();
    let folder = checkpoint(dir.path());
    let broken = model(dir.path(), "");
    let says = |more: &[&str], word: &str| {
        let output = generate(
            dir.path(),
            "geneval",
            &broken,
            &[&["--limit", "1"], more].concat(),
        );
        let output = output.failure();
        assert!(
            stderr(output.get_output()).contains(word),
            "{}",
            stderr(output.get_output())
        );
    };
    let file = folder.join("uniworld/tokenizer.json");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("<|vision_end|>", "<|else|>")).unwrap();
    says(&[], "<|vision_end|>");
    fs::write(&file, text).unwrap();

    let shard = folder.join("uniworld/model-00001-of-00003.safetensors");
    let bytes = fs::read(&shard).unwrap();
    fs::write(&shard, &bytes[..bytes.len() / 2]).unwrap();
    says(&[], "model-00001-of-00003.safetensors");
    fs::remove_file(&shard).unwrap();
    says(&[], "1 of 3 shards is missing");
    fs::write(&shard, bytes).unwrap();
    fs::remove_dir_all(folder.join("siglip")).unwrap();
    says(&[], "siglip/config.json");

    let wrong = model(dir.path(), "guidance = 2.5");
    generate(dir.path(), "geneval", &wrong, &["--limit", "1"]).code(2);
}

#[test]
fn check_tells_how_the_networks_share_the_memory() {
    let dir = tempfile::tempdir().unwrap();
    checkpoint(dir.path());
    let model = model(dir.path(), "");
    let check = |more: &[&str]| {
        let mut command = unigauge(dir.path());
        command.args([
            "check", "geneval", "--limit", "4", "--device", "cpu", "--model",
        ]);
        let output = command.arg(&model).args(more).assert();
        String::from_utf8(output.get_output().stdout.clone()).unwrap()
    };
    let all = check(&[]);
    assert!(
        all.contains("phase prompt:") && all.contains("all in memory:"),
        "{all}"
    );
    let turns = check(&["--vram-budget", "500KB"]);
    assert!(
        turns.contains("the networks take turns within 500.0 kB, with 64 outputs per turn"),
        "{turns}"
    );
    assert!(!dir.path().join("results").exists());
}

/// The same denoiser, text encoders and autoencoder in the layout of FLUX.1-dev.
#[test]
fn flux_makes_pictures_from_words_alone() {
    let dir = tempfile::tempdir().unwrap();
    let folder = checkpoint(dir.path());
    let (own, flux) = (folder.join("uniworld"), folder.join("flux"));
    let prefix = "denoise_tower.denoiser.";
    let mut weights = std::collections::HashMap::new();
    for number in 1..=3 {
        let shard = own.join(format!("model-0000{number}-of-00003.safetensors"));
        let tensors = candle_core::safetensors::load(shard, &candle_core::Device::Cpu).unwrap();
        weights.extend(
            tensors
                .into_iter()
                .filter_map(|(name, tensor)| Some((name.strip_prefix(prefix)?.to_owned(), tensor))),
        );
    }
    fs::create_dir(flux.join("transformer")).unwrap();
    let file = flux.join("transformer/diffusion_pytorch_model.safetensors");
    candle_core::safetensors::save(&weights, file).unwrap();
    let config: Value =
        serde_json::from_slice(&fs::read(own.join("config.json")).unwrap()).unwrap();
    let config = config["denoise_tower"]["denoiser_config"].to_string();
    fs::write(flux.join("transformer/config.json"), config).unwrap();

    let model = dir.path().join("flux.toml");
    let text = "name = \"tiny\"\ntitle = \"Tiny\"\ngenerator = \"flux\"\n\n[settings]\ncheckpoint = \"tiny/flux\"\n\
                num_inference_steps = 2\nmax_sequence_length = 24\nsize = [32, 24]\n";
    fs::write(&model, text).unwrap();
    generate(
        dir.path(),
        "geneval",
        &model,
        &["--limit", "2", "--repeats", "2"],
    )
    .success();
    let made = outputs(&dir.path().join("results/geneval/tiny/seed0-limit2"));
    let hashes: std::collections::BTreeSet<&str> = made
        .iter()
        .map(|line| line["sha256"].as_str().unwrap())
        .collect();
    assert_eq!(hashes.len(), 4);
    // The prompt is encoded once for both repeats.
    let encoded = made
        .iter()
        .filter(|line| line["timings"]["text"].is_number());
    assert_eq!(encoded.count(), 2);

    let edit = json!({"id": "e", "prompt": "make it red", "images": []});
    let own = suite(dir.path(), "edit", &[edit]);
    generate(dir.path(), own.to_str().unwrap(), &model, &[]);
    let refused = &outputs(&dir.path().join("results/own/tiny/seed0"))[0];
    assert_eq!(refused["error"]["kind"], "task");

    fs::write(&model, text.replace("[32, 24]", "[30, 24]")).unwrap();
    let odd = generate(dir.path(), "geneval", &model, &["--limit", "1"]).failure();
    assert!(stderr(odd.get_output()).contains("multiples of 8"));
}

/// Ctrl-C in the middle: the same command goes on, and the pictures are those of a run that was left alone.
#[cfg(unix)]
#[test]
fn an_interrupted_run_goes_on_to_the_same_pictures() {
    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;

    let dir = tempfile::tempdir().unwrap();
    checkpoint(dir.path());
    let model = model(dir.path(), "num_inference_steps = 150");
    let text = fs::read_to_string(&model).unwrap();
    fs::write(&model, text.replacen("num_inference_steps = 3\n", "", 1)).unwrap();
    let more = [
        "--limit",
        "4",
        "--repeats",
        "1",
        "--vram-budget",
        "1KB",
        "--out",
    ];
    let with = |out: &'static str| [&more[..], &[out]].concat();
    let run = |out: &str| dir.path().join(out).join("geneval/tiny/seed0-limit4");

    let mut process = crate::support::unigauge_process(dir.path());
    process.args(["generate", "geneval", "--device", "cpu", "--model"]);
    process
        .arg(&model)
        .args(with("cut"))
        .stderr(std::process::Stdio::null());
    let mut process = process.spawn().unwrap();
    let latents = || fs::read_dir(run("cut").join("scratch")).map_or(0, Iterator::count);
    // Prompts and texts of four pictures, and the latents of at least one.
    let start = std::time::Instant::now();
    while latents() < 9 && process.try_wait().unwrap().is_none() {
        assert!(start.elapsed().as_secs() < 60);
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    let id = Pid::from_raw(i32::try_from(process.id()).unwrap());
    let _ = kill(id, Signal::SIGINT);
    assert_eq!(process.wait().unwrap().code(), Some(130));
    assert!(latents() >= 9, "what the phases made is kept");

    generate(dir.path(), "geneval", &model, &with("cut")).success();
    generate(dir.path(), "geneval", &model, &with("alone")).success();
    assert_eq!(pictures(&run("cut")), pictures(&run("alone")));
}

/// The language model of the same checkpoint on its own. The tokenizer has one token a character, so tokens
/// can be counted: 30 of the system turn, 27 of the user's (6 of the picture: 60 × 90 pixels become 56 × 84),
/// 3 to begin.
#[test]
fn qwen_vl_answers_questions_and_knows_what_was_said_before() {
    let dir = tempfile::tempdir().unwrap();
    checkpoint(dir.path());
    let model = dir.path().join("vl.toml");
    let text = "name = \"vl\"\ntitle = \"VL\"\ngenerator = \"qwen-vl\"\n\n[settings]\ncheckpoint = \"tiny/uniworld\"\n\
                max_new_tokens = 4\n";
    fs::write(&model, text).unwrap();
    image::RgbImage::from_fn(90, 60, |x, y| image::Rgb([9, x as u8, y as u8]))
        .save(dir.path().join("a.png"))
        .unwrap();
    let ask = |id: &str, history: Value| json!({"id": id, "prompt": "what is it?", "images": ["a.png"], "answers": ["x"], "history": history});
    let items = [
        ask("plain", json!([])),
        ask(
            "later",
            json!([{"role": "user", "text": "hi"}, {"role": "assistant", "text": "ho"}]),
        ),
        ask("seen", json!([{"role": "user", "images": ["a.png"]}])),
        ask("wrong", json!([{"role": "narrator", "text": "hi"}])),
    ];
    let own = suite(dir.path(), "understand", &items);
    generate(dir.path(), own.to_str().unwrap(), &model, &[]);
    let made = outputs(&dir.path().join("results/own/vl/seed0"));
    let of = |id: &str| made.iter().find(|line| line["item"] == id).unwrap();
    assert_eq!(of("plain")["input_tokens"], 60);
    assert_eq!(of("later")["input_tokens"], 60 + 10 + 7);
    assert_eq!(of("seen")["input_tokens"], 60 + 6 + 8 + 2);
    assert!(of("plain")["text"].is_string());
    assert_eq!(of("wrong")["error"]["kind"], "prompt");
    let message = of("wrong")["error"]["message"].to_string();
    assert!(
        message.contains("`history`") && message.contains("narrator"),
        "{message}"
    );

    let mut gone = ask("gone", json!([{"role": "user", "images": ["b.png"]}]));
    gone["images"] = json!([]);
    fs::create_dir(dir.path().join("gone")).unwrap();
    let refused = suite(&dir.path().join("gone"), "understand", &[gone]);
    let refused = generate(dir.path(), refused.to_str().unwrap(), &model, &[]).failure();
    assert!(stderr(refused.get_output()).contains("`b.png` does not exist"));

    // A second start asks nothing; other weights ask again.
    let again = generate(
        dir.path(),
        own.to_str().unwrap(),
        &model,
        &["--only", "plain", "--run", "x"],
    );
    again.success();
    let manifest = fs::read_to_string(dir.path().join("results/own/vl/x/manifest.json")).unwrap();
    let manifest: Value = serde_json::from_str(&manifest).unwrap();
    assert_eq!(manifest["model"]["weights"]["dtype"], "f32");
    assert_eq!(manifest["model"]["settings"]["repetition_penalty"], 1.0);
    let hash = manifest["model"]["weights"]["checkpoint"].clone();
    assert!(hash.is_string());
    fs::write(
        dir.path().join("tiny/uniworld/generation_config.json"),
        "{\"eos_token_id\": [1, 2]}",
    )
    .unwrap();
    let more = generate(
        dir.path(),
        own.to_str().unwrap(),
        &model,
        &["--only", "plain", "--run", "x"],
    );
    let said = stderr(more.success().get_output());
    assert!(
        said.contains("changed since the last run: model.weights.checkpoint"),
        "{said}"
    );
}

/// A made projector for an encoder of `width`, to the width of FLUX's text branch.
fn projector(path: &Path, width: usize, output: usize) {
    use candle_core::{Device, Tensor};
    let ramp = |shape: (usize, usize)| {
        let count = shape.0 * shape.1;
        let values = Tensor::arange(0f32, count as f32, &Device::Cpu).unwrap();
        (values.sin().unwrap() * 0.2)
            .unwrap()
            .reshape(shape)
            .unwrap()
    };
    let zeros = |size| Tensor::zeros(size, candle_core::DType::F32, &Device::Cpu).unwrap();
    let tensors = std::collections::HashMap::from([
        ("0.weight", ramp((16, width))),
        ("0.bias", zeros(16)),
        ("2.weight", ramp((output, 16))),
        ("2.bias", zeros(output)),
    ]);
    candle_core::safetensors::save(&tensors, path).unwrap();
}

#[test]
fn the_reference_encoder_can_be_exchanged() {
    let dir = tempfile::tempdir().unwrap();
    let folder = checkpoint(dir.path());
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/parity");
    let text = fs::read_to_string(folder.join("uniworld/config.json")).unwrap();
    let config: Value = serde_json::from_str(&text).unwrap();
    let output = config["denoise_tower"]["output_hidden_size"]
        .as_u64()
        .unwrap() as usize;
    image::RgbImage::from_fn(40, 40, |x, y| image::Rgb([90, 6 * x as u8, 6 * y as u8]))
        .save(dir.path().join("a.png"))
        .unwrap();
    let edit = json!({"id": "e", "prompt": "make it red", "images": ["a.png"]});
    let own = suite(dir.path(), "edit", &[edit]);
    let mut made = std::collections::BTreeSet::new();
    for (encoder, case, width, side) in [
        ("siglip", "", 0, 0),
        ("none", "", 0, 0),
        ("dinov2", "dinov2", 0, 56),
        ("dinov2-registers", "dinov2_with_registers", 0, 56),
        ("radio", "radio", 32, 24),
    ] {
        let mut settings = format!("reference = {{ encoder = \"{encoder}\" }}");
        if !case.is_empty() {
            let checkpoint = golden.join(case).join("checkpoint");
            let own: Value =
                serde_json::from_slice(&fs::read(checkpoint.join("config.json")).unwrap()).unwrap();
            let width = own["hidden_size"]
                .as_u64()
                .map_or(width, |width| width as usize);
            projector(&dir.path().join("projector.safetensors"), width, output);
            settings = format!(
                "reference = {{ encoder = \"{encoder}\", checkpoint = \"{}\", projector = \"projector.safetensors\", \
                 size = {side} }}",
                checkpoint.display()
            );
        }
        let model = model(dir.path(), &settings);
        generate(
            dir.path(),
            own.to_str().unwrap(),
            &model,
            &["--out", encoder],
        )
        .success();
        made.extend(pictures(&dir.path().join(encoder).join("own/tiny/seed0")).into_values());
    }
    assert_eq!(made.len(), 5, "every encoder, another picture");

    let plain = golden.join("dinov2/checkpoint");
    let settings = format!(
        "reference = {{ encoder = \"dinov2-registers\", checkpoint = \"{}\", projector = \"projector.safetensors\" }}",
        plain.display()
    );
    let model = model(dir.path(), &settings);
    let refused = generate(dir.path(), own.to_str().unwrap(), &model, &["--out", "x"]).failure();
    assert!(stderr(refused.get_output()).contains("has no registers"));
}

/// GenEval from prompts to the table, with tiny random networks all the way; the second time nothing is left
/// to do.
#[test]
fn geneval_runs_to_its_table_and_its_official_files() {
    let dir = tempfile::tempdir().unwrap();
    checkpoint(dir.path());
    let model = model(dir.path(), "stored_size = [64, 64]");
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/detector");
    let run = |more: &[&str]| {
        let mut command = unigauge(dir.path());
        command.args([
            "run", "geneval", "--limit", "4", "--device", "cpu", "--model",
        ]);
        command.arg(&model).args(more).arg("--set");
        for (key, folder) in [("detector", "mask2former"), ("clip", "clip")] {
            command.arg(format!(
                "observe.geneval-detector.{key}={:?}",
                golden.join(folder)
            ));
        }
        command.output().unwrap()
    };
    let first = run(&[]);
    assert_eq!(first.status.code(), Some(0), "{}", stderr(&first));
    let folder = dir.path().join("results/geneval/tiny/seed0-limit4");
    assert_eq!(lines(&folder.join("evidence.jsonl")).len(), 16);
    let page = fs::read_to_string(folder.join("report/index.html")).unwrap();
    assert!(page.contains("Tiny"));
    let official = lines(&folder.join("official/results.jsonl"));
    assert_eq!(official.len(), 16);
    let grades = lines(&folder.join("grades.jsonl"));
    for (line, grade) in official.iter().zip(&grades) {
        assert_eq!(
            (&line["correct"], &line["reason"]),
            (&grade["correct"], &grade["reason"])
        );
        let metadata: Value = serde_json::from_str(line["metadata"].as_str().unwrap()).unwrap();
        assert_eq!(metadata["tag"], line["tag"]);
        assert!(folder.join(line["filename"].as_str().unwrap()).is_file());
    }
    let summary = fs::read_to_string(folder.join("official/summary_scores.txt")).unwrap();
    assert!(
        summary.contains("Total images: 16\nTotal prompts: 4\n"),
        "{summary}"
    );

    let second = run(&[]);
    assert_eq!(second.stdout, first.stdout);
    assert_eq!(lines(&folder.join("evidence.jsonl")).len(), 16);

    // The official file alone gives the same grades.
    let again = unigauge(dir.path())
        .args(["grade", "--suite", "geneval", "--out", "loose", "--items"])
        .arg(folder.join("items.jsonl"))
        .arg("--evidence")
        .arg(folder.join("official/results.jsonl"))
        .output()
        .unwrap();
    assert_eq!(again.status.code(), Some(0), "{}", stderr(&again));
    let loose = lines(&dir.path().join("loose/grades.jsonl"));
    let essence = |all: &[Value]| -> Vec<Value> {
        let of = |line: &Value| {
            json!([
                line["item"],
                line["repeat"],
                line["correct"],
                line["reason"]
            ])
        };
        all.iter().map(of).collect()
    };
    assert_eq!(essence(&loose), essence(&grades));
}
