//! The networks of the miniature world from nothing to a picture: every training for a few steps on tiny
//! sizes, each from the one before, and the generators on what comes out.

use crate::support::{lines, stderr, unigauge};
use candle_core::{DType, Device, Tensor};
use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::OnceLock;
use tempfile::TempDir;

fn train(dir: &Path, name: &str, sets: &[&str]) {
    let output = unigauge(dir)
        .args(["train", name, "--device", "cpu", "--quiet"])
        .args(sets.iter().flat_map(|set| ["--set", set]))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{name}: {}", stderr(&output));
}

const FEW: [&str; 3] = ["steps=3", "batch=4", "optimizer.warmup=1"];
const STAGES: [&str; 4] = [
    "steps=3",
    "batch=4",
    "optimizer.warmup=1",
    "settings.samples=8",
];

/// A folder with the checkpoints of all trainings up to stage 1.
pub(crate) fn chain() -> &'static Path {
    static CHAIN: OnceLock<TempDir> = OnceLock::new();
    let dir = CHAIN.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let at = dir.path();
        let vae = [
            "network.block_out_channels=[8, 8, 8]",
            "network.latent_channels=4",
        ];
        train(at, "mini-vae", &[&FEW[..], &vae].concat());
        train(
            at,
            "mini-qwen-vl",
            &[&STAGES[..], &["network.num_hidden_layers=1"]].concat(),
        );
        let flux = [
            "network.transformer.in_channels=16",
            "network.transformer.num_single_layers=1",
        ];
        train(at, "mini-flux", &[&STAGES[..], &flux].concat());
        train(at, "mini-uniworld-stage1", &STAGES);
        dir
    });
    dir.path()
}

fn tensors(file: &Path) -> HashMap<String, Tensor> {
    candle_core::safetensors::load(file, &Device::Cpu).unwrap()
}

fn same(a: &Tensor, b: &Tensor) -> bool {
    let flat = |x: &Tensor| -> Vec<f32> {
        let x = x.to_dtype(DType::F32).unwrap();
        x.flatten_all().unwrap().to_vec1().unwrap()
    };
    flat(a) == flat(b)
}

#[test]
fn stage_1_changes_its_projector_and_nothing_else() {
    let checkpoints = chain().join("checkpoints");
    let own = tensors(&checkpoints.join("mini-uniworld-stage1/uniworld/model.safetensors"));
    let vlm = tensors(&checkpoints.join("mini-qwen-vl/model.safetensors"));
    let flux =
        tensors(&checkpoints.join("mini-flux/transformer/diffusion_pytorch_model.safetensors"));
    for (name, tensor) in &vlm {
        assert!(same(tensor, &own[name]), "{name}");
    }
    for (name, tensor) in &flux {
        assert!(
            same(tensor, &own[&format!("denoise_tower.denoiser.{name}")]),
            "{name}"
        );
    }
    // The projector's four tensors are all that is new.
    assert_eq!(own.len(), vlm.len() + flux.len() + 4);
    let record = fs::read(checkpoints.join("mini-uniworld-stage1/training.json")).unwrap();
    let record: serde_json::Value = serde_json::from_slice(&record).unwrap();
    let projector: usize = own
        .iter()
        .filter(|(name, _)| name.contains("denoise_projector"))
        .map(|(_, tensor)| tensor.elem_count())
        .sum();
    assert_eq!(record["parameters"], projector);
}

#[test]
fn generators_make_pictures_of_trained_checkpoints() {
    let dir = chain();
    let model = |name: &str, from: &str, more: &str| {
        let definition = format!("configs/models/{from}.toml");
        let definition = Path::new(env!("CARGO_MANIFEST_DIR")).join(definition);
        let text = fs::read_to_string(definition).unwrap();
        let text = text
            .replace(&format!("shipped:{from}"), &format!("checkpoints/{name}"))
            .replace(
                &format!("checkpoints/{from}\""),
                &format!("checkpoints/{name}\""),
            )
            .replace(&format!("name = \"{from}\""), &format!("name = \"{name}\""))
            .replace("num_inference_steps = 16", "num_inference_steps = 2");
        fs::write(dir.join(format!("{name}.toml")), text + more).unwrap();
        name.to_owned()
    };
    let flux = model("mini-flux", "mini-flux", "");
    let without = "reference = { encoder = \"none\" }\n";
    let stage1 = model("mini-uniworld-stage1", "mini-uniworld", without);
    for (suite, name) in [
        ("mini-geneval", &flux),
        ("mini-geneval", &stage1),
        ("mini-edit", &stage1),
    ] {
        let model = format!("{name}.toml");
        let output = unigauge(dir)
            .args([
                "run", suite, "--model", &model, "--limit", "2", "--run", "trial",
            ])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let folder = dir.join("results").join(suite).join(name).join("trial");
        let outputs = lines(&folder.join("outputs.jsonl"));
        assert_eq!(outputs.len(), 2);
        assert!(
            outputs.iter().all(|line| line["error"].is_null()),
            "{outputs:?}"
        );
    }
}

/// With the language model's eyes shut and no reference encoder, pictures depend on the words alone.
#[test]
fn an_ablated_model_does_not_see_what_it_edits() {
    let dir = chain();
    let definition =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("configs/models/mini-uniworld.toml");
    let text = fs::read_to_string(definition).unwrap();
    let checkpoint = text
        .lines()
        .find(|line| line.starts_with("checkpoint"))
        .unwrap();
    let text = text.replace(
        checkpoint,
        "checkpoint = \"checkpoints/mini-uniworld-stage1\"",
    );
    fs::write(
        dir.join("pair.toml"),
        "name = 'pair'\nversion = '1'\ntitle = 'Pair'\ntask = 'edit'\nobservers = ['world']\n\n[items]\nfile = 'a.jsonl'\n\n\
         [items.map]\nimages = 'images'\n\n[grade]\nrule = 'object-edit'\n",
    )
    .unwrap();
    // One instruction over two pictures, with one seed.
    for (picture, corner) in [("a", 2), ("b", 20)] {
        let mut pixels = image::RgbImage::from_pixel(32, 32, image::Rgb([128; 3]));
        for (x, y) in (0..4).flat_map(|x| (0..4).map(move |y| (x, y))) {
            pixels.put_pixel(corner + x, corner + y, image::Rgb([220, 30, 30]));
        }
        pixels.save(dir.join(format!("{picture}.png"))).unwrap();
        let item = serde_json::json!({
            "id": "one", "prompt": "remove the circle", "images": [format!("{picture}.png")],
        });
        fs::write(dir.join(format!("{picture}.jsonl")), item.to_string()).unwrap();
    }
    let pictures = |name: &str, more: &str| -> [Vec<u8>; 2] {
        let text = text
            .replace("name = \"mini-uniworld\"", &format!("name = \"{name}\""))
            .replace("num_inference_steps = 16", "num_inference_steps = 2");
        let text = text + "reference = { encoder = \"none\" }\n" + more;
        fs::write(dir.join(format!("{name}.toml")), text).unwrap();
        ["a", "b"].map(|picture| {
            let output = unigauge(dir)
                .args(["generate", "./pair.toml", "--run", picture])
                .args(["--items", &format!("{picture}.jsonl")])
                .args(["--model", &format!("{name}.toml")])
                .output()
                .unwrap();
            assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
            let run = dir.join("results/pair").join(name).join(picture);
            let outputs = lines(&run.join("outputs.jsonl"));
            fs::read(run.join(outputs[0]["file"].as_str().unwrap())).unwrap()
        })
    };
    let [a, b] = pictures("seeing", "");
    assert!(a != b);
    let [a, b] = pictures("blind", "vlm_sees_images = false\n");
    assert!(a == b);
}

#[test]
fn a_training_is_verified_by_its_curve() {
    let dir = chain();
    let verify = |sets: &[&str]| {
        unigauge(dir)
            .args([
                "train",
                "mini-flux",
                "--device",
                "cpu",
                "--quiet",
                "--verify",
            ])
            .args(sets.iter().flat_map(|set| ["--set", set]))
            .output()
            .unwrap()
    };
    let flux = [
        "network.transformer.in_channels=16",
        "network.transformer.num_single_layers=1",
    ];
    let sets = [&STAGES[..], &flux].concat();
    let output = verify(&sets);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(
        String::from_utf8_lossy(&output.stdout)
            .contains("the first 3 steps go as those of checkpoints/mini-flux")
    );
    // Another seed is another training.
    let output = verify(&[&sets[..], &["seed=2", "optimizer.learning_rate=0.5"]].concat());
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    assert!(String::from_utf8_lossy(&output.stdout).contains("differs"));
}

#[test]
fn a_checkpoint_that_a_training_begins_from_is_asked_for_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let run = |set: &str, code: i32| {
        let output = unigauge(dir.path())
            .args(["train", "mini-uniworld-stage1", "--device", "cpu"])
            .args(["--set", set])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
        stderr(&output)
    };
    let told = run("from.vlm='no-such'", 6);
    assert!(told.contains("`from.vlm` = \"no-such\""), "{told}");
    assert!(told.contains("train it first"), "{told}");
    let told = run("from.refrence='mini-siglip'", 2);
    assert!(
        told.contains("`vlm`, `flux`, `reference`, `begin`"),
        "{told}"
    );
}

#[test]
fn captions_of_no_task_are_a_mistake() {
    let none = "settings.tasks={ single_object = 0, two_object = 0, counting = 0, colors = 0, position = 0, color_attr = 0 }";
    let dir = tempfile::tempdir().unwrap();
    let output = unigauge(dir.path())
        .args([
            "train",
            "mini-uniworld-stage1",
            "--device",
            "cpu",
            "--set",
            none,
        ])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(
        stderr(&output).contains("at least one of `tasks` must be more than 0"),
        "{}",
        stderr(&output)
    );
}
