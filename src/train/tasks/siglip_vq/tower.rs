//! SigLIP's vision tower as the tokenizer's vision transformer: transformers' names and separate projections
//! become timm's names and one projection. The final norm is left out.

use crate::model::siglip::SiglipConfig;
use crate::model::weights::{self, Files};
use crate::model::xomni::{EncoderConfig, Vit};
use crate::model::{ModelError, read_config};
use crate::train::TrainError;
use crate::train::sources::files;
use crate::world::SIDE;
use candle_core::{DType, Device, Tensor};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// The file of the vision transformer.
pub(super) const FILE: &str = "vit.safetensors";

/// `transform` and `encoder` of X-Omni's `vision_config` for a tower. Pictures are scaled to its size.
///
/// # Errors
/// Fails if the folder has no configuration, or the tower is of another size than the world.
pub(super) fn config(folder: &Path) -> Result<Value, TrainError> {
    let config: SiglipConfig = read_config(&folder.join("config.json"))?;
    let tower = config.vision();
    if tower.image_size != SIDE as usize || tower.patch_size == 0 {
        return Err(TrainError::Definition {
            message: format!(
                "`from.siglip`: {} reads pictures of {} pixels, but the world has {SIDE}",
                folder.display(),
                tower.image_size
            ),
        });
    }
    Ok(json!({
        "transform": {
            "short_size": SIDE,
            "long_size": SIDE,
            "patch_size": tower.patch_size,
            "min_short_size": SIDE,
            "max_aspect_ratio": 1.0,
            "filtering": true,
        },
        "encoder": {
            "siglip_name": "siglip",
            "siglip_path": FILE,
            "z_channels": tower.hidden_size,
            "vit": {
                "embed_dim": tower.hidden_size,
                "depth": tower.num_hidden_layers,
                "num_heads": tower.num_attention_heads,
                "mlp_dim": tower.intermediate_size,
                "patch_size": tower.patch_size,
                "img_size": tower.image_size,
            },
        },
    }))
}

/// The network of a tower's folder, and its tensors by their new names.
///
/// # Errors
/// Fails if a tensor is missing or has another shape than the configuration says.
pub(super) fn open(
    folder: &Path,
    encoder: &EncoderConfig,
    device: &Device,
) -> Result<(Vit, BTreeMap<String, Tensor>), TrainError> {
    let stored = files(folder)?;
    let depth = encoder.vit()?.depth;
    let tensors = renamed(&stored, depth)?;
    let made = Arc::new(Files::made(stored.path(), tensors.clone()));
    let vit = weights::load(&made, DType::F32, device, |weights| {
        Vit::new(encoder, weights)
    })?;
    Ok((vit, tensors))
}

fn renamed(files: &Files, depth: usize) -> Result<BTreeMap<String, Tensor>, ModelError> {
    let prefix = ["", "vision_model."].into_iter().find(|prefix| {
        let name = format!("{prefix}embeddings.position_embedding.weight");
        files.tensors().contains_key(&name)
    });
    let prefix = prefix.unwrap_or_default();
    let stored = |name: &str| files.tensor(&format!("{prefix}{name}"));
    let table = stored("embeddings.position_embedding.weight")?;
    let mut tensors = BTreeMap::from([("pos_embed".to_owned(), table.unsqueeze(0)?)]);
    for leaf in ["weight", "bias"] {
        let patches = stored(&format!("embeddings.patch_embedding.{leaf}"))?;
        tensors.insert(format!("patch_embed.proj.{leaf}"), patches);
        for number in 0..depth {
            let old = |place: &str| stored(&format!("encoder.layers.{number}.{place}.{leaf}"));
            let parts = ["q_proj", "k_proj", "v_proj"].map(|part| format!("self_attn.{part}"));
            let parts: Vec<Tensor> = parts
                .iter()
                .map(|part| old(part))
                .collect::<Result<_, _>>()?;
            let mut put = |place: &str, tensor: Tensor| {
                tensors.insert(format!("blocks.{number}.{place}.{leaf}"), tensor);
            };
            put("attn.qkv", Tensor::cat(&parts, 0)?);
            for (place, before) in [
                ("attn.proj", "self_attn.out_proj"),
                ("norm1", "layer_norm1"),
                ("norm2", "layer_norm2"),
                ("mlp.fc1", "mlp.fc1"),
                ("mlp.fc2", "mlp.fc2"),
            ] {
                put(place, old(before)?);
            }
        }
    }
    Ok(tensors)
}
