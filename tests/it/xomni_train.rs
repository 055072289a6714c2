//! Trainings of X-Omni's parts on the miniature world: the quantizer beside torch, batches beside single
//! sequences, and a checkpoint put together from trainings of a few steps that the generator opens.

use crate::support::{self, lines, model, stderr, unigauge};
use candle_core::{DType, Device, Tensor};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use unigauge::model::siglip::{SiglipVision, SiglipVisionConfig};
use unigauge::model::tokenizer::Tokenizer;
use unigauge::model::weights::{Files, Variables, load};
use unigauge::model::xomni::{EncoderConfig, Ibq, IbqLoss, XOmniAr, XOmniConfig};

fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn distance(a: &Tensor, b: &Tensor) -> f32 {
    assert_eq!(a.dims(), b.dims());
    let worst = (a - b).unwrap().abs().unwrap().max_all().unwrap();
    worst.to_scalar().unwrap()
}

/// tests/golden/train/ibq.py says what the numbers are.
#[test]
fn the_quantizer_learns_as_torch_says() {
    let text = fs::read(root("tests/golden/train/ibq.json")).unwrap();
    let golden: Value = serde_json::from_slice(&text).unwrap();
    let size = |name: &str| golden["sizes"][name].as_u64().unwrap() as usize;
    let (batch, length, width) = (size("batch"), size("length"), size("width"));
    let (dim, codes) = (size("dim"), size("codes"));
    let tensor = |value: &Value, shape: &[usize]| {
        let values: Vec<f32> = serde_json::from_value(value.clone()).unwrap();
        Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
    };
    let places = [
        ("weight", "quant_conv.weight", vec![dim, width, 1, 1]),
        ("bias", "quant_conv.bias", vec![dim]),
        ("embedding", "quantize.embedding.weight", vec![codes, dim]),
    ];
    let first = places
        .iter()
        .map(|(key, name, shape)| ((*name).to_owned(), tensor(&golden["first"][key], shape)));
    let files = Arc::new(Files::made(Path::new("golden"), first.collect()));
    let variables = Variables::from_base(
        0,
        Device::Cpu,
        vec![(String::new(), files)],
        vec!["*".into()],
    );
    let config: EncoderConfig = serde_json::from_value(json!({
        "siglip_path": "vit", "projector_path": "vq",
        "z_channels": width, "codebook_size": codes, "codebook_dim": dim,
    }))
    .unwrap();
    let ibq = Ibq::new(&config, &variables.weights()).unwrap();
    let skipped: Vec<bool> = serde_json::from_value(golden["skipped"].clone()).unwrap();
    let how = IbqLoss {
        temperature: golden["temperature"].as_f64().unwrap(),
        commitment: golden["commitment"].as_f64().unwrap(),
    };
    let features = tensor(&golden["features"], &[batch, length, width]);
    let got = ibq.forward(&features, &skipped, how).unwrap();
    let loss: f32 = got.loss.to_scalar().unwrap();
    assert!((f64::from(loss) - golden["loss"].as_f64().unwrap()).abs() < 1e-5);
    let wanted: Vec<u32> = serde_json::from_value(golden["codes"].clone()).unwrap();
    assert_eq!(got.codes.to_vec1::<u32>().unwrap(), wanted);
    let shape = [batch, length, dim];
    assert!(distance(&got.rows, &tensor(&golden["rows"], &shape)) < 1e-5);

    let factors = tensor(&golden["factors"], &shape);
    let told = (&got.rows * factors).unwrap().sum_all().unwrap();
    let grads = (got.loss + told).unwrap().backward().unwrap();
    let vars = variables.by_name();
    for (key, name, shape) in places {
        let grad = grads.get(&vars[name]).unwrap();
        let far = distance(grad, &tensor(&golden["gradients"][key], &shape));
        assert!(far < 1e-5, "{name}: {far}");
    }
    assert!(ibq.forward(&features, &[true], how).is_err());
}

#[test]
fn a_batch_of_sequences_has_the_states_of_each_alone() {
    let folder = root("tests/golden/parity/xomni_ar/checkpoint");
    let config = XOmniConfig::read(&folder).unwrap();
    let files = Arc::new(Files::open(&folder).unwrap());
    let model = load(&files, DType::F32, &Device::Cpu, |weights| {
        XOmniAr::new(&config, weights)
    })
    .unwrap();
    // Words are below 130: a picture at the beginning, in the middle, at the end; words alone, image tokens
    // alone.
    for form in [
        "iiiwww", "wwiiwwiw", "wwwii", "wwwwww", "iiii", "w", "i", "wi",
    ] {
        let row = |by: u32| -> Vec<u32> {
            let ids = form.chars().zip((3..).step_by(7));
            ids.map(|(kind, id): (char, u32)| match kind {
                'i' => 130 + (id * by) % 100,
                _ => (id * by) % 130,
            })
            .collect()
        };
        let rows = [row(1), row(5), row(11)];
        let states = model.batch_states(&rows).unwrap();
        for (number, row) in rows.iter().enumerate() {
            let alone = model.hidden_states(row).unwrap();
            let own = states.narrow(0, number, 1).unwrap();
            assert!(distance(&own, &alone) < 2e-5, "{form} {number}");
        }
    }
    for rows in [
        vec![],
        vec![vec![]],
        vec![vec![1, 140], vec![140, 1]],
        vec![vec![1, 2], vec![1]],
        vec![vec![1, 234]],
    ] {
        assert!(model.batch_states(&rows).is_err(), "{rows:?}");
    }
}

/// Sizes that make the committed definitions tiny.
fn tiny(name: &str) -> &'static [&'static str] {
    match name {
        "mini-vae" => &[
            "network.block_out_channels=[4, 4, 8]",
            "network.norm_num_groups=2",
            "network.latent_channels=2",
        ],
        "mini-flux" => &[
            "network.transformer.in_channels=8",
            "network.transformer.num_layers=1",
            "network.transformer.num_single_layers=1",
            "network.transformer.attention_head_dim=8",
            "network.transformer.num_attention_heads=2",
            "network.transformer.joint_attention_dim=16",
            "network.transformer.pooled_projection_dim=8",
            "network.transformer.axes_dims_rope=[2, 2, 4]",
            "network.text_encoder.hidden_size=8",
            "network.text_encoder.intermediate_size=16",
            "network.text_encoder_2.d_model=16",
            "network.text_encoder_2.d_kv=8",
            "network.text_encoder_2.d_ff=16",
            "network.text_encoder_2.num_layers=1",
            "network.text_encoder_2.num_heads=2",
            "settings.samples=8",
        ],
        "mini-qwen-vl" => &[
            "network.hidden_size=16",
            "network.intermediate_size=16",
            "network.num_hidden_layers=2",
            "network.num_attention_heads=2",
            "network.num_key_value_heads=1",
            "network.rope_scaling.mrope_section=[2, 1, 1]",
            "network.vision_config.depth=1",
            "network.vision_config.hidden_size=16",
            "network.vision_config.intermediate_size=16",
            "network.vision_config.num_heads=2",
            "network.vision_config.out_hidden_size=16",
            "network.vision_config.fullatt_block_indexes=[0]",
            "settings.samples=8",
        ],
        "mini-siglip-vq" => &[
            "network.codebook_size=24",
            "network.codebook_dim=8",
            "settings.samples=8",
        ],
        "mini-xomni-pretrain" | "mini-xomni-sft" => &[
            "network.hidden_size=16",
            "network.intermediate_size=16",
            "network.num_hidden_layers=4",
            "network.num_attention_heads=2",
            "network.num_key_value_heads=1",
            "network.image_vocab_size=24",
            "network.mm_vocab_size=30",
            "settings.samples=16",
        ],
        "mini-xomni-decoder" => &["settings.samples=8", "settings.num_inference_steps=2"],
        other => panic!("{other}"),
    }
}

/// Trains a committed definition, made tiny, into a folder; stops after a step and goes on.
fn trained(name: &str, folder: &Path, more: &[&str], stop: Option<u64>) -> Result<Value, String> {
    let common = ["batch=4", "optimizer.warmup=2", "optimizer.ema=0.5"];
    let set = common.iter().chain(tiny(name)).chain(more);
    let set: Vec<String> = set.map(|set| (*set).to_owned()).collect();
    support::trained(name, folder, &set, stop).map_err(|error| error.to_string())
}

/// A SigLIP of random numbers in transformers' layout.
fn siglip(folder: &Path) {
    let config = json!({
        "hidden_size": 32, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2,
        "image_size": 32, "patch_size": 8,
    });
    let parsed: SiglipVisionConfig = serde_json::from_value(config.clone()).unwrap();
    let variables = Variables::new(5, Device::Cpu);
    SiglipVision::new(&parsed, &variables.weights()).unwrap();
    let tensors = variables.by_name().into_iter();
    let tensors = tensors.map(|(name, var)| (name, var.as_tensor().clone()));
    fs::create_dir_all(folder).unwrap();
    let path = folder.join("model.safetensors");
    candle_core::safetensors::save(&tensors.collect(), path).unwrap();
    fs::write(folder.join("config.json"), config.to_string()).unwrap();
}

/// Trainings of a few steps of everything that X-Omni is made of, beside each other.
fn checkpoints() -> &'static Path {
    static MADE: OnceLock<tempfile::TempDir> = OnceLock::new();
    let made = MADE.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        siglip(&dir.path().join("mini-siglip"));
        let quick: &[&str] = &["steps=2"];
        let long: &[&str] = &["steps=40", "optimizer.learning_rate=5e-3"];
        for (name, more) in [
            ("mini-vae", quick),
            ("mini-flux", quick),
            ("mini-qwen-vl", quick),
            ("mini-siglip-vq", long),
            ("mini-xomni-pretrain", long),
            ("mini-xomni-sft", quick),
            (
                "mini-xomni-decoder",
                &["steps=2", "trainable=[\"siglip_embed.*\"]"],
            ),
        ] {
            trained(name, &dir.path().join(name), more, None).unwrap();
        }
        dir
    });
    made.path()
}

fn tensors(path: &Path) -> BTreeMap<String, Tensor> {
    let tensors = candle_core::safetensors::load(path, &Device::Cpu).unwrap();
    tensors.into_iter().collect()
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[test]
fn losses_fall_and_checks_say_what_was_learnt() {
    let all = checkpoints();
    for (name, key, left) in [
        // Through a language model that has not learnt to look.
        ("mini-siglip-vq", "text", 0.997),
        ("mini-xomni-pretrain", "image", 0.9),
        ("mini-xomni-pretrain", "text", 0.95),
    ] {
        let curve = lines(&all.join(name).join("curve.jsonl"));
        let losses = curve.iter().filter_map(|line| line[key].as_f64());
        let losses: Vec<f64> = losses.collect();
        assert!(losses.len() >= 8, "{name} {key}: {losses:?}");
        let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
        let (first, last) = (mean(&losses[..4]), mean(&losses[losses.len() - 4..]));
        assert!(last < left * first, "{name} {key}: {losses:?}");
    }
    let checked = |name: &str| read(&all.join(name).join("training.json"))["checked"].clone();
    let tokenizer = checked("mini-siglip-vq");
    let (codes, even) = (&tokenizer["codes"], &tokenizer["perplexity"]);
    assert!(
        (2.0..=24.0).contains(&codes.as_f64().unwrap()),
        "{tokenizer}"
    );
    assert!(even.as_f64().unwrap() <= codes.as_f64().unwrap() + 1e-6);
    let model = checked("mini-xomni-pretrain");
    // Better than one of 24 codes at random.
    assert!(
        model["image_loss"].as_f64().unwrap() < 24f64.ln(),
        "{model}"
    );
    for subject in ["describe", "question", "sign"] {
        assert!(tokenizer[subject].is_number() && model[subject].is_number());
    }
    let decoder = checked("mini-xomni-decoder");
    assert!(decoder["things_alike"].is_number() && decoder["signs_alike"].is_number());
}

#[test]
fn parts_begin_as_what_they_are_made_of_and_only_what_may_learn_moves() {
    let all = checkpoints();
    let siglip = tensors(&all.join("mini-siglip/model.safetensors"));
    let vit = tensors(&all.join("mini-siglip-vq/vit.safetensors"));
    let old =
        |name: &str| &siglip[&format!("vision_model.encoder.layers.1.self_attn.{name}.weight")];
    let qkv = Tensor::cat(&[old("q_proj"), old("k_proj"), old("v_proj")], 0).unwrap();
    let half = |x: &Tensor| {
        x.to_dtype(DType::F16)
            .unwrap()
            .to_dtype(DType::F32)
            .unwrap()
    };
    let full = |x: &Tensor| x.to_dtype(DType::F32).unwrap();
    assert_eq!(
        distance(&half(&qkv), &full(&vit["blocks.1.attn.qkv.weight"])),
        0.0
    );
    assert_eq!(vit["pos_embed"].dims(), [1, 16, 32]);
    assert!(vit.keys().all(|name| !name.contains("post_layernorm")));

    // A step of nothing is what the language model begins with.
    let folder = all.join("still");
    let frozen = ["steps=1", "trainable=[\"mm_head.*\"]"];
    trained("mini-xomni-pretrain", &folder, &frozen, None).unwrap();
    let still = tensors(&folder.join("model.safetensors"));
    let language = tensors(&all.join("mini-qwen-vl/model.safetensors"));
    for (new, old) in [
        (
            "model.layers.1.mlp.up_proj.weight",
            "model.layers.0.mlp.up_proj.weight",
        ),
        (
            "model.layers.2.self_attn.q_proj.bias",
            "model.layers.1.self_attn.q_proj.bias",
        ),
        ("model.lm_embed_tokens.weight", "model.embed_tokens.weight"),
        ("lm_head.weight", "model.embed_tokens.weight"),
        ("model.lm_norm.weight", "model.norm.weight"),
    ] {
        assert_eq!(
            distance(&full(&still[new]), &full(&language[old])),
            0.0,
            "{new}"
        );
    }

    let flux = "transformer/diffusion_pytorch_model.safetensors";
    let flux = tensors(&all.join("mini-flux").join(flux));
    let decoder = "xomni/diffusers/diffusion_pytorch_model.safetensors";
    let mut decoder = tensors(&all.join("mini-xomni-decoder").join(decoder));
    let embed = full(&decoder.remove("siglip_embed.weight").unwrap());
    assert_eq!(embed.dims(), [16, 32]);
    assert!(distance(&embed, &embed.zeros_like().unwrap()) > 0.0);
    assert_eq!(decoder.len(), flux.len());
    for (name, tensor) in &flux {
        assert_eq!(
            distance(&full(tensor), &full(&decoder[name])),
            0.0,
            "{name}"
        );
    }
}

#[test]
fn empty_prompts_are_a_share_of_the_batches_and_none_changes_nothing() {
    let all = checkpoints();
    let made = |out: &str, set: &[&str]| {
        let folder = all.join(format!("drop-{out}"));
        let more = [&["steps=3"][..], set].concat();
        trained("mini-xomni-pretrain", &folder, &more, None).unwrap();
        fs::read(folder.join("model.safetensors")).unwrap()
    };
    let plain = made("absent", &[]);
    assert_eq!(plain, made("none", &["settings.drop=0.0"]));
    let empty = ["settings.drop=1.0", "settings.understanding=0.0"];
    assert_ne!(plain, made("all", &empty));
    // Nobody reads a word, so the table of words keeps all rows but those around a picture.
    let table = |out: &str| {
        let path = all.join(out).join("model.safetensors");
        let table = &tensors(&path)["model.lm_embed_tokens.weight"];
        table.to_dtype(DType::F32).unwrap()
    };
    let first = {
        let frozen = ["steps=1", "trainable=[\"mm_head.*\"]"];
        trained(
            "mini-xomni-pretrain",
            &all.join("drop-first"),
            &frozen,
            None,
        )
        .unwrap();
        table("drop-first")
    };
    let moved = (table("drop-all") - first).unwrap().abs().unwrap();
    let moved: Vec<f32> = moved.max(1).unwrap().to_vec1().unwrap();
    let rows = moved.iter().filter(|far| **far > 0.0).count();
    let words = Tokenizer::open(&all.join("mini-xomni-sft")).unwrap();
    let read = words.encode("<SOM>4 4<IMAGE>").unwrap();
    // The tokens around a picture are in the table of image tokens.
    let read = read.into_iter().filter(|id| (*id as usize) < moved.len());
    let different: BTreeSet<u32> = read.collect();
    assert_eq!(rows, different.len(), "{moved:?}");

    let wrong = ["steps=1", "settings.drop=1.5"];
    let error = trained("mini-xomni-pretrain", &all.join("drop-wrong"), &wrong, None);
    assert!(
        error
            .unwrap_err()
            .contains("`settings.drop` must be 0 to 1")
    );
}

#[test]
fn a_language_model_may_be_published_in_a_whole_system() {
    let all = checkpoints();
    let (alone, whole) = (all.join("sft-alone"), all.join("sft-whole"));
    trained("mini-xomni-sft", &alone, &["steps=1"], None).unwrap();
    let system = ["steps=1", "from.system=\"mini-xomni-decoder\""];
    trained("mini-xomni-sft", &whole, &system, None).unwrap();
    let bytes = |path: PathBuf| fs::read(path).unwrap();
    assert_eq!(
        bytes(alone.join("model.safetensors")),
        bytes(whole.join("xomni/model.safetensors"))
    );
    let decoder = "xomni/diffusers/diffusion_pytorch_model.safetensors";
    for file in [decoder, "xomni/config.json", "flux/vae/config.json"] {
        let from = all.join("mini-xomni-decoder").join(file);
        assert_eq!(bytes(from), bytes(whole.join(file)), "{file}");
    }
    let other = [
        "steps=1",
        "from.system=\"mini-xomni-decoder\"",
        "network.rope_theta=500.0",
    ];
    let error = trained("mini-xomni-sft", &all.join("sft-other"), &other, None).unwrap_err();
    assert!(
        error.contains("`from.system`: `rope_theta`") && error.contains("this training"),
        "{error}"
    );
}

#[test]
fn an_interrupted_training_of_each_part_goes_on_to_the_same_weights() {
    let all = checkpoints();
    for (name, file) in [
        ("mini-siglip-vq", "vq.safetensors"),
        ("mini-xomni-pretrain", "model.safetensors"),
        (
            "mini-xomni-decoder",
            "xomni/diffusers/diffusion_pytorch_model.safetensors",
        ),
    ] {
        let made = |out: &str, stop: Option<u64>| {
            let folder = all.join(format!("{name}-{out}"));
            trained(name, &folder, &["steps=5"], stop).unwrap();
            fs::read(folder.join(file)).unwrap()
        };
        assert_eq!(made("whole", None), made("stopped", Some(3)), "{name}");
    }
}

#[test]
fn parts_of_different_tokenizers_are_refused() {
    let all = checkpoints();
    let other = all.join("other-tokenizer");
    trained("mini-siglip-vq", &other, &["steps=1", "seed=2"], None).unwrap();
    let from = ["steps=1", "from.tokenizer=\"other-tokenizer\""];
    for (name, role) in [("mini-xomni-sft", "begin"), ("mini-xomni-decoder", "ar")] {
        let error = trained(name, &all.join(format!("{name}-mixed")), &from, None).unwrap_err();
        let named = format!("`from.{role}`");
        assert!(
            error.contains(&named) && error.contains("another tokenizer"),
            "{error}"
        );
    }
    let small = ["network.vocab_size=20"];
    let error = trained("mini-xomni-sft", &all.join("small"), &small, None).unwrap_err();
    assert!(
        error.contains("`network.vocab_size` is 20; it must be 442"),
        "{error}"
    );
}

#[test]
fn the_generator_opens_what_was_put_together() {
    let all = checkpoints();
    let dir = tempfile::tempdir().unwrap();
    let folder = all.join("mini-xomni-decoder");
    let settings = format!(
        "checkpoint = {:?}\nsize = [32, 32]\nmax_sequence_length = 12\nmax_new_tokens = 8",
        folder
    );
    model(dir.path(), "tiny", "xomni", &settings);
    let run = |arguments: &[&str]| {
        let mut program = unigauge(dir.path());
        program.args(arguments);
        let output = program
            .args(["--model", "tiny.toml", "--device", "cpu"])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        output
    };
    run(&["generate", "mini-geneval", "--limit", "2", "--repeats", "1"]);
    let made = lines(
        &dir.path()
            .join("results/mini-geneval/tiny/seed0-limit2/outputs.jsonl"),
    );
    assert_eq!(made.len(), 2);
    for line in &made {
        assert_eq!((&line["width"], &line["height"]), (&json!(32), &json!(32)));
    }

    let picture =
        image::RgbImage::from_fn(64, 64, |x, y| image::Rgb([4 * x as u8, 9, 4 * y as u8]));
    picture.save(dir.path().join("a.png")).unwrap();
    let coded: Value = serde_json::from_slice(&run(&["tokens", "encode", "a.png"]).stdout).unwrap();
    assert_eq!((&coded["height"], &coded["width"]), (&json!(4), &json!(4)));
    assert_eq!(coded["ids"].as_array().unwrap().len(), 16);

    let item = json!({"id": "a", "prompt": "describe it", "images": ["a.png"], "answers": ["x"]});
    fs::write(dir.path().join("items.jsonl"), format!("{item}\n")).unwrap();
    let suite = "name = \"own\"\nversion = \"1\"\ntitle = \"Own\"\ntask = \"understand\"\n\n[items]\nfile = \
                 \"items.jsonl\"\n\n[grade]\nrule = \"contains\"\n";
    fs::write(dir.path().join("own.toml"), suite).unwrap();
    run(&["generate", "own.toml"]);
    let said = &lines(&dir.path().join("results/own/tiny/seed0/outputs.jsonl"))[0];
    let tokens = Tokenizer::open(&folder.join("xomni")).unwrap();
    let asked =
        "<|im_start|>user\n<SOM>4 4<IMAGE><EOM>\ndescribe it<|im_end|>\n<|im_start|>assistant\n";
    let length = tokens.encode(asked).unwrap().len() + 16;
    assert_eq!(said["input_tokens"], json!(length));
}

#[test]
fn another_language_model_draws_for_the_same_decoder() {
    let all = checkpoints();
    let dir = tempfile::tempdir().unwrap();
    let drawn = |name: &str, language: Option<&Path>| {
        let mut settings = format!(
            "checkpoint = {:?}\nsize = [32, 32]\nmax_sequence_length = 12",
            all.join("mini-xomni-decoder")
        );
        if let Some(folder) = language {
            settings += &format!("\nlanguage_model = {folder:?}");
        }
        model(dir.path(), name, "xomni", &settings);
        let mut program = unigauge(dir.path());
        program.args(["generate", "mini-geneval", "--limit", "2", "--repeats", "1"]);
        program.args(["--model", &format!("{name}.toml"), "--device", "cpu"]);
        let output = program.output().unwrap();
        if output.status.code() != Some(0) {
            return Err(stderr(&output));
        }
        let run = format!("results/mini-geneval/{name}/seed0-limit2");
        let made = lines(&dir.path().join(run).join("outputs.jsonl"));
        let hash = |line: &Value| {
            let text = |key: &str| line[key].as_str().unwrap().to_owned();
            (text("item"), text("sha256"))
        };
        Ok(made.iter().map(hash).collect::<BTreeMap<_, _>>())
    };
    let plain = drawn("plain", None).unwrap();
    assert_eq!(plain.len(), 2);
    let same = drawn("same", Some(&all.join("mini-xomni-sft"))).unwrap();
    assert_eq!(same, plain);
    let other = all.join("other-language");
    let random = ["steps=1", "seed=9"];
    trained("mini-xomni-pretrain", &other, &random, None).unwrap();
    assert_ne!(drawn("other", Some(&other)).unwrap(), plain);
    // One that knows the codes of another tokenizer.
    let path = other.join("config.json");
    let mut config = read(&path);
    config["image_tokenizer_sha256"] = json!("00");
    fs::write(&path, config.to_string()).unwrap();
    let error = drawn("wrong", Some(&other)).unwrap_err();
    assert!(
        error.contains("`language_model`") && error.contains("another tokenizer"),
        "{error}"
    );
}
