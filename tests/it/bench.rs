//! `unigauge bench model`: sizes small enough to test, results as a user reads them.

use crate::support::{stderr, unigauge};
use serde_json::Value;

/// A configuration cut down to a size that takes no time.
fn tiny(dir: &std::path::Path, network: &str) -> String {
    let golden = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/parity");
    let case = match network {
        "bagel" => "bagel_llm",
        "flux" => "flux_transformer",
        "flux-vae" => "flux_vae",
        "sd-unet" => "sd_unet",
        "sd3" => "sd3_transformer",
        "qwen3-vl" => "qwen3_vl",
        "siglip" => "siglip_vision",
        _ => "qwen2_5_vl",
    };
    let path = dir.join(format!("{network}.json"));
    let config = match network {
        "qwen-image" => golden.join("qwen_image/checkpoint/transformer/config.json"),
        _ => golden.join(case).join("checkpoint/config.json"),
    };
    std::fs::copy(config, &path).unwrap();
    path.display().to_string()
}

#[test]
fn every_network_is_timed_by_phase() {
    let dir = tempfile::tempdir().unwrap();
    for (network, size, phases) in [
        (
            "bagel",
            "64x32",
            &["decode", "prefill", "step", "vision"][..],
        ),
        ("flux", "64x32", &["step"]),
        ("flux-vae", "64x32", &["decode", "encode"]),
        ("sd-unet", "64x48", &["step"]),
        ("sd3", "64x48", &["step"]),
        ("siglip", "64x32", &["forward"]),
        ("qwen3-vl", "64x32", &["decode", "prefill", "vision"]),
        ("qwen2.5-vl", "112x56", &["decode", "prefill", "vision"]),
        ("qwen-image", "64x32", &["step"]),
    ] {
        let config = tiny(dir.path(), network);
        let output = unigauge(dir.path())
            .args(["--json", "bench", "model", network, "--config", &config])
            .args([
                "--device",
                "cpu",
                "--size",
                size,
                "--text-tokens",
                "8",
                "--new-tokens",
                "5",
            ])
            .args(["--repeats", "2", "--warmup", "0", "--out", "result.json"])
            .assert()
            .success();
        let report: Value = serde_json::from_slice(&output.get_output().stdout).unwrap();
        assert_eq!(report["dtype"], "f32");
        assert!(report["parameters"].as_u64().unwrap() > 1000);
        let named: Vec<&String> = report["phases"].as_object().unwrap().keys().collect();
        assert_eq!(named, phases, "{network}");
        for phase in report["phases"].as_object().unwrap().values() {
            let second = |key: &str| phase[key].as_f64().unwrap();
            assert!(0.0 < second("min") && second("min") <= second("median"));
            assert!(second("median") <= second("max"));
        }
        if network.starts_with("qwen") && phases.contains(&"decode") {
            // Every new token but the first.
            assert_eq!(report["phases"]["decode"]["n"], 4);
        }
        let file = std::fs::read_to_string(dir.path().join("result.json")).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&file).unwrap(), report);
    }
}

/// A picture of several steps takes longer than one of them, and pictures at a time are tokens at a time.
#[test]
fn whole_pictures_and_several_at_a_time_are_timed() {
    let dir = tempfile::tempdir().unwrap();
    let timed = |network: &str, args: &[&str]| -> Value {
        let config = tiny(dir.path(), network);
        let output = unigauge(dir.path())
            .args(["--json", "bench", "model", network, "--config", &config])
            .args(["--device", "cpu", "--size", "64x32", "--text-tokens", "8"])
            .args(["--repeats", "1", "--warmup", "0"])
            .args(args)
            .assert()
            .success();
        serde_json::from_slice(&output.get_output().stdout).unwrap()
    };
    let flux = timed("flux", &["--steps", "3"]);
    assert_eq!(flux["shapes"]["steps"], 3);
    assert_eq!(flux["phases"]["picture"]["n"], 1);
    let siglip = timed("siglip", &["--batch", "3"]);
    assert_eq!(siglip["shapes"]["batch"], 3);
    let seconds = siglip["phases"]["forward"]["median"].as_f64().unwrap();
    let tokens = siglip["tokens_per_second"]["forward"].as_f64().unwrap() * seconds;
    let patches = siglip["shapes"]["patches"].as_f64().unwrap();
    assert!((tokens - 3.0 * patches).abs() < 1e-6 * tokens);
}

#[test]
fn what_cannot_be_timed_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let refused = |args: &[&str], word: &str| {
        let output = unigauge(dir.path())
            .args(["bench", "model"])
            .args(args)
            .args(["--device", "cpu"])
            .assert()
            .code(2);
        let said = stderr(output.get_output());
        assert!(said.contains(word), "{said}");
    };
    refused(&["flu"], "did you mean `flux`?");
    refused(&["flux", "--size", "100x64"], "100 pixels");
    refused(&["flux", "--size", "64"], "1024x768");
    refused(&["siglip", "--batch", "0"], "1 or more");
    let config = dir.path().join("config.json");
    std::fs::write(&config, "{\"block_out_channels\": [4]}").unwrap();
    refused(&["flux-vae", "--config", "config.json"], "layers_per_block");
    refused(&["flux-vae", "--config", "absent.json"], "absent.json");
}
