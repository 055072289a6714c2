//! Released checkpoints before they are here: their tensors by configuration, their files by a hub's listing.

use crate::http::{Reply, Seen, Server};
use crate::support::{stderr, unigauge};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs;

fn keys(model: &str, more: &[&str]) -> Vec<Value> {
    let dir = tempfile::tempdir().unwrap();
    let output = unigauge(dir.path())
        .args(["--json", "check", model, "--keys"])
        .args(more)
        .assert()
        .success();
    serde_json::from_slice(&output.get_output().stdout).unwrap()
}

fn counts(keys: &[Value]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for key in keys {
        *counts
            .entry(key["network"].as_str().unwrap().to_owned())
            .or_default() += 1;
    }
    counts
}

// The counts of the checkpoints' own indices: 390 + 339 + 1160 + 12 = 1901 for UniWorld-V1 (its
// `vae_projector` is stored and never used), 729 for Qwen2.5-VL-7B, 1160 for FLUX.1-dev, 780 in its authors'
// layout.
#[test]
fn released_checkpoints_have_their_published_numbers_of_tensors() {
    let uniworld = keys("uniworld-v1", &[]);
    let own: Vec<Value> = uniworld
        .iter()
        .filter(|key| key["file"] == "uniworld")
        .cloned()
        .collect();
    assert_eq!(own.len(), 1901);
    let by = counts(&own);
    assert_eq!(by["visual"], 390);
    assert_eq!(by["language model"], 339);
    assert_eq!(by["FLUX transformer"], 1160);
    for projector in ["denoise_projector", "siglip_projector", "vae_projector"] {
        assert_eq!(by[projector], 4);
    }
    let unused = own.iter().filter(|key| key["used"] == false);
    assert_eq!(unused.count(), 4);
    let shape = |name: &str| {
        let found = own.iter().find(|key| key["name"] == name);
        found.unwrap_or_else(|| panic!("{name}"))["shape"].clone()
    };
    assert_eq!(
        shape("denoise_tower.denoise_projector.0.weight"),
        json!([12288, 3584])
    );
    assert_eq!(
        shape("denoise_tower.vae_projector.2.weight"),
        json!([4096, 3072])
    );
    assert_eq!(shape("visual.merger.mlp.2.weight"), json!([3584, 5120]));
    assert_eq!(shape("lm_head.weight"), json!([152064, 3584]));

    assert_eq!(keys("qwen2.5-vl-7b", &[]).len(), 390 + 339);
    let sd = counts(&keys("stable-diffusion-1.5", &[]));
    assert_eq!(
        (sd["UNet"], sd["VAE"], sd["CLIP text encoder"]),
        (686, 248, 196)
    );
    for name in ["sdxl", "sdxl-turbo"] {
        let sdxl = counts(&keys(name, &[]));
        assert_eq!((sdxl["UNet"], sdxl["VAE"]), (1680, 248));
        assert_eq!(sdxl["CLIP text encoder"], 196);
        assert_eq!(sdxl["second CLIP text encoder"], 517);
    }
    assert_eq!(counts(&keys("flux-1-dev", &[]))["FLUX transformer"], 1160);
    let bfl = keys("flux-1-dev", &["--layout", "bfl"]);
    assert_eq!(counts(&bfl)["FLUX transformer"], 780);
    let linear1 = bfl
        .iter()
        .find(|key| key["name"] == "single_blocks.37.linear1.weight");
    assert_eq!(linear1.unwrap()["shape"], json!([21504, 3072]));
}

// 32 tensors in each of 60 blocks and 13 around them: 1933 in the index of the transformer. The autoencoder has
// 194, of which 8 act on time alone. The language model has 729 with its eyes, of which `lm_head` is not used.
#[test]
fn qwen_image_has_1933_tensors_in_its_transformer() {
    for name in [
        "qwen-image",
        "qwen-image-edit",
        "qwen-image-edit-2509",
        "qwen-image-edit-2511",
    ] {
        let all = keys(name, &[]);
        let by = counts(&all);
        assert_eq!(by["Qwen-Image transformer"], 1933, "{name}");
        assert_eq!(by["VAE decoder"], 104, "{name}");
        if name == "qwen-image" {
            assert_eq!(by["Qwen2.5-VL"], 338);
            assert_eq!(by.get("VAE encoder"), None);
        } else {
            assert_eq!((by["visual"], by["language model"]), (390, 338), "{name}");
            assert_eq!(by["VAE encoder"], 82, "{name}");
        }
        let own = all
            .iter()
            .filter(|key| key["network"] == "Qwen-Image transformer");
        let parameters: u64 = own
            .map(|key| {
                let shape = key["shape"].as_array().unwrap();
                let sides = shape.iter().map(|side| side.as_u64().unwrap());
                sides.product::<u64>()
            })
            .sum();
        // The number of the specification.
        assert_eq!(parameters, 20_430_401_088, "{name}");
    }
}

// 784 tensors in the layers of the decoder, 4 around them, 426 of the eyes with their connector, and the 9
// through which latents come and go: 1223 in `ema.safetensors`. 244 are in `ae.safetensors`.
#[test]
fn bagel_has_1223_tensors_and_its_autoencoder_244() {
    let all = keys("bagel", &[]);
    let in_file = |file: &str| all.iter().filter(|key| key["file"] == file).count();
    assert_eq!(in_file("ema.safetensors"), 1223);
    assert_eq!(in_file("ae.safetensors"), 244);
    assert_eq!(all.len(), 1223 + 244);
    let by = counts(&all);
    assert_eq!(by["decoder"], 784 + 4);
    assert_eq!(by["SigLIP NaViT"], 421);
    assert_eq!(by["connector"], 5);
    assert_eq!((by["VAE encoder"], by["VAE decoder"]), (106, 138));
    let parameters = |file: &str| -> u64 {
        let own = all.iter().filter(|key| key["file"] == file);
        own.map(|key| {
            let shape = key["shape"].as_array().unwrap();
            shape
                .iter()
                .map(|side| side.as_u64().unwrap())
                .product::<u64>()
        })
        .sum()
    };
    // The numbers of the specification.
    assert_eq!(parameters("ema.safetensors"), 14_607_260_128);
    assert_eq!(parameters("ae.safetensors"), 83_819_683);
    let shape = |name: &str| {
        let found = all.iter().find(|key| key["name"] == name);
        found.unwrap_or_else(|| panic!("{name}"))["shape"].clone()
    };
    for (name, sides) in [
        (
            "language_model.model.layers.27.mlp_moe_gen.down_proj.weight",
            json!([3584, 18944]),
        ),
        (
            "language_model.model.layers.0.self_attn.k_norm_moe_gen.weight",
            json!([128]),
        ),
        (
            "vit_model.vision_model.embeddings.patch_embedding.weight",
            json!([1152, 588]),
        ),
        ("latent_pos_embed.pos_embed", json!([4096, 3584])),
        ("vit_pos_embed.pos_embed", json!([4900, 3584])),
        (
            "decoder.up.0.block.0.nin_shortcut.weight",
            json!([128, 256, 1, 1]),
        ),
        ("encoder.mid.attn_1.q.weight", json!([512, 512, 1, 1])),
    ] {
        assert_eq!(shape(name), sides, "{name}");
    }
}

#[test]
fn a_model_is_checked_without_its_checkpoint() {
    let dir = tempfile::tempdir().unwrap();
    let output = unigauge(dir.path())
        .args(["--offline", "check", "qwen2.5-vl-7b", "--device", "cpu"])
        .assert()
        .code(6);
    let text = String::from_utf8_lossy(&output.get_output().stdout).into_owned();
    for expected in [
        "repository Qwen/Qwen2.5-VL-7B-Instruct @ cc594898137f460bfe9f0759e9844b3ce807cfb5, licence: Apache-2.0",
        "sizes: unknown, since the network may not be used (offline)",
        // 8,292,166,656 parameters, the number on the model's page.
        "phase answer: 33.2 GB of weights",
    ] {
        assert!(text.contains(expected), "{expected}\n{text}");
    }
    unigauge(dir.path())
        .args(["check", "typeset", "--keys"])
        .assert()
        .code(2);
}

const WEIGHTS: &[u8] = b"these are weights";

/// A hub with one repository of four files.
fn hub(lie: bool) -> Server {
    Server::start(move |seen: &Seen, _| {
        let sha256: String = Sha256::digest(WEIGHTS)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        match seen.path.as_str() {
            "/api/models/o/tiny/revision/main?blobs=true" => Reply::json(
                "200 OK",
                &json!({"sha": "c0ffee", "tags": ["license:mit"], "siblings": [
                    {"rfilename": "config.json", "size": 2},
                    {"rfilename": "model.safetensors", "size": WEIGHTS.len(),
                        "lfs": {"sha256": sha256, "size": WEIGHTS.len()}},
                    {"rfilename": "../evil.json", "size": 2},
                    {"rfilename": "readme.md", "size": 9},
                ]}),
            ),
            "/o/tiny/resolve/c0ffee/config.json" => Reply::ok("{}"),
            "/o/tiny/resolve/c0ffee/model.safetensors" if lie => Reply::ok("those are weights"),
            "/o/tiny/resolve/c0ffee/model.safetensors" => Reply::ok(WEIGHTS),
            path => Reply::new("404 Not Found", path),
        }
    })
}

fn model(dir: &std::path::Path) -> String {
    let text = "name = \"tiny\"\ntitle = \"Tiny\"\ngenerator = \"qwen-vl\"\n\n[settings]\ncheckpoint = \"weights\"\n\n\
                [[repositories]]\nfolder = \"sub\"\nrepo = \"o/tiny\"\nrevision = \"main\"\nlicence = \"MIT\"\n\
                files = [\"*.json\", \"*.safetensors\"]\n";
    let path = dir.join("tiny.toml");
    fs::write(&path, text).unwrap();
    path.display().to_string()
}

#[test]
fn fetching_a_model_brings_its_files_once_and_keeps_to_the_commit() {
    let dir = tempfile::tempdir().unwrap();
    let (server, model) = (hub(false), model(dir.path()));
    let fetch = |more: &[&str]| {
        let mut command = unigauge(dir.path());
        command
            .args(["fetch", &model])
            .args(more)
            .env("HF_ENDPOINT", server.url(""))
            .env("UNIGAUGE_CACHE", dir.path().join("cache"));
        command.assert().success()
    };
    let dry = fetch(&["--dry-run"]);
    let text = String::from_utf8_lossy(&dry.get_output().stdout).into_owned();
    assert!(
        text.contains("o/tiny @ c0ffee (MIT): would fetch 2 of 2 files, 19 B"),
        "{text}"
    );
    assert!(
        !dir.path().join("weights").exists(),
        "a dry run writes nothing"
    );

    fetch(&[]);
    let folder = dir.path().join("weights/sub");
    assert_eq!(fs::read(folder.join("model.safetensors")).unwrap(), WEIGHTS);
    assert_eq!(fs::read(folder.join("config.json")).unwrap(), b"{}");
    assert!(!dir.path().join("weights/evil.json").exists());

    // Nothing is asked again; a lost file comes from the same commit.
    let asked = server.seen().len();
    fetch(&[]);
    assert_eq!(server.seen().len(), asked);
    fs::remove_file(folder.join("config.json")).unwrap();
    fetch(&[]);
    assert_eq!(server.seen().len(), asked + 1);
}

#[test]
fn weights_with_another_checksum_get_no_name() {
    let dir = tempfile::tempdir().unwrap();
    let (server, model) = (hub(true), model(dir.path()));
    let output = unigauge(dir.path())
        .args(["fetch", &model])
        .env("HF_ENDPOINT", server.url(""))
        .env("UNIGAUGE_CACHE", dir.path().join("cache"))
        .assert()
        .code(6);
    let said = stderr(output.get_output());
    assert!(said.contains("o/tiny/model.safetensors"), "{said}");
    assert!(said.contains("SHA-256"), "{said}");
    assert!(!dir.path().join("weights/sub/model.safetensors").exists());
}

/// The number on the page of Qwen3-VL-8B-Instruct, counted from its configuration alone.
#[test]
fn qwen3_vl_has_the_released_number_of_parameters() {
    let keys = keys("qwen3-vl-8b", &[]);
    let elements = keys.iter().map(|key| {
        let sides = key["shape"].as_array().unwrap().iter();
        sides.map(|side| side.as_u64().unwrap()).product::<u64>()
    });
    assert_eq!(elements.sum::<u64>(), 8_767_123_696);
}

#[test]
fn hours_on_common_cards_are_estimated_from_the_arithmetic() {
    let dir = tempfile::tempdir().unwrap();
    let check = |target: &str| {
        let output = unigauge(dir.path())
            .args(["--offline", "check", target, "--device", "cpu"])
            .env("UNIGAUGE_CACHE", dir.path().join("cache"))
            .assert()
            .code(6);
        String::from_utf8_lossy(&output.get_output().stdout).into_owned()
    };
    // 50 steps of two evaluations of 0.8 TFLOP, at a third of 65 TFLOP/s.
    let one = check("stable-diffusion-1.5");
    assert!(
        one.contains("1 output of 80 TFLOP each") && one.contains("T4 3.7 s (22)"),
        "{one}"
    );
    // Four steps without guidance.
    let turbo = check("sd3.5-large-turbo");
    assert!(turbo.contains("1 output of 124 TFLOP each"), "{turbo}");
    // 553 prompts with four pictures each, beside the files that are to be fetched.
    let study = check("reproduce-geneval");
    for expected in [
        "2212 outputs of 80 TFLOP each",
        "T4 2.3 h (22)",
        "2212 outputs of 676 TFLOP each",
        "nothing was measured",
        "repository stable-diffusion-v1-5/stable-diffusion-v1-5 @ 451f4fe16113bff5a5d2269ed5ad43b0592e9a14",
    ] {
        assert!(study.contains(expected), "{expected}\n{study}");
    }
}
