//! Trainings of encoders of reference pictures: what they publish is what the networks read, and an
//! interruption changes nothing.

use candle_core::{DType, Device, Tensor};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use unigauge::cancel::Cancel;
use unigauge::model::dinov2::{Dinov2, Dinov2Config};
use unigauge::model::processor::FixedProcessor;
use unigauge::model::siglip::{SiglipConfig, SiglipVision};
use unigauge::model::weights::{Files, load};
use unigauge::train::{Event, Outcome, Place, no_rewards, train};
use unigauge::train::{TrainingChange, training};

/// The committed definition, made tiny.
fn small(name: &str, vision: &str) -> Vec<String> {
    let network = |key: &str| format!("network{vision}.{key}");
    let mut set = vec![
        "steps=12".to_owned(),
        "batch=6".into(),
        "optimizer.warmup=2".into(),
        network("hidden_size=12"),
        network("num_hidden_layers=1"),
        network("num_attention_heads=2"),
    ];
    if name == "mini-siglip" {
        set.push(network("intermediate_size=16"));
    } else {
        set.push("settings.prototypes=16".into());
    }
    set
}

/// Trains into a folder; stops after each of the steps named and goes on.
fn trained(name: &str, vision: &str, folder: &Path, stops: &[u64]) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("configs/training/{name}.toml"));
    let path = path.to_str().unwrap();
    let change = TrainingChange {
        set: &small(name, vision),
        ..TrainingChange::default()
    };
    let training = training(path, Path::new(""), change).unwrap();
    let run = |stop: Option<u64>| {
        let cancel = Cancel::default();
        let on = |event: Event<'_>| {
            if matches!(event, Event::Step { step, .. } if Some(step) == stop) {
                cancel.raise();
            }
        };
        let place = Place {
            folder,
            beside: folder,
            device: &Device::Cpu,
            cancel: &cancel,
            until: u64::MAX,
            shipped: &|_| Ok(None),
            restart: false,
            rewards: &no_rewards,
            on: &on,
        };
        train(&training, &place).unwrap()
    };
    for &step in stops {
        assert_eq!(run(Some(step)), Outcome::Interrupted { step });
    }
    match run(None) {
        Outcome::Complete(record) => record,
        other => panic!("{other:?}"),
    }
}

/// Tokens of a picture by the published encoder.
fn tokens(folder: &Path, siglip: bool) -> Tensor {
    let config = fs::read(folder.join("config.json")).unwrap();
    let files = Arc::new(Files::open(folder).unwrap());
    let picture =
        image::RgbImage::from_fn(40, 30, |x, y| image::Rgb([x as u8 * 6, y as u8 * 8, 99]));
    let pixels = |processor: FixedProcessor| {
        let processor = processor.with_published(folder).unwrap();
        assert_eq!(processor.size, 32);
        processor.prepare(&picture).unwrap().unsqueeze(0).unwrap()
    };
    let (f32, device) = (DType::F32, &Device::Cpu);
    if siglip {
        let config: SiglipConfig = serde_json::from_slice(&config).unwrap();
        let tower = load(&files, f32, device, |weights| {
            SiglipVision::new(config.vision(), weights)
        });
        tower
            .unwrap()
            .forward(&pixels(FixedProcessor::siglip(1)))
            .unwrap()
    } else {
        let config: Dinov2Config = serde_json::from_slice(&config).unwrap();
        let network = load(&files, f32, device, |weights| Dinov2::new(&config, weights));
        network
            .unwrap()
            .forward(&pixels(FixedProcessor::dinov2(1)))
            .unwrap()
    }
}

#[test]
fn encoders_are_trained_published_and_resumed() {
    let encoders = [
        ("mini-siglip", ".vision_config", 16),
        ("mini-dinov2", "", 17),
    ];
    for (name, vision, count) in encoders {
        let dir = tempfile::tempdir().unwrap();
        let (whole, stopped) = (dir.path().join("whole"), dir.path().join("stopped"));
        let record = trained(name, vision, &whole, &[]);
        let again = trained(name, vision, &stopped, &[1, 2, 7]);
        let read = |folder: &Path, file: &str| fs::read(folder.join(file)).unwrap();
        for file in [
            "model.safetensors",
            "config.json",
            "preprocessor_config.json",
            "curve.jsonl",
        ] {
            assert!(read(&whole, file) == read(&stopped, file), "{name}: {file}");
        }
        assert_eq!(record["checked"], again["checked"]);
        for key in ["probe_shape", "probe_color", "probe_cell"] {
            let share = record["checked"][key].as_f64().unwrap();
            assert!((0.0..=1.0).contains(&share), "{name}: {key} {share}");
        }
        let tokens = tokens(&whole, name == "mini-siglip");
        assert_eq!(tokens.dims(), [1, count, 12]);
        // Nothing of the text tower and the heads is published.
        let files = Files::open(&whole).unwrap();
        let own = ["vision_model.", "embeddings.", "encoder.", "layernorm."];
        let names: Vec<&String> = files.tensors().keys().collect();
        assert!(
            names
                .iter()
                .all(|name| own.iter().any(|own| name.starts_with(own))),
            "{names:?}"
        );
        let masked = names.iter().any(|name| *name == "embeddings.mask_token");
        assert_eq!(masked, name == "mini-dinov2");
    }
}
