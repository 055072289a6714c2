//! Training: the optimizer beside PyTorch's, and the command as a user runs it.

use crate::support::{lines, stderr, unigauge, unigauge_process};
use candle_core::{Device, Tensor, Var};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use unigauge::train::optimizer::{AdamW, OptimizerSection};

fn floats(values: &Value) -> Vec<f32> {
    serde_json::from_value(values.clone()).unwrap()
}

fn assert_near(name: &str, got: &Tensor, want: &Value) {
    let got: Vec<f32> = got.flatten_all().unwrap().to_vec1().unwrap();
    let want = floats(want);
    assert_eq!(got.len(), want.len(), "{name}");
    for (got, want) in got.into_iter().zip(want) {
        assert!((got - want).abs() < 2e-5, "{name}: {got} and {want}");
    }
}

/// tests/golden/train/make.py says what the numbers are.
#[test]
fn the_optimizer_moves_weights_as_torch_does() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/train/adamw.json");
    let golden: Value = serde_json::from_slice(&fs::read(golden).unwrap()).unwrap();
    let tensor = |part: &str, name: &str| {
        let shape: Vec<usize> = serde_json::from_value(golden["shapes"][name].clone()).unwrap();
        Tensor::from_vec(floats(&golden[part][name]), shape, &Device::Cpu).unwrap()
    };
    let names = ["a.weight", "b.bias"];
    let vars: BTreeMap<String, Var> = names
        .iter()
        .map(|name| {
            let var = Var::from_tensor(&tensor("first", name)).unwrap();
            ((*name).to_owned(), var)
        })
        .collect();
    let settings = OptimizerSection {
        learning_rate: 0.05,
        warmup: 4,
        final_rate: 0.1,
        betas: [0.8, 0.95],
        eps: 1e-6,
        weight_decay: 0.3,
        clip: 1.5,
        ema: 0.9,
    };
    let mut optimizer = AdamW::new(&settings, 12, vars.clone()).unwrap();
    let steps = golden["steps"].as_array().unwrap();
    assert_eq!(steps.len(), 12);
    for (number, want) in steps.iter().enumerate() {
        let mut loss = Tensor::zeros((), candle_core::DType::F32, &Device::Cpu).unwrap();
        for (name, var) in &vars {
            let curved = (var.sqr().unwrap() * tensor("scales", name)).unwrap();
            let curved = (curved / 2.0).unwrap().sum_all().unwrap();
            let straight = (var.as_tensor() * tensor("shifts", name)).unwrap();
            loss = ((loss + curved).unwrap() + straight.sum_all().unwrap()).unwrap();
        }
        let grads = loss.backward().unwrap();
        let moved = optimizer.step(number as u64 + 1, &grads).unwrap();
        for (got, key) in [
            (moved.learning_rate, "learning_rate"),
            (moved.gradient, "gradient"),
        ] {
            let want = want[key].as_f64().unwrap();
            assert!(
                (got - want).abs() < 1e-5 * want.abs().max(1.0),
                "{key} {got} {want}"
            );
        }
    }
    let averages = optimizer.averages().unwrap();
    assert_eq!(averages.len(), names.len());
    for (name, var) in &vars {
        assert_near(name, var, &golden["weights"][name]);
        assert_near(name, &averages[name], &golden["averages"][name]);
    }
}

/// A training of a few steps on a tiny network.
fn tiny(dir: &Path) -> PathBuf {
    let path = dir.join("tiny.toml");
    fs::write(
        &path,
        "name = \"tiny\"\ntitle = \"Tiny\"\ntask = \"vae\"\nsteps = 12\nbatch = 4\nsave_every = 5\ncheck_every = 8\n\n\
         [optimizer]\nlearning_rate = 3e-3\nwarmup = 2\nema = 0.5\n\n\
         [network]\nblock_out_channels = [4, 8]\nlayers_per_block = 1\nlatent_channels = 3\nnorm_num_groups = 2\n\n\
         [settings]\nkl = 1e-4\n",
    )
    .unwrap();
    path
}

fn train(dir: &Path, arguments: &[&str]) -> std::process::Output {
    tiny(dir);
    unigauge(dir)
        .args(["train", "tiny.toml", "--device", "cpu"])
        .args(arguments)
        .output()
        .unwrap()
}

fn weights(folder: &Path) -> Vec<u8> {
    fs::read(folder.join("diffusion_pytorch_model.safetensors")).unwrap()
}

#[test]
fn a_training_lowers_its_loss_and_leaves_a_checkpoint_that_the_program_reads() {
    let dir = tempfile::tempdir().unwrap();
    let output = train(dir.path(), &["--set", "steps=60"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let folder = dir.path().join("checkpoints/tiny");
    let curve = lines(&folder.join("curve.jsonl"));
    let losses: Vec<f64> = curve
        .iter()
        .filter_map(|line| line["loss"].as_f64())
        .collect();
    assert_eq!(losses.len(), 60);
    let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
    assert!(mean(&losses[50..]) < 0.6 * mean(&losses[..5]), "{losses:?}");
    // Checks after every eighth step and after the last.
    let checks = curve.iter().filter(|line| line["mse"].is_number()).count();
    assert_eq!(checks, 8);
    let record: Value =
        serde_json::from_slice(&fs::read(folder.join("training.json")).unwrap()).unwrap();
    assert_eq!(record["steps"], 60);
    assert!(!folder.join("state.safetensors").exists());
    // The checkpoint is an autoencoder in the layout that FLUX pipelines load, scaled to unit latents.
    let config = fs::read_to_string(folder.join("config.json")).unwrap();
    let config: unigauge::model::flux_vae::VaeConfig = serde_json::from_str(&config).unwrap();
    let files = unigauge::model::weights::Files::open(&folder).unwrap();
    let files = std::sync::Arc::new(files);
    let read =
        unigauge::model::weights::load(&files, candle_core::DType::F32, &Device::Cpu, |weights| {
            Ok((
                unigauge::model::flux_vae::Encoder::new(&config, weights)?,
                unigauge::model::flux_vae::Decoder::new(&config, weights)?,
            ))
        });
    let (encoder, decoder) = read.unwrap();
    let pixels = Tensor::zeros((1, 3, 32, 32), candle_core::DType::F32, &Device::Cpu).unwrap();
    let latents = encoder.scaled(&encoder.mean(&pixels).unwrap()).unwrap();
    assert_eq!(latents.dims(), [1, 3, 16, 16]);
    assert_eq!(decoder.decode(&latents).unwrap().dims(), [1, 3, 32, 32]);
    // A second run has nothing to do.
    let again = train(dir.path(), &["--set", "steps=60"]);
    assert_eq!(again.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&again.stdout).contains("complete already"));
}

#[test]
fn an_interrupted_training_goes_on_to_the_same_weights() {
    let dir = tempfile::tempdir().unwrap();
    let whole = train(dir.path(), &["--out", "whole", "--set", "steps=60"]);
    assert_eq!(whole.status.code(), Some(0), "{}", stderr(&whole));
    let twice = train(dir.path(), &["--out", "twice", "--set", "steps=60"]);
    assert_eq!(twice.status.code(), Some(0), "{}", stderr(&twice));
    let whole = dir.path().join("whole");
    assert_eq!(weights(&whole), weights(&dir.path().join("twice")));

    // Killed without warning after a state was saved, however far it came; then once more.
    let mut child = unigauge_process(dir.path())
        .args([
            "train",
            "tiny.toml",
            "--device",
            "cpu",
            "--out",
            "killed",
            "--quiet",
            "--set",
            "steps=60",
        ])
        .spawn()
        .unwrap();
    let killed = dir.path().join("killed");
    let began = Instant::now();
    while !killed.join("state.safetensors").exists() && began.elapsed() < Duration::from_secs(120) {
        assert!(
            child.try_wait().unwrap().is_none(),
            "it ended before it was killed"
        );
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let output = train(dir.path(), &["--out", "killed", "--set", "steps=60"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(weights(&whole), weights(&killed));
    let curve = |folder: &Path| fs::read_to_string(folder.join("curve.jsonl")).unwrap();
    assert_eq!(curve(&whole), curve(&killed));
}

/// What does not learn stands in the checkpoint as it began.
#[test]
fn a_checkpoint_holds_frozen_parts_too() {
    let dir = tempfile::tempdir().unwrap();
    let trained = |out: &str, steps: &str, trainable: &str| {
        let sets = [steps, trainable].map(|set| ["--set", set]).concat();
        let output = train(dir.path(), &[&["--out", out][..], &sets].concat());
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let file = dir
            .path()
            .join(out)
            .join("diffusion_pytorch_model.safetensors");
        let tensors = candle_core::safetensors::load(file, &Device::Cpu).unwrap();
        tensors.into_iter().collect::<BTreeMap<String, Tensor>>()
    };
    let half = trained("half", "steps=2", "trainable=['decoder.*']");
    let other = trained("other", "steps=4", "trainable=['decoder.*']");
    let whole = trained("whole", "steps=2", "trainable=['*']");
    assert!(half.keys().eq(whole.keys()));
    let flat = |x: &Tensor| -> Vec<f32> {
        let x = x.to_dtype(candle_core::DType::F32).unwrap();
        x.flatten_all().unwrap().to_vec1().unwrap()
    };
    let moved = |a: &BTreeMap<String, Tensor>, b: &BTreeMap<String, Tensor>, name: &str| {
        flat(&a[name]) != flat(&b[name])
    };
    let (frozen, learnt) = ("encoder.conv_in.weight", "decoder.conv_in.weight");
    assert!(!moved(&half, &other, frozen) && moved(&half, &whole, frozen));
    assert!(moved(&half, &other, learnt));
}

#[test]
fn mistakes_of_a_training_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let told = |arguments: &[&str]| {
        let output = train(dir.path(), arguments);
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        stderr(&output)
    };
    assert!(told(&["--set", "optimizer.clip=0"]).contains("`clip` must be above 0"));
    assert!(told(&["--set", "network.norm_num_groups=3"]).contains("norm_num_groups"));
    assert!(told(&["--set", "settings.l3=1"]).contains("l3"));
    // A folder with another training is not overwritten, unless told to.
    let first = train(dir.path(), &["--out", "a", "--set", "steps=2"]);
    assert_eq!(first.status.code(), Some(0), "{}", stderr(&first));
    assert!(told(&["--out", "a", "--set", "steps=3"]).contains("another definition"));
    let anew = train(dir.path(), &["--out", "a", "--set", "steps=3", "--restart"]);
    assert_eq!(anew.status.code(), Some(0), "{}", stderr(&anew));
    // A learning rate that blows the weights up ends the training with the step.
    let wild = train(
        dir.path(),
        &[
            "--out",
            "wild",
            "--set",
            "optimizer.learning_rate=1e30",
            "--set",
            "optimizer.warmup=0",
        ],
    );
    assert_eq!(wild.status.code(), Some(1), "{}", stderr(&wild));
    assert!(stderr(&wild).contains("is not finite"), "{}", stderr(&wild));
    fs::write(dir.path().join("a/training.json"), "{").unwrap();
    assert!(told(&["--out", "a", "--set", "steps=3"]).contains("training.json"));
}

#[test]
fn a_training_begins_as_another_one() {
    let dir = tempfile::tempdir().unwrap();
    tiny(dir.path());
    let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
    let plan = |name: &str| {
        unigauge(dir.path())
            .args(["train", name, "--dry-run", "--seed", "7"])
            .output()
            .unwrap()
    };
    write(
        "wide.toml",
        "base = \"./tiny.toml\"\nname = \"wide\"\ntitle = \"Wide\"\nsteps = 20\n\n[network]\nlatent_channels = 5\n",
    );
    let output = plan("wide.toml");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let shown: toml::Table = toml::from_str(&String::from_utf8(output.stdout).unwrap()).unwrap();
    let same: toml::Table = toml::from_str(&fs::read_to_string(tiny(dir.path())).unwrap()).unwrap();
    assert_eq!(shown["name"].as_str(), Some("wide-seed7"));
    assert_eq!(shown["seed"].as_integer(), Some(7));
    assert_eq!(shown["steps"].as_integer(), Some(20));
    assert_eq!(shown["batch"], same["batch"]);
    assert_eq!(shown["network"]["latent_channels"].as_integer(), Some(5));
    assert_eq!(
        shown["network"]["block_out_channels"],
        same["network"]["block_out_channels"]
    );
    assert_eq!(shown["settings"]["kl"], same["settings"]["kl"]);
    assert!(!shown.contains_key("base"), "the definition is whole");

    write("nameless.toml", "base = \"./tiny.toml\"\n");
    write("lost.toml", "base = \"mini-vea\"\nname = \"lost\"\n");
    write("round.toml", "base = \"./round.toml\"\nname = \"round\"\n");
    write(
        "wrong.toml",
        "base = \"./tiny.toml\"\nname = \"wrong\"\n\n[optimizer]\nwarmpu = 1\n",
    );
    for (name, message) in [
        ("nameless.toml", "the key `name` is missing"),
        ("lost.toml", "did you mean `mini-vae`?"),
        ("round.toml", "are based on each other"),
        ("wrong.toml", "wrong.toml:5:1: unknown key `warmpu`"),
    ] {
        let output = plan(name);
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        assert!(stderr(&output).contains(message), "{}", stderr(&output));
    }
}
