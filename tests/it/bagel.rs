//! The `bagel` generator end to end, with the tiny checkpoint of a parity case and a made tokenizer.

use crate::parity::copy_into;
use crate::support::{lines, stderr, unigauge};
use crate::uniworld::tokenizer;
use candle_core::Device;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The texts that ask for thoughts, in the form of the authors' file.
const INFERENCER: &str =
    "VLM_THINK_SYSTEM_PROMPT = '''Think, \nthen say.'''\n\nGEN_THINK_SYSTEM_PROMPT = '''Plan.'''\n";

/// The tiny checkpoint as a user has a released one.
fn checkpoint(dir: &Path) -> PathBuf {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/parity");
    let folder = dir.join("tiny");
    copy_into(&golden.join("bagel_edit/checkpoint"), &folder);
    let specials = [
        ("<|im_start|>", 112),
        ("<|im_end|>", 113),
        ("<|vision_start|>", 116),
        ("<|vision_end|>", 117),
    ];
    tokenizer(&folder, 0, &specials);
    fs::write(folder.join("inferencer.py"), INFERENCER).unwrap();
    folder
}

/// A model whose pictures fit the tables of positions of the tiny checkpoint: 10 × 10 tokens of 4 pixels, and
/// 8 × 8 patches of 6 pixels.
fn model(dir: &Path, settings: &str) -> PathBuf {
    let path = dir.join("tiny.toml");
    let text = format!(
        "name = \"tiny\"\ntitle = \"Tiny\"\ngenerator = \"bagel\"\n\n[settings]\ncheckpoint = \"tiny\"\n\
         num_timesteps = 4\nsize = [26, 16]\nmax_length = 7\nvae_max_side = 40\nvae_min_side = 8\nvit_max_side = 48\n\
         vit_min_side = 12\n{settings}\n"
    );
    fs::write(&path, text).unwrap();
    path
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

fn generate(dir: &Path, suite: &str, more: &[&str]) -> assert_cmd::assert::Assert {
    let mut command = unigauge(dir);
    command.args(["generate", suite, "--device", "cpu", "--model", "tiny.toml"]);
    command.args(more).assert()
}

fn outputs(run: &Path) -> Vec<Value> {
    let mut all = lines(&run.join("outputs.jsonl"));
    all.sort_by_key(|line| line["item"].to_string());
    all
}

fn of(outputs: &[Value], id: &str) -> Value {
    let found = outputs.iter().find(|line| line["item"] == id);
    found.unwrap_or_else(|| panic!("{id}")).clone()
}

/// Item → sha256 of its picture.
fn pictures(outputs: &[Value]) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let each = outputs.iter();
    each.map(|line| (text(&line["item"]), text(&line["sha256"])))
        .collect()
}

fn inputs(dir: &Path) {
    for (name, shade, width, height) in [("a.png", 40u8, 90, 60), ("b.png", 200, 50, 70)] {
        let picture =
            image::RgbImage::from_fn(width, height, |x, y| image::Rgb([shade, x as u8, y as u8]));
        picture.save(dir.join(name)).unwrap();
    }
}

#[test]
fn geneval_prompts_become_the_same_pictures_on_every_way() {
    let dir = tempfile::tempdir().unwrap();
    checkpoint(dir.path());
    model(dir.path(), "");
    let run = |out: &str| dir.path().join(out).join("geneval/tiny/seed0-limit4");
    let common = ["--limit", "4", "--repeats", "1", "--out"];
    let with = |more: &[&'static str]| [&common[..], more].concat();

    generate(dir.path(), "geneval", &with(&["whole"])).success();
    let made = outputs(&run("whole"));
    let whole = pictures(&made);
    let distinct: BTreeSet<&String> = whole.values().collect();
    assert_eq!(
        distinct.len(),
        4,
        "another prompt and seed, another picture"
    );
    // 26 is cut to whole tokens of 4.
    assert_eq!(
        (&made[0]["width"], &made[0]["height"]),
        (&json!(24), &json!(16))
    );
    for phase in ["draw", "decode"] {
        assert!(made[0]["timings"][phase].as_f64().unwrap() > 0.0, "{phase}");
    }
    assert_eq!(made[0]["timings"].get("look"), None);
    assert_eq!(made[0].get("thoughts"), None);

    // A budget that holds one network at a time, and two shards: the same bytes.
    generate(
        dir.path(),
        "geneval",
        &with(&["phased", "--vram-budget", "1KB"]),
    )
    .success();
    assert_eq!(pictures(&outputs(&run("phased"))), whole);
    let mut parts = Vec::new();
    for (shard, file) in [
        ("1/2", "outputs.1-of-2.jsonl"),
        ("2/2", "outputs.2-of-2.jsonl"),
    ] {
        generate(dir.path(), "geneval", &with(&["shards", "--shard", shard])).success();
        parts.extend(lines(&run("shards").join(file)));
    }
    assert_eq!(pictures(&parts), whole);

    // A lost picture is made again, alike.
    let lost = made[2]["file"].as_str().unwrap();
    fs::remove_file(run("whole").join(lost)).unwrap();
    generate(dir.path(), "geneval", &with(&["whole"])).success();
    assert_eq!(pictures(&outputs(&run("whole"))), whole);

    // Drawn together, a picture is the same but for rounding.
    model(dir.path(), "batch_size = 3");
    generate(dir.path(), "geneval", &with(&["together"])).success();
    let together = outputs(&run("together"));
    for line in &made {
        let other = of(&together, line["item"].as_str().unwrap());
        let open = |out: &str, line: &Value| {
            let path = run(out).join(line["file"].as_str().unwrap());
            image::open(path).unwrap().to_rgb8()
        };
        let (one, other) = (open("whole", line), open("together", &other));
        let pairs = one.as_raw().iter().zip(other.as_raw());
        let worst = pairs.map(|(a, b)| a.abs_diff(*b)).max().unwrap();
        assert!(worst <= 1, "{worst}");
    }
}

#[test]
fn edits_look_at_their_pictures_and_have_their_size() {
    let dir = tempfile::tempdir().unwrap();
    checkpoint(dir.path());
    model(dir.path(), "");
    inputs(dir.path());
    let edit =
        |id: &str, images: &[&str]| json!({"id": id, "prompt": "make it red", "images": images});
    let mut later = edit("later", &["b.png"]);
    later["history"] = json!([
        {"role": "user", "text": "make it blue", "images": ["a.png"]},
        {"role": "assistant", "text": "done"},
    ]);
    suite(
        dir.path(),
        "edit",
        &[
            edit("none", &[]),
            edit("one", &["a.png"]),
            edit("other", &["b.png"]),
            edit("two", &["a.png", "b.png"]),
            later,
        ],
    );
    generate(dir.path(), "own.toml", &[]).code(5);
    let all = outputs(&dir.path().join("results/own/tiny/seed0"));
    let none = of(&all, "none");
    assert_eq!(none["error"]["kind"], "image");
    let said = none["error"]["message"].as_str().unwrap();
    assert!(said.contains("an edit needs a picture"), "{said}");
    let hashes: BTreeSet<&str> = all
        .iter()
        .filter_map(|line| line["sha256"].as_str())
        .collect();
    assert_eq!(hashes.len(), 4);
    // 90 × 60 becomes 40 × 28, the multiples of 4 nearest to 40 × 27; 50 × 70 becomes 28 × 40.
    let size = |id: &str| {
        let line = of(&all, id);
        (
            line["width"].as_u64().unwrap(),
            line["height"].as_u64().unwrap(),
        )
    };
    assert_eq!((size("one"), size("other")), ((40, 28), (28, 40)));
    assert_eq!((size("two"), size("later")), ((28, 40), (28, 40)));
    assert!(of(&all, "one")["timings"]["look"].as_f64().unwrap() > 0.0);

    // Other ways to see the same pictures give other pictures. Two of them have the size of the first.
    for (number, setting) in [
        "vit_input = \"resized\"",
        "vae_posterior = \"mean\"",
        "cfg_img_scale = 1.0",
        "edit_size = \"first\"",
    ]
    .iter()
    .enumerate()
    {
        model(dir.path(), setting);
        let out = format!("way{number}");
        generate(dir.path(), "own.toml", &["--out", &out]).code(5);
        let way = outputs(&dir.path().join(out).join("own/tiny/seed0"));
        let (two, was) = (of(&way, "two"), of(&all, "two"));
        assert_ne!(two["sha256"], was["sha256"], "{setting}");
        if number == 3 {
            assert_eq!((&two["width"], &two["height"]), (&json!(40), &json!(28)));
            assert_eq!(of(&way, "one")["sha256"], of(&all, "one")["sha256"]);
        }
    }
}

#[test]
fn questions_are_answered_and_thoughts_are_recorded() {
    let dir = tempfile::tempdir().unwrap();
    let folder = checkpoint(dir.path());
    model(dir.path(), "");
    inputs(dir.path());
    let ask = |id: &str, images: &[&str]| json!({"id": id, "prompt": "what?", "images": images, "answers": ["x"]});
    let items = [
        ask("one", &["a.png"]),
        ask("two", &["a.png", "b.png"]),
        ask("words", &[]),
    ];
    suite(dir.path(), "understand", &items);
    generate(dir.path(), "own.toml", &[]).success();
    let plain = outputs(&dir.path().join("results/own/tiny/seed0"));
    // The picture is 8 × 5 patches (48 × 32 pixels, cut to 30), with a token at both ends; the question is 5
    // letters between two tokens.
    assert_eq!(of(&plain, "words")["input_tokens"], json!(7));
    assert_eq!(of(&plain, "one")["input_tokens"], json!(40 + 2 + 7));
    for line in &plain {
        assert!(line["text"].is_string(), "{line}");
        // The limit of 7 counts the token that opens the answer.
        assert!(line["output_tokens"].as_u64().unwrap() <= 6);
    }

    model(dir.path(), "think = { max_length = 9 }");
    generate(dir.path(), "own.toml", &["--out", "thinks"]).success();
    let thinks = outputs(&dir.path().join("thinks/own/tiny/seed0"));
    // "Think, \nthen say." has 17 letters.
    assert_eq!(of(&thinks, "words")["input_tokens"], json!(7 + 17 + 2));
    assert!(of(&thinks, "one")["output_tokens"].as_u64().unwrap() <= 8);

    let draw = |out: &str, settings: &str| {
        model(dir.path(), settings);
        suite(
            dir.path(),
            "text-to-image",
            &[json!({"id": "draw", "prompt": "a cat"})],
        );
        generate(dir.path(), "own.toml", &["--out", out]).success();
        of(
            &outputs(&dir.path().join(out).join("own/tiny/seed0")),
            "draw",
        )
    };
    let without = draw("plain", "");
    let with = draw("thought", "think = { max_length = 9 }");
    assert!(with["thoughts"].is_string(), "{with}");
    let tokens = with["thoughts_tokens"].as_u64().unwrap();
    assert!(tokens <= 8);
    assert_eq!(with["thoughts_truncated"] == true, tokens == 8);
    assert_ne!(with["sha256"], without["sha256"]);
    // With the guidance by pictures, the thoughts count in another way when both contexts have them.
    let strong = "cfg_img_scale = 2.0\n";
    let own = draw("own", &format!("{strong}think = {{ max_length = 9 }}"));
    let both = "think = { max_length = 9, thoughts_in_image_context = true }";
    let both = draw("both", &format!("{strong}{both}"));
    assert_ne!(own["sha256"], both["sha256"]);
    // Sampled thoughts depend on nothing but the seed.
    let sampled = "think = { max_length = 9, temperature = 5.0 }";
    let (first, second) = (draw("first", sampled), draw("second", sampled));
    assert_eq!(first["thoughts"], second["thoughts"]);
    assert_eq!(first["sha256"], second["sha256"]);

    fs::remove_file(folder.join("inferencer.py")).unwrap();
    model(dir.path(), "think = {}");
    let refused = generate(dir.path(), "own.toml", &["--out", "refused"]).failure();
    let said = stderr(refused.get_output());
    assert!(said.contains("inferencer.py"), "{said}");
    let own = draw("text", "think = { max_length = 9, system = \"Plan.\" }");
    assert_eq!(
        own["sha256"], with["sha256"],
        "the same text from elsewhere"
    );
}

#[test]
fn a_checkpoint_of_another_revision_and_impossible_settings_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let folder = checkpoint(dir.path());
    let says = |settings: &str, word: &str| {
        model(dir.path(), settings);
        let output = generate(dir.path(), "geneval", &["--limit", "1"]).failure();
        let said = stderr(output.get_output());
        assert!(said.contains(word), "{said}");
    };
    says("timestep_shift = 0.0", "timestep_shift");
    says("think = { max_length = 1 }", "think.max_length");
    says("cfg_renorm_min = 2.0", "cfg_renorm_min");
    says("batch_size = 0", "batch_size");
    says("vit_max_pixels = 0", "vit_max_pixels");

    let file = folder.join("ema.safetensors");
    let mut weights = candle_core::safetensors::load(&file, &Device::Cpu).unwrap();
    let name = "language_model.model.layers.1.mlp_moe_gen.up_proj.weight";
    let removed = weights.remove(name).unwrap();
    candle_core::safetensors::save(&weights, &file).unwrap();
    says("", name);
    weights.insert(name.into(), removed);
    let old = "vit_model.vision_model.encoder.layers.0.layer_norm1.weight";
    let norm = weights[old].clone();
    weights.insert(old.replace("layers.0", "layers.1"), norm);
    candle_core::safetensors::save(&weights, &file).unwrap();
    says("", "num_hidden_layers");
}

#[test]
fn pictures_beyond_the_table_of_positions_fail_by_themselves() {
    let dir = tempfile::tempdir().unwrap();
    checkpoint(dir.path());
    model(dir.path(), "stored_size = [30, 30]");
    let text = fs::read_to_string(dir.path().join("tiny.toml")).unwrap();
    let text = text.replace("size = [26, 16]", "size = [48, 16]");
    fs::write(dir.path().join("tiny.toml"), text).unwrap();
    suite(
        dir.path(),
        "text-to-image",
        &[json!({"id": "wide", "prompt": "a cat"})],
    );
    generate(dir.path(), "own.toml", &[]).code(5);
    let all = outputs(&dir.path().join("results/own/tiny/seed0"));
    let said = of(&all, "wide")["error"]["message"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        said.contains("12 × 4 patches") && said.contains("10 × 10"),
        "{said}"
    );
}
