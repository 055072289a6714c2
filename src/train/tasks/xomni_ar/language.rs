//! A trained Qwen2.5-VL as the inner layers of X-Omni's autoregressive model.

use crate::model::weights::Files;
use crate::model::xomni::XOmniConfig;
use crate::train::TrainError;
use crate::train::sources::files;
use candle_core::Tensor;
use std::collections::BTreeMap;
use std::path::Path;

/// The language model of a folder by X-Omni's names: its layers follow those for image tokens, and its
/// table of words is the output layer too where it has no other.
///
/// # Errors
/// Fails if the folder has no weights or another number of layers.
pub(super) fn layers(folder: &Path, config: &XOmniConfig) -> Result<Files, TrainError> {
    let stored = files(folder)?;
    let mut tensors: BTreeMap<String, Tensor> = BTreeMap::new();
    let mut found = 0;
    for name in stored.tensors().keys() {
        let Some(new) = renamed(name, config.num_mm_adap_layers) else {
            continue;
        };
        let tensor = stored.tensor(name)?;
        found += usize::from(new.ends_with(".input_layernorm.weight"));
        if new == TABLE {
            tensors.entry(HEAD.into()).or_insert(tensor.clone());
        }
        tensors.insert(new, tensor);
    }
    let inner = config.num_hidden_layers - config.num_mm_adap_layers - config.num_mm_head_layers;
    if found != inner {
        return Err(TrainError::Definition {
            message: format!(
                "`from.vlm`: {} has {found} layers, but `network` has {inner} between those for image tokens",
                folder.display()
            ),
        });
    }
    Ok(Files::made(folder, tensors))
}

const TABLE: &str = "model.lm_embed_tokens.weight";
const HEAD: &str = "lm_head.weight";

/// The new name of a tensor. `None` for the vision tower's.
fn renamed(name: &str, before: usize) -> Option<String> {
    if name == HEAD {
        return Some(HEAD.into());
    }
    let places = ["model.language_model.", "model."];
    let own = places.iter().find_map(|place| name.strip_prefix(place))?;
    match own {
        "embed_tokens.weight" => return Some(TABLE.into()),
        "norm.weight" => return Some("model.lm_norm.weight".into()),
        _ => {}
    }
    let (number, rest) = own.strip_prefix("layers.")?.split_once('.')?;
    let number = number.parse::<usize>().ok()? + before;
    Some(format!("model.layers.{number}.{rest}"))
}
