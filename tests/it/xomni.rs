//! The `xomni` generator and `unigauge tokens`, with a tiny checkpoint composed of the parity cases and made
//! tokenizers.

use crate::parity::copy_into;
use crate::support::{lines, ocr_models, stderr, unigauge};
use crate::uniworld::tokenizer;
use candle_core::{Device, Tensor};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn golden(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(path)
}

const TEMPLATE: &str = "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}\
    {{ '<|im_start|>assistant\n' }}";

/// Tokens of words below 130, image tokens from there, then the three that stand around pictures.
fn words(folder: &Path, first_image: u32) {
    let names: Vec<String> = (0..96)
        .map(|number| format!("<MM-Token-{number}>"))
        .chain(["<SOM>", "<EOM>", "<IMAGE>"].map(String::from))
        .collect();
    let mut specials = vec![("<|im_start|>", 120), ("<|im_end|>", 121)];
    specials.extend(
        names
            .iter()
            .zip(first_image..)
            .map(|(name, id)| (name.as_str(), id)),
    );
    tokenizer(folder, 0, &specials);
    let config = json!({ "chat_template": TEMPLATE });
    fs::write(folder.join("tokenizer_config.json"), config.to_string()).unwrap();
}

/// A decoder of the parity case whose condition has the width of the tokenizer's features.
fn decoder(kind: &str, folder: &Path) {
    let source = golden(&format!("parity/xomni_decoder_{kind}/checkpoint/diffusers"));
    copy_into(&source, folder);
    let file = folder.join("diffusion_pytorch_model.safetensors");
    let mut weights = candle_core::safetensors::load(&file, &Device::Cpu).unwrap();
    let values: Vec<f32> = (0..48 * 64).map(|i| (i as f32 * 0.7).sin() * 0.3).collect();
    let embed = Tensor::from_vec(values, (48, 64), &Device::Cpu).unwrap();
    weights.insert("siglip_embed.weight".into(), embed);
    candle_core::safetensors::save(&weights, &file).unwrap();
}

/// The tiny checkpoint as a user has a released one; `kind` is `en` or `zh`.
pub(crate) fn checkpoint(dir: &Path, kind: &str) -> PathBuf {
    let folder = dir.join("tiny");
    let own = folder.join("xomni");
    copy_into(&golden("parity/xomni_ar/checkpoint"), &own);
    copy_into(&golden("parity/xomni_vit_vq/checkpoint"), &own);
    let path = own.join("config.json");
    let mut config: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    let vision = &mut config["vision_config"];
    vision["transform"]["short_size"] = 24.into();
    vision["transform"]["long_size"] = 64.into();
    vision["transform"]["min_short_size"] = 16.into();
    vision["decoder"]["upscale_factor"] = 8.into();
    vision["decoder"]["num_inference_steps"] = 3.into();
    fs::write(&path, config.to_string()).unwrap();
    decoder(kind, &own.join("diffusers"));
    words(&own, 130);
    let flux = folder.join("flux");
    copy_into(&golden("parity/uniworld/checkpoint/flux"), &flux);
    tokenizer(
        &flux.join("tokenizer"),
        0,
        &[("<|startoftext|>", 97), ("<|endoftext|>", 98)],
    );
    tokenizer(&flux.join("tokenizer_2"), 2, &[("<pad>", 0), ("</s>", 1)]);
    folder
}

fn model(dir: &Path, settings: &str) -> PathBuf {
    let path = dir.join("tiny.toml");
    let size = if settings.contains("size = [") {
        ""
    } else {
        "size = [37, 26]\n"
    };
    let text = format!(
        "name = \"tiny\"\ntitle = \"Tiny\"\ngenerator = \"xomni\"\nlanguages = [\"en\"]\nnotes = {{ geneval = [\"a note of the model\"] }}\n\n[settings]\ncheckpoint = \"tiny\"\n\
         {size}max_sequence_length = 24\n{settings}\n"
    );
    fs::write(&path, text).unwrap();
    path
}

fn run(dir: &Path, command: &str, suite: &str, more: &[&str]) -> assert_cmd::assert::Assert {
    let mut program = unigauge(dir);
    program.args([command, suite, "--device", "cpu", "--model", "tiny.toml"]);
    program.args(more).assert()
}

/// (item, repeat) → sha256 of its picture, of one or several files of outputs.
fn pictures(files: &[PathBuf]) -> BTreeMap<(String, u64), String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    files
        .iter()
        .flat_map(|file| lines(file))
        .map(|line| {
            let key = (text(&line["item"]), line["repeat"].as_u64().unwrap());
            (key, text(&line["sha256"]))
        })
        .collect()
}

fn suite(dir: &Path, task: &str, items: &[Value]) {
    let text: String = items.iter().map(|item| format!("{item}\n")).collect();
    fs::write(dir.join("items.jsonl"), text).unwrap();
    let text = format!(
        "name = \"own\"\nversion = \"1\"\ntitle = \"Own\"\ntask = \"{task}\"\n\n[items]\nfile = \"items.jsonl\"\n\n\
         [grade]\nrule = \"contains\"\n"
    );
    fs::write(dir.join("own.toml"), text).unwrap();
}

fn outputs(dir: &Path) -> Vec<Value> {
    lines(&dir.join("results/own/tiny/seed0/outputs.jsonl"))
}

#[test]
fn geneval_is_drawn_and_graded_alike_by_any_batch_budget_and_shards() {
    for kind in ["en", "zh"] {
        let dir = tempfile::tempdir().unwrap();
        checkpoint(dir.path(), kind);
        model(dir.path(), "");
        let folder = |out: &str| dir.path().join(out).join("geneval/tiny/seed0-limit4");
        let outputs = |out: &str| vec![folder(out).join("outputs.jsonl")];
        let detector = golden("detector");
        let sets = [
            format!(
                "observe.geneval-detector.detector={:?}",
                detector.join("mask2former")
            ),
            format!("observe.geneval-detector.clip={:?}", detector.join("clip")),
        ];
        let whole = [
            "--limit",
            "4",
            "--repeats",
            "2",
            "--out",
            "whole",
            "--set",
            &sets[0],
            &sets[1],
        ];
        run(dir.path(), "run", "geneval", &whole).success();
        let made = pictures(&outputs("whole"));
        assert_eq!(made.len(), 8);
        assert_eq!(made.values().collect::<BTreeSet<_>>().len(), 8, "{kind}");
        let first = &lines(&outputs("whole")[0])[0];
        // 37 × 26 are cut to whole tokens of 8.
        assert_eq!(
            (&first["width"], &first["height"]),
            (&json!(32), &json!(24))
        );
        let timed = |phase: &str| {
            let all = lines(&outputs("whole")[0]);
            all.iter()
                .filter(|line| line["timings"].get(phase).is_some())
                .count()
        };
        let phases = ["tokens", "text", "denoise", "decode"].map(timed);
        // The prompt is encoded once for both of its outputs, and only for a decoder that reads it.
        assert_eq!(
            phases,
            [8, if kind == "en" { 4 } else { 0 }, 8, 8],
            "{kind}"
        );
        let page = fs::read_to_string(folder("whole").join("report/index.html")).unwrap();
        assert!(page.contains("a note of the model"));

        for (out, more) in [
            ("phased", &["--vram-budget", "1KB"][..]),
            ("one", &["--shard", "1/3"]),
            ("one", &["--shard", "2/3"]),
            ("one", &["--shard", "3/3"]),
        ] {
            let common = ["--limit", "4", "--repeats", "2", "--out", out];
            run(
                dir.path(),
                "generate",
                "geneval",
                &[&common[..], more].concat(),
            )
            .success();
        }
        assert_eq!(pictures(&outputs("phased")), made, "{kind}");
        let shards = (1..=3).map(|n| folder("one").join(format!("outputs.{n}-of-3.jsonl")));
        assert_eq!(pictures(&shards.collect::<Vec<_>>()), made, "{kind}");
        for (batch, out) in [(1, "alone"), (3, "three")] {
            model(dir.path(), &format!("batch_size = {batch}"));
            let more = ["--limit", "4", "--repeats", "2", "--out", out];
            run(dir.path(), "generate", "geneval", &more).success();
            assert_eq!(pictures(&outputs(out)), made, "{kind} {batch}");
        }

        // A lost picture is made again, alike.
        model(dir.path(), "");
        let lost = lines(&outputs("phased")[0])[2]["file"]
            .as_str()
            .unwrap()
            .to_owned();
        fs::remove_file(folder("phased").join(lost)).unwrap();
        let more = ["--limit", "4", "--repeats", "2", "--out", "phased"];
        let again = run(dir.path(), "generate", "geneval", &more).success();
        let said = stderr(again.get_output());
        assert!(
            !said.contains("settings"),
            "the same settings are no change: {said}"
        );
        assert_eq!(pictures(&outputs("phased")), made, "{kind}");
    }
}

#[test]
fn longtext_prompts_are_drawn_and_a_foreign_language_is_told() {
    if ocr_models().is_none() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    // Records of the benchmark's form, written here.
    let prompts = dir.path().join("prompts.jsonl");
    let line = |id: u32, prompt: &str, text: &str| {
        let record = json!({"prompt_id": id, "category": "sign", "length": "short", "prompt": prompt, "text": [text]});
        record.to_string()
    };
    let both = [
        line(0, "一块木牌，上面写着“安静”。", "安静"),
        line(1, "一张海报，标题是“春天来了”。", "春天来了"),
    ];
    fs::write(&prompts, both.join("\n")).unwrap();
    checkpoint(dir.path(), "zh");
    // Chinese letters are no tokens of the tiny vocabulary: they become `?`.
    model(dir.path(), "");
    let more = [
        "--limit",
        "2",
        "--repeats",
        "1",
        "--items",
        prompts.to_str().unwrap(),
    ];
    let made = run(dir.path(), "run", "longtext-zh", &more).success();
    let said = stderr(made.get_output());
    assert!(
        said.contains("warning: Tiny is for en; 2 of 2 prompts are in another language"),
        "{said}"
    );
}

#[test]
fn questions_are_answered_and_pictures_outside_the_limits_refused() {
    let dir = tempfile::tempdir().unwrap();
    let folder = checkpoint(dir.path(), "en");
    model(dir.path(), "max_new_tokens = 6");
    let save = |name: &str, width: u32, height: u32| {
        let picture =
            image::RgbImage::from_fn(width, height, |x, y| image::Rgb([x as u8, 90, y as u8]));
        picture.save(dir.path().join(name)).unwrap();
    };
    save("a.png", 60, 40);
    save("b.png", 40, 50);
    save("narrow.png", 100, 20);
    let ask = |id: &str, prompt: &str, images: &[&str]| json!({"id": id, "prompt": prompt, "images": images, "answers": ["x"]});
    suite(
        dir.path(),
        "understand",
        &[
            ask("one", "what?", &["a.png"]),
            ask("two", "what?", &["a.png", "b.png"]),
            ask("words", "what?", &[]),
            ask("narrow", "what?", &["narrow.png"]),
            ask("special", "what is <IMAGE>?", &["a.png"]),
        ],
    );
    run(dir.path(), "generate", "own.toml", &[]).code(5);
    let all = outputs(dir.path());
    let of = |id: &str| all.iter().find(|line| line["item"] == id).unwrap().clone();
    for (id, tokens) in [
        // ChatML around (a) `<SOM>3 4`-like places with 8 × 5 codes: the length by hand.
        // "<|im_start|>user\n" 6, "<SOM>5 8<IMAGE>" 5, 40 codes, "<EOM>\nwhat?<|im_end|>\n" 9, assistant 11.
        ("one", 6 + 5 + 40 + 9 + 11),
        ("words", 6 + 5 + 2 + 11),
    ] {
        assert_eq!(of(id)["input_tokens"], json!(tokens), "{id}");
        assert!(of(id)["text"].is_string());
    }
    assert!(of("two")["text"].is_string());
    let refused = |id: &str| of(id)["error"]["message"].as_str().unwrap().to_owned();
    assert!(
        refused("narrow").contains("at most 3 times"),
        "{}",
        refused("narrow")
    );
    assert!(
        refused("special").contains("`<IMAGE>`"),
        "{}",
        refused("special")
    );

    model(dir.path(), "any_image_size = true");
    suite(
        dir.path(),
        "understand",
        &[ask("narrow", "what?", &["narrow.png"])],
    );
    run(dir.path(), "generate", "own.toml", &["--out", "any"]).success();

    // A question needs the published template; drawing does not.
    fs::write(folder.join("xomni/tokenizer_config.json"), "{}").unwrap();
    let failed = run(dir.path(), "generate", "own.toml", &["--out", "bare"]).failure();
    assert!(stderr(failed.get_output()).contains("there is no `chat_template`"));
    run(
        dir.path(),
        "generate",
        "geneval",
        &["--limit", "1", "--repeats", "1"],
    )
    .success();
}

#[test]
fn a_prompt_with_a_token_of_pictures_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    checkpoint(dir.path(), "zh");
    model(dir.path(), "");
    let items = [
        json!({"id": "bad", "prompt": "a <SOM> sign"}),
        json!({"id": "good", "prompt": "a sign"}),
    ];
    suite(dir.path(), "text-to-image", &items);
    run(dir.path(), "generate", "own.toml", &[]).code(5);
    let all = outputs(dir.path());
    let of = |id: &str| all.iter().find(|line| line["item"] == id).unwrap();
    assert_eq!(of("bad")["error"]["kind"], "prompt");
    assert!(
        of("bad")["error"]["message"]
            .as_str()
            .unwrap()
            .contains("`<SOM>`")
    );
    assert!(of("good")["sha256"].is_string());
}

#[test]
fn a_checkpoint_whose_files_disagree_says_which_and_what() {
    let dir = tempfile::tempdir().unwrap();
    let folder = checkpoint(dir.path(), "en");
    let own = folder.join("xomni");
    let says = |settings: &str, parts: &[&str]| {
        model(dir.path(), settings);
        let failed = run(dir.path(), "generate", "geneval", &["--limit", "1"]).failure();
        let said = stderr(failed.get_output())
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        let said = said.replace("│ ", "");
        assert!(
            parts.iter().all(|part| said.contains(part)),
            "{parts:?}: {said}"
        );
    };
    let config = own.join("config.json");
    let text = fs::read_to_string(&config).unwrap();
    let change = |edit: &dyn Fn(&mut Value)| {
        let mut value: Value = serde_json::from_str(&text).unwrap();
        edit(&mut value);
        fs::write(&config, value.to_string()).unwrap();
    };
    change(&|c| c["vision_config"]["decoder"]["upscale_factor"] = 16.into());
    says(
        "",
        &["`vision_config.decoder.upscale_factor` is 16", "8 pixels"],
    );
    change(&|c| {
        drop(
            c["vision_config"]["decoder"]
                .as_object_mut()
                .unwrap()
                .remove("cfg_scale"),
        )
    });
    says(
        "",
        &[
            "there is no `vision_config.decoder.cfg_scale`",
            "`decoder_cfg_scale`",
        ],
    );
    change(&|c| c["vision_config"]["decoder"]["cfg_scale_2"] = 3.into());
    says("", &["`cfg_scale_2` is 3"]);
    change(&|c| {
        drop(
            c["vision_config"]["decoder"]
                .as_object_mut()
                .unwrap()
                .remove("num_inference_steps"),
        )
    });
    says(
        "",
        &["there is no `vision_config.decoder.num_inference_steps`"],
    );
    change(&|c| c["num_mm_adap_layers"] = 5.into());
    says(
        "",
        &["`num_hidden_layers` is 7", "leave no layer for words"],
    );
    change(&|c| c["vision_config"]["encoder"]["codebook_size"] = 90.into());
    says("", &["`image_vocab_size` is 96"]);
    change(&|c| drop(c.as_object_mut().unwrap().remove("vision_config")));
    says("", &["there is no `vision_config`"]);
    fs::write(&config, &text).unwrap();
    words(&own, 131);
    says("", &["`<MM-Token-0>` the id 131", "must be 130"]);
    words(&own, 130);
    says("min_p = 2.0", &["`min_p` is 2"]);
    says("size = [8000, 8000]", &["longer than the 8192"]);
    let pickle = fs::read(own.join("vqproj.pt")).unwrap();
    fs::write(own.join("vqproj.pt"), b"no pickle").unwrap();
    says("", &["vqproj.pt"]);
    fs::write(own.join("vqproj.pt"), pickle).unwrap();
    fs::remove_dir_all(own.join("diffusers")).unwrap();
    says("", &["diffusers/config.json"]);
}

#[test]
fn pictures_become_codes_and_codes_pictures() {
    let dir = tempfile::tempdir().unwrap();
    checkpoint(dir.path(), "zh");
    model(dir.path(), "");
    let picture =
        image::RgbImage::from_fn(60, 40, |x, y| image::Rgb([4 * x as u8, 90, 5 * y as u8]));
    picture.save(dir.path().join("a.png")).unwrap();
    let tokens = |args: &[&str]| {
        let mut program = unigauge(dir.path());
        program.args(["tokens"]).args(args);
        program
            .args(["--model", "tiny.toml", "--device", "cpu"])
            .assert()
    };
    let printed = tokens(&["encode", "a.png"]).success();
    let line: Value = serde_json::from_slice(&printed.get_output().stdout).unwrap();
    // 60 × 40 becomes 64 × 40, patches of 8.
    assert_eq!((&line["width"], &line["height"]), (&json!(8), &json!(5)));
    let ids = line["ids"].as_array().unwrap();
    assert_eq!(ids.len(), 40);
    assert!(ids.iter().all(|id| id.as_u64().unwrap() < 96));

    tokens(&["encode", "a.png", "--out", "codes"]).success();
    let file = dir.path().join("codes/a.json");
    assert_eq!(lines(&file), vec![line]);
    for out in ["x", "y"] {
        tokens(&["decode", "codes/a.json", "--seed", "3", "--out", out]).success();
    }
    let bytes = fs::read(dir.path().join("x/a.png")).unwrap();
    assert_eq!(bytes, fs::read(dir.path().join("y/a.png")).unwrap());
    let decoded = image::load_from_memory(&bytes).unwrap();
    assert_eq!((decoded.width(), decoded.height()), (64, 40));
    tokens(&["decode", "codes/a.json", "--seed", "4", "--out", "z"]).success();
    assert_ne!(bytes, fs::read(dir.path().join("z/a.png")).unwrap());

    for (name, content, words) in [
        (
            "short.json",
            json!({"height": 2, "width": 2, "ids": [1, 2, 3]}),
            "3 `ids` do not form a grid",
        ),
        (
            "wild.json",
            json!({"height": 1, "width": 2, "ids": [1, 96]}),
            "outside the codebook of 96",
        ),
    ] {
        fs::write(dir.path().join(name), content.to_string()).unwrap();
        let failed = tokens(&["decode", name, "--out", "x"]).code(5);
        assert!(
            stderr(failed.get_output()).contains(words),
            "{}",
            stderr(failed.get_output())
        );
    }
    fs::write(dir.path().join("other.json"), "[1, 2]").unwrap();
    let failed = tokens(&["decode", "other.json", "--out", "x"]).code(2);
    assert!(stderr(failed.get_output()).contains("other.json"));
    fs::write(
        dir.path().join("tiny.toml"),
        "name = \"tiny\"\ntitle = \"T\"\ngenerator = \"echo\"\n",
    )
    .unwrap();
    let failed = tokens(&["encode", "a.png"]).code(2);
    assert!(stderr(failed.get_output()).contains("no picture tokenizer"));
}
