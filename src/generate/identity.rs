//! What shapes the outputs of networks in this process beside their settings: the files and the number format.

use super::registry::in_process;
use super::{Precision, flux, qwen_vl, uniworld, xomni};
use crate::config::{ConfigError, Settings};
use crate::model::weights::fingerprint;
use serde_json::{Map, Value, json};
use std::path::Path;

/// Settings with the defaults that they leave out, so that a manifest says everything; as they stand for generators
/// that run no networks here.
///
/// # Errors
/// When the settings have mistakes.
pub fn resolved(generator: &str, settings: &Settings) -> Result<Value, ConfigError> {
    let json = |value: serde_json::Result<Value>| value.unwrap_or_default();
    Ok(match generator {
        "uniworld" => json(serde_json::to_value(
            settings.read::<uniworld::UniWorldSettings>()?,
        )),
        "xomni" => json(serde_json::to_value(
            settings.read::<xomni::XOmniSettings>()?,
        )),
        "flux" => json(serde_json::to_value(settings.read::<flux::FluxSettings>()?)),
        "qwen-vl" => json(serde_json::to_value(
            settings.read::<qwen_vl::QwenVlSettings>()?,
        )),
        _ => settings.to_json(),
    })
}

/// The number format on this kind of device and a hash of every file or folder that the settings name; none for a
/// generator without networks. Files that are not there leave no hash: opening them says so.
pub fn weights(generator: &str, settings: &Settings, gpu: bool) -> Option<Value> {
    if !in_process(generator) {
        return None;
    }
    let settings = settings.to_json();
    let precision: Precision =
        serde_json::from_value(settings["precision"].clone()).unwrap_or_default();
    let mut found = Map::new();
    found.insert("dtype".into(), json!(precision.dtype(gpu).as_str()));
    let named = [
        ("checkpoint", &settings["checkpoint"]),
        ("reference.checkpoint", &settings["reference"]["checkpoint"]),
        ("reference.projector", &settings["reference"]["projector"]),
    ];
    for (key, path) in named {
        let hash = path
            .as_str()
            .and_then(|path| fingerprint(Path::new(path)).ok());
        if let Some(hash) = hash {
            found.insert(key.into(), hash.into());
        }
    }
    Some(found.into())
}
