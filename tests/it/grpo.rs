//! Reinforcement learning of the shipped X-Omni: a few steps, what they leave, and how they go on after an
//! interruption.

use crate::parity::copy_into;
use crate::support::{lines, stderr, unigauge};
use candle_core::{DType, Device, Tensor};
use image::RgbImage;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use unigauge::cancel::Cancel;
use unigauge::model::weights::{Files, load};
use unigauge::model::xomni::{XOmniAr, XOmniConfig};
use unigauge::record::Item;
use unigauge::train::objective::{AdvantageSettings, Advantages, Combine, Missing, Scale};
use unigauge::train::{
    Outcome, Place, Scored, Scores, TrainError, TrainingChange, train, training,
};

fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A reward of a picture alone.
#[derive(Clone, Copy)]
struct OfPicture {
    fingerprint: &'static str,
    reward: fn(&RgbImage) -> Option<f64>,
}

impl Scores for OfPicture {
    fn fingerprint(&self) -> String {
        self.fingerprint.into()
    }

    fn is_relative(&self) -> bool {
        false
    }

    fn score(
        &self,
        items: &[Item],
        pictures: &[Vec<RgbImage>],
    ) -> Result<Vec<Vec<Scored>>, TrainError> {
        assert_eq!(items.len(), pictures.len());
        let scored = |picture: &RgbImage| {
            let reward = (self.reward)(picture);
            let errors = match reward {
                Some(_) => Vec::new(),
                None => vec![("eye".into(), "it sees nothing".into())],
            };
            Scored {
                reward,
                parts: reward
                    .map(|reward| ("red".into(), reward))
                    .into_iter()
                    .collect(),
                errors,
            }
        };
        let groups = pictures.iter();
        Ok(groups
            .map(|group| group.iter().map(scored).collect())
            .collect())
    }
}

/// The mean of the red channel, which differs from picture to picture.
fn red(picture: &RgbImage) -> Option<f64> {
    let sum: f64 = picture.pixels().map(|pixel| f64::from(pixel.0[0])).sum();
    Some(sum / (255.0 * f64::from(picture.width() * picture.height())))
}

const RED: OfPicture = OfPicture {
    fingerprint: "red",
    reward: red,
};

/// Two prompts of four drawings, and small checks.
const SMALL: [&str; 8] = [
    "batch=2",
    "save_every=1000",
    "optimizer.warmup=0",
    "settings.group=4",
    "settings.decode.num_inference_steps=2",
    "settings.check={prompts=1, drawings=2}",
    "settings.pictures_every=2",
    "settings.prompts.signs=0.5",
];

/// Some steps of the committed definition into a folder, over the shipped checkpoints.
fn run(folder: &Path, more: &[&str], scores: OfPicture, until: u64) -> Result<Outcome, TrainError> {
    let set: Vec<String> = SMALL
        .iter()
        .filter(|set| {
            let key = set.split('=').next().unwrap();
            !more.iter().any(|more| more.starts_with(&format!("{key}=")))
        })
        .chain(more)
        .map(|set| (*set).to_owned())
        .collect();
    let change = TrainingChange {
        set: &set,
        ..TrainingChange::default()
    };
    let path = root("configs/training/mini-xomni-grpo.toml");
    let training = training(path.to_str().unwrap(), Path::new(""), change).unwrap();
    let place = Place {
        folder,
        beside: folder.parent().unwrap(),
        device: &Device::Cpu,
        cancel: &Cancel::default(),
        restart: false,
        until,
        shipped: &|name| Ok(Some(root("shipped").join(name))),
        rewards: &|name| {
            assert_eq!(name, "mini");
            Ok(Box::new(scores))
        },
        on: &|_| {},
    };
    train(&training, &place)
}

fn weights(folder: &Path) -> Vec<u8> {
    fs::read(folder.join("xomni/model.safetensors")).unwrap()
}

/// Whether the policy of a folder is still the shipped one.
fn is_shipped(folder: &Path) -> bool {
    let tensors = |folder: &Path| {
        let path = folder.join("xomni/model.safetensors");
        candle_core::safetensors::load(path, &Device::Cpu).unwrap()
    };
    let flat = |tensor: &Tensor| -> Vec<f32> {
        let tensor = tensor.to_dtype(DType::F32).unwrap();
        tensor.flatten_all().unwrap().to_vec1().unwrap()
    };
    let (own, shipped) = (
        tensors(folder),
        tensors(&root("shipped/mini-xomni-decoder")),
    );
    assert_eq!(own.len(), shipped.len());
    own.iter()
        .all(|(name, tensor)| flat(tensor) == flat(&shipped[name]))
}

/// The steps of a curve, without the checks.
fn steps(folder: &Path) -> Vec<Value> {
    let mut lines = lines(&folder.join("curve.jsonl"));
    lines.retain(|line| line["loss"].is_number());
    lines
}

#[test]
fn two_steps_move_the_policy_and_leave_a_checkpoint_a_curve_and_pictures() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("policy");
    let more = ["steps=2", "settings.prompts.signs=0.0"];
    let outcome = run(&folder, &more, RED, u64::MAX).unwrap();
    let Outcome::Complete(record) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(record["foundations"]["settings.reward"], "red");
    for name in [
        "strict",
        "exact",
        "exact_position",
        "exact_other_eyes",
        "right_signs",
        "text_signs",
    ] {
        let share = record["checked"][name].as_f64().unwrap();
        assert!((0.0..=1.0).contains(&share), "{name}: {record}");
    }
    let curve = steps(&folder);
    assert_eq!(curve.len(), 2);
    for step in &curve {
        for name in [
            "reward",
            "best",
            "part_red",
            "zero_std",
            "entropy",
            "things",
            "codes_kept",
            "gradient",
        ] {
            assert!(step[name].is_number(), "{name}: {step}");
        }
        assert_eq!(step["zero_std"], 0.0);
        assert_eq!(step["missing"], 0.0);
        assert!(step["best"].as_f64() > step["reward"].as_f64());
        // A single update of each drawing: the policy is the one that drew.
        assert_eq!(step["ratio_max"], 1.0);
    }
    // The policy begins as its reference and moves away.
    let kl = |step: &Value| step["kl"].as_f64().unwrap();
    assert!(
        kl(&curve[0]).abs() < 1e-4 && kl(&curve[1]) > 1e-5,
        "{curve:?}"
    );
    assert!(!is_shipped(&folder));

    let sheet = image::open(folder.join("rollouts/step-000002.png")).unwrap();
    assert_eq!((sheet.width(), sheet.height()), (4 * 34 - 2, 2 * 34 - 2));
    let rows: Value =
        serde_json::from_slice(&fs::read(folder.join("rollouts/step-000002.json")).unwrap())
            .unwrap();
    assert_eq!(rows["rows"].as_array().unwrap().len(), 2);
    assert_eq!(rows["rows"][1]["rewards"].as_array().unwrap().len(), 4);
    assert!(!folder.join("rollouts/step-000001.png").exists());

    // All of X-Omni is there.
    for file in [
        "xomni/vq.safetensors",
        "xomni/diffusers/config.json",
        "flux/vae/config.json",
        "flux/tokenizer_2/tokenizer.json",
    ] {
        assert!(folder.join(file).is_file(), "{file}");
    }
    XOmniConfig::read(&folder.join("xomni"))
        .unwrap()
        .vision()
        .unwrap();
}

#[test]
fn an_interrupted_training_goes_on_to_equal_bytes() {
    let dir = tempfile::tempdir().unwrap();
    for (name, more, stop, rests) in [
        ("once", &["steps=4"][..], 2, 2),
        // The drawings are used twice: it rests only after the second time.
        ("twice", &["steps=4", "settings.inner=2"][..], 1, 2),
        (
            "best",
            &["steps=4", "settings.method=\"best-of-n\""][..],
            3,
            3,
        ),
    ] {
        let (whole, stopped) = (
            dir.path().join(format!("{name}-whole")),
            dir.path().join(format!("{name}-stopped")),
        );
        run(&whole, more, RED, u64::MAX).unwrap();
        let outcome = run(&stopped, more, RED, stop).unwrap();
        assert_eq!(outcome, Outcome::Interrupted { step: rests }, "{name}");
        run(&stopped, more, RED, u64::MAX).unwrap();
        assert_eq!(weights(&whole), weights(&stopped), "{name}");
        let numbers = |folder: &Path| -> Vec<Value> {
            let mut steps = steps(folder);
            for step in &mut steps {
                let step = step.as_object_mut().unwrap();
                step.retain(|name, _| !name.starts_with("seconds_"));
            }
            steps
        };
        assert_eq!(numbers(&whole), numbers(&stopped), "{name}");
        if name == "twice" {
            let curve = steps(&whole);
            assert!(curve[0]["reward"].is_number() && curve[1]["reward"].is_null());
            assert_ne!(curve[1]["ratio_max"], 1.0);
            // Drawings are made in steps 1 and 3, and shown as those of steps 2 and 4.
            for step in [2, 4] {
                let sheet = whole.join(format!("rollouts/step-00000{step}.png"));
                assert!(sheet.is_file(), "{}", sheet.display());
            }
        }
    }
}

#[test]
fn a_training_goes_on_only_with_the_reward_that_it_began_with() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("policy");
    run(&folder, &["steps=2"], RED, 1).unwrap();
    let other = OfPicture {
        fingerprint: "another red",
        ..RED
    };
    let error = run(&folder, &["steps=2"], other, u64::MAX).unwrap_err();
    assert!(matches!(error, TrainError::State { .. }));
    assert!(error.to_string().contains("`settings.reward`"), "{error}");
}

#[test]
fn a_training_goes_on_only_over_the_networks_that_it_began_with() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("policy");
    run(&folder, &["steps=2"], RED, 1).unwrap();
    let refused = |role: &str| {
        let error = run(&folder, &["steps=2"], RED, u64::MAX).unwrap_err();
        assert!(matches!(error, TrainError::State { .. }), "{error}");
        assert!(error.to_string().contains(role), "{error}");
    };
    // Networks beside the training come before the shipped ones.
    let begin = dir.path().join("mini-xomni-sft");
    copy_into(&root("shipped/mini-xomni-pretrain"), &begin);
    refused("`from.begin`");
    fs::remove_dir_all(&begin).unwrap();
    let system = dir.path().join("mini-xomni-decoder");
    copy_into(&root("shipped/mini-xomni-decoder"), &system);
    let vae = system.join("flux/vae/diffusion_pytorch_model.safetensors");
    let mut bytes = fs::read(&vae).unwrap();
    let low = bytes.len() - 2;
    bytes[low] ^= 1;
    fs::write(&vae, bytes).unwrap();
    refused("`from.system`");
    fs::remove_dir_all(&system).unwrap();
    run(&folder, &["steps=2"], RED, u64::MAX).unwrap();
}

#[test]
fn drawings_of_a_prompt_share_their_noise_and_it_is_new_in_every_step() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("policy");
    // So cold that all drawings of a prompt have the same codes; and of three captions, four are asked for.
    let more = [
        "steps=2",
        "settings.sampling.temperature=0.0001",
        "settings.pictures_every=1",
        "settings.prompts.signs=0.0",
        "settings.prompts.tasks={single_object=1, two_object=0, counting=0, colors=0, position=0, color_attr=0}",
    ];
    let even = OfPicture {
        reward: |_| Some(0.7),
        ..RED
    };
    run(&folder, &more, even, u64::MAX).unwrap();
    let mut seen: Vec<(Value, Value, Vec<u8>)> = Vec::new();
    let mut again = 0;
    for step in [1, 2] {
        let path = folder.join(format!("rollouts/step-00000{step}.json"));
        let said: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let sheet = image::open(path.with_extension("png")).unwrap().to_rgb8();
        for (row, asked) in (0..).zip(said["rows"].as_array().unwrap()) {
            let codes = asked["codes"].as_array().unwrap();
            let pictures: Vec<Vec<u8>> = (0..4)
                .map(|column| {
                    let part = image::imageops::crop_imm(&sheet, 34 * column, 34 * row, 32, 32);
                    part.to_image().into_raw()
                })
                .collect();
            for (own, picture) in codes.iter().zip(&pictures) {
                assert_eq!(*own, codes[0]);
                let apart = picture.iter().zip(&pictures[0]);
                let apart = apart.map(|(a, b)| a.abs_diff(*b)).max();
                // Rounding depends on the place in a batch.
                assert!(apart <= Some(2), "{apart:?}");
            }
            let (prompt, codes) = (asked["prompt"].clone(), codes[0].clone());
            for (other, others, picture) in &seen {
                if (other, others) == (&prompt, &codes) {
                    again += 1;
                    assert_ne!(*picture, pictures[0], "{prompt}");
                }
            }
            seen.push((prompt, codes, pictures[0].clone()));
        }
    }
    assert!(again > 0, "{:?}", seen.len());
}

#[test]
fn letters_of_signs_are_no_things_of_scenes() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("policy");
    let more = ["steps=1", "settings.prompts.signs=1.0"];
    run(&folder, &more, RED, u64::MAX).unwrap();
    let step = &steps(&folder)[0];
    assert!(
        step["things"].is_null() && step["reward"].is_number(),
        "{step}"
    );
}

#[test]
fn groups_without_differences_move_nothing_and_missing_rewards_end_the_training() {
    let dir = tempfile::tempdir().unwrap();
    let even = OfPicture {
        reward: |_| Some(0.7),
        ..RED
    };
    let folder = dir.path().join("even");
    run(&folder, &["steps=1"], even, u64::MAX).unwrap();
    let curve = steps(&folder);
    assert_eq!(curve[0]["zero_std"], 1.0);
    assert_eq!(curve[0]["loss"], 0.0);
    assert!(is_shipped(&folder));

    let blind = OfPicture {
        reward: |_| None,
        ..RED
    };
    let error = run(&dir.path().join("blind"), &["steps=1"], blind, u64::MAX).unwrap_err();
    let said = error.to_string();
    assert!(
        said.contains("100 % of the pictures have no reward"),
        "{said}"
    );
    assert!(said.contains("eye: it sees nothing (8 times)"), "{said}");
}

#[test]
fn settings_beyond_their_range_are_named() {
    let dir = tempfile::tempdir().unwrap();
    for (set, said) in [
        ("settings.group=1", "`settings.group` must be at least 2"),
        ("settings.inner=0", "`settings.inner` must be at least 1"),
        (
            "settings.max_missing=2.0",
            "`settings.max_missing` must be 0 to 1",
        ),
        ("settings.sampling.temperature=0.0", "`temperature` is 0"),
        (
            "settings.decode.cfg_scale=nan",
            "`settings.decode.cfg_scale` must be a number",
        ),
        ("settings.kl.estimator=\"k4\"", "k4"),
        ("settings.wheel=1", "wheel"),
        ("from.vlm=\"mini-qwen-vl\"", "`from.vlm`"),
    ] {
        let error = run(&dir.path().join("wrong"), &["steps=1", set], RED, u64::MAX).unwrap_err();
        assert!(error.to_string().contains(said), "{set}: {error}");
    }
}

/// As a user runs it, with the reward's own observers.
#[test]
fn the_command_trains_with_the_reward_of_the_miniature_world() {
    let dir = tempfile::tempdir().unwrap();
    let mut command = unigauge(dir.path());
    command.args([
        "train",
        "mini-xomni-grpo",
        "--device",
        "cpu",
        "--out",
        "policy",
    ]);
    for set in SMALL.iter().chain(&["steps=2"]) {
        command.args(["--set", set]);
    }
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let folder = dir.path().join("policy");
    let curve = steps(&folder);
    assert_eq!(curve.len(), 2);
    for step in &curve {
        let reward = step["reward"].as_f64().unwrap();
        assert!((0.0..=1.0).contains(&reward), "{step}");
        assert_eq!(step["missing"], 0.0);
    }
    assert!(folder.join("curve.svg").is_file());
    assert!(!folder.join("state.safetensors").exists());
}

/// The model `mini-xomni-rl` is the language model alone, beside the decoder of `mini-xomni`.
#[test]
fn the_shipped_policy_draws_with_the_shipped_decoder() {
    let (policy, before) = (
        root("shipped/mini-xomni-grpo"),
        root("shipped/mini-xomni-sft"),
    );
    let record: Value =
        serde_json::from_slice(&fs::read(policy.join("training.json")).unwrap()).unwrap();
    assert!(
        record["name"]
            .as_str()
            .unwrap()
            .starts_with("mini-xomni-grpo")
    );
    for file in [
        "config.json",
        "generation_config.json",
        "tokenizer.json",
        "tokenizer_config.json",
    ] {
        let bytes = |folder: &Path| fs::read(folder.join(file)).unwrap();
        assert_eq!(bytes(&policy), bytes(&before), "{file}");
    }
    let size: u64 = fs::read_dir(&policy)
        .unwrap()
        .map(|entry| entry.unwrap().metadata().unwrap().len())
        .sum();
    assert!(size < 5_000_000, "{size} bytes");

    let dir = tempfile::tempdir().unwrap();
    let pictures = |model: &str| {
        let run = ["generate", "mini-geneval", "--limit", "8", "--repeats", "1"];
        let mut command = unigauge(dir.path());
        command
            .args(run)
            .args(["--model", model, "--device", "cpu"]);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let run = format!("results/mini-geneval/{model}/seed0-limit8/outputs.jsonl");
        let made = lines(&dir.path().join(run));
        assert_eq!(made.len(), 8);
        let text = |line: &Value, key: &str| line[key].as_str().unwrap().to_owned();
        let sums = made
            .iter()
            .map(|line| (text(line, "item"), text(line, "sha256")));
        sums.collect::<BTreeMap<_, _>>()
    };
    assert_ne!(pictures("mini-xomni-rl"), pictures("mini-xomni"));
}

#[test]
fn a_prompt_that_is_read_once_continues_as_one_that_is_read_each_time() {
    let folder = root("tests/golden/parity/xomni_ar/checkpoint");
    let config = XOmniConfig::read(&folder).unwrap();
    let files = Arc::new(Files::open(&folder).unwrap());
    let model = load(&files, DType::F32, &Device::Cpu, |weights| {
        XOmniAr::new(&config, weights)
    })
    .unwrap();
    let first = config.vocab_size as u32;
    let prompt = [3, 17, 8, 90];
    let (single, _) = model.start(&prompt, 0).unwrap();
    let mut copies = single.repeat(3, 2).unwrap();
    assert!(copies.repeat(2, 0).is_err());
    let rows = [[1, 4], [9, 2], [30, 30]];
    let mut states = Vec::new();
    for step in 0..2 {
        let ids = rows.map(|row| first + row[step]);
        states.push(model.step(&ids, &mut copies).unwrap());
    }
    for (number, row) in rows.iter().enumerate() {
        let (mut alone, _) = model.start(&prompt, 2).unwrap();
        for (step, code) in row.iter().enumerate() {
            let state = model.step(&[first + code], &mut alone).unwrap();
            let own = states[step].narrow(0, number, 1).unwrap();
            let far: f32 = (own - state)
                .and_then(|far| far.abs()?.max_all()?.to_scalar())
                .unwrap();
            assert!(far < 2e-5, "{number} {step}: {far}");
        }
    }
}

#[test]
fn advantages_of_groups_of_one_and_of_unknown_rewards_are_nothing() {
    let settings = |missing| AdvantageSettings {
        weights: vec![1.0, 0.5],
        combine: Combine::Sum,
        scale: Scale::Group,
        ddof: 1,
        eps: 1e-4,
        limit: None,
        missing,
    };
    let nan = f64::NAN;
    let rewards = [
        // A group of one; one without differences; one with something missing; one that knows nothing.
        vec![1.0, 1.0],
        vec![0.7, 0.1],
        vec![0.7, 0.1],
        vec![1.0, nan],
        vec![0.0, 1.0],
        vec![0.5, 0.0],
        vec![nan, nan],
        vec![nan, nan],
    ];
    let groups = [0, 1, 1, 2, 2, 2, 3, 3];
    let zero = Advantages::new(&rewards, &groups, &settings(Missing::ZeroAdvantage));
    assert_eq!(zero.kept, [true; 8]);
    let drop = Advantages::new(&rewards, &groups, &settings(Missing::Drop));
    assert_eq!(
        drop.kept,
        [false, true, true, false, true, true, false, false]
    );
    for made in [&zero, &drop] {
        for row in [0, 1, 2, 6, 7] {
            assert_eq!(made.values[row], 0.0, "{row}");
        }
    }
    // The row that lacks a reward competes with a smaller sum, or not at all.
    assert!(zero.values[3] > 0.0 && drop.values[3] == 0.0);
    // Two whole rows of 0.5 each have no difference.
    assert_eq!((drop.values[4], drop.values[5]), (0.0, 0.0));
    // A component that no row of the group has does not apply to it.
    let rewards = [vec![1.0, nan], vec![0.0, nan]];
    let made = Advantages::new(&rewards, &[5, 5], &settings(Missing::Drop));
    assert_eq!(made.kept, [true, true]);
    assert!(made.values[0] > 0.7 && made.values[1] < -0.7);
}

/// What the parity case cannot show: the gradient of an update in which nothing counts is none.
#[test]
fn an_update_without_rows_has_no_loss() {
    use unigauge::train::objective::{LogProbs, LossMean, PolicySettings, Ratio, objective};
    let own = Tensor::zeros((2, 3), DType::F32, &Device::Cpu).unwrap();
    let mask = own.ones_like().unwrap();
    let scored = LogProbs {
        own: &own,
        old: None,
        reference: None,
        entropy: None,
        mask: &mask,
    };
    let advantages = Advantages {
        values: vec![1.0, -1.0],
        kept: vec![false, false],
    };
    for loss in [
        LossMean::SequenceMean,
        LossMean::TokenMean,
        LossMean::Constant,
        LossMean::SequenceSum,
    ] {
        let settings = PolicySettings {
            ratio: Ratio::Token,
            clip: [0.2, 0.28],
            dual_clip: Some(3.0),
            loss,
            kl: None,
            beta: 0.0,
            entropy: 0.0,
        };
        let made = objective(&scored, &advantages, &settings).unwrap();
        assert_eq!(made.loss.to_scalar::<f32>().unwrap(), 0.0, "{loss:?}");
        assert_eq!(made.clipped, [0.0, 0.0]);
    }
}
