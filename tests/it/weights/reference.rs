//! The encoders of reference pictures that a UniWorld may have instead of SigLIP, as `check` lists them.

use super::*;
use crate::parity::copy_into;
use crate::uniworld::checkpoint;
use std::collections::BTreeSet;

/// A UniWorld with another reference encoder.
fn uniworld(dir: &Path, network: &str, settings: &str) -> PathBuf {
    let place = checkpoint(dir);
    let golden = root()
        .join("tests/golden/parity")
        .join(network)
        .join("checkpoint");
    let folder = place.join(if network == "radio" {
        "radio"
    } else {
        "dinov2"
    });
    copy_into(&golden, &folder);
    let text = format!(
        "name = \"own\"\ntitle = \"Own\"\ngenerator = \"uniworld\"\n\n[settings]\ncheckpoint = \"tiny\"\n\
         num_inference_steps = 2\nmax_sequence_length = 24\nsize = [32, 24]\nmin_pixels = 3136\nmax_pixels = 4704\n\
         reference = {{ {settings} }}\n"
    );
    fs::write(dir.join("own.toml"), text).unwrap();
    folder
}

fn keys(dir: &Path) -> Vec<Value> {
    let output = unigauge(dir)
        .args(["--json", "check", "own.toml", "--keys"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", said(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn dinov2_and_radio_are_listed_checked_and_counted() {
    let encoders = [
        ("dinov2", "DINOv2", "encoder = \"dinov2\""),
        (
            "dinov2_with_registers",
            "DINOv2",
            "encoder = \"dinov2-registers\"",
        ),
        ("radio", "RADIO", "encoder = \"radio\""),
    ];
    for (network, title, settings) in encoders {
        let dir = tempfile::tempdir().unwrap();
        let folder = uniworld(dir.path(), network, settings);
        let listed = keys(dir.path());
        let of = |title: &str| {
            let own = listed.iter().filter(|key| key["network"] == title);
            own.map(|key| key["name"].as_str().unwrap().to_owned())
                .collect::<BTreeSet<String>>()
        };
        // All that is stored, but the token of training and the list of summaries, which no network here asks
        // for.
        let bytes = fs::read(folder.join("model.safetensors")).unwrap();
        let stored = SafeTensors::deserialize(&bytes).unwrap();
        let names = stored.names().into_iter().filter(|name| {
            !name.ends_with("mask_token") && stored.tensor(name).unwrap().dtype() == Dtype::F32
        });
        let names: BTreeSet<String> = names.map(ToString::to_string).collect();
        assert_eq!(of(title), names, "{network}");
        assert!(of("SigLIP").is_empty());
        let projector = of("reference projector");
        let expected = ["0.bias", "0.weight", "2.bias", "2.weight"];
        assert_eq!(projector.into_iter().collect::<Vec<_>>(), expected);

        // Without the projector nothing can be made, and `check` says so; with it all is well.
        let lacking = check(dir.path(), "own", &[]);
        assert_eq!(lacking.status.code(), Some(6), "{}", said(&lacking));
        assert!(
            said(&lacking).contains("projector.safetensors"),
            "{}",
            said(&lacking)
        );
        let own = listed
            .iter()
            .filter(|key| key["file"] == "projector.safetensors");
        let own = own.map(|key| {
            let shape: Vec<usize> = serde_json::from_value(key["shape"].clone()).unwrap();
            let count = shape.iter().product();
            let name = key["name"].as_str().unwrap().to_owned();
            (name, (Dtype::F32, shape, floats(&vec![0.5; count])))
        });
        write(
            &dir.path().join("tiny/projector.safetensors"),
            &own.collect(),
        );
        fine(dir.path(), "own");
        let text = said(&check(dir.path(), "own", &["--quick"]));
        assert!(
            text.contains(&format!("{title}: {} tensors", names.len())),
            "{text}"
        );
        assert!(
            text.contains("the numbers were not read (--quick)"),
            "{text}"
        );

        // Quantised in a way that nobody reads: the encoder is looked at, too.
        let config = folder.join("config.json");
        let mut json: Value = serde_json::from_slice(&fs::read(&config).unwrap()).unwrap();
        json["quantization_config"] = json!({"quant_method": "bitsandbytes"});
        fs::write(&config, json.to_string()).unwrap();
        let text = said(&check(dir.path(), "own", &[]));
        assert!(text.contains("bitsandbytes"), "{network}: {text}");
    }
}

#[test]
fn an_encoder_that_is_not_here_is_named() {
    let dir = tempfile::tempdir().unwrap();
    uniworld(dir.path(), "dinov2", "encoder = \"radio\"");
    let text = said(&check(dir.path(), "own", &[]));
    assert!(
        text.contains("radio/config.json") && text.contains("`reference.checkpoint`"),
        "{text}"
    );
}
