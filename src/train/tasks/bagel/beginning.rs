//! What BAGEL begins from: a language model of Qwen2's form for both sets of weights, and SigLIP's vision
//! tower for its eyes (arXiv 2505.14683).

use crate::model::bagel::BagelConfig;
use crate::model::weights::Files;
use crate::train::TrainError;
use crate::train::setup::Setup;
use crate::train::sources::files;
use candle_core::Tensor;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// The weights that `from` names, by BAGEL's names: those of `begin` come before those of `llm` and `vit`.
/// `file` is the checkpoint's file of weights.
///
/// # Errors
/// Fails if a folder is not there, has no weights or has another number of layers.
pub(super) fn beginnings(
    setup: &Setup<'_>,
    config: &BagelConfig,
    file: &str,
) -> Result<Vec<(String, Arc<Files>)>, TrainError> {
    let mut all = Vec::new();
    if let Some(folder) = setup.sources.get("begin")? {
        all.push(files(&folder.join(file))?);
    }
    if let Some(folder) = setup.sources.get("llm")? {
        let layers = config.llm.num_hidden_layers;
        all.push(read(&folder, ("llm", layers), of_language_model)?);
    }
    if let Some(folder) = setup.sources.get("vit")? {
        let layers = config.vit.num_hidden_layers.saturating_sub(1);
        all.push(read(&folder, ("vit", layers), of_tower)?);
    }
    Ok(all
        .into_iter()
        .map(|files| (String::new(), files))
        .collect())
}

/// The tensors of a folder by the names that `renamed` gives them. Those without a name are not read.
fn read(
    folder: &Path,
    (role, layers): (&str, usize),
    renamed: fn(&str) -> Vec<String>,
) -> Result<Arc<Files>, TrainError> {
    let stored = files(folder)?;
    let mut tensors = BTreeMap::new();
    for name in stored.tensors().keys() {
        let new = renamed(name);
        if new.is_empty() {
            continue;
        }
        let tensor = as_matrix(stored.tensor(name)?)?;
        for name in new {
            tensors.entry(name).or_insert_with(|| tensor.clone());
        }
    }
    let norms = [".input_layernorm.weight", ".layer_norm1.weight"];
    let counted = |name: &&String| norms.iter().any(|norm| name.ends_with(norm));
    let found = tensors.keys().filter(counted).count();
    if found != layers {
        return Err(TrainError::Definition {
            message: format!(
                "`from.{role}`: {} has {found} layers, but `network` needs {layers}",
                folder.display()
            ),
        });
    }
    Ok(Arc::new(Files::made(folder, tensors)))
}

const TABLE: &str = "embed_tokens.weight";
const HEAD: &str = "language_model.lm_head.weight";

/// The names of a tensor of Qwen2 or Qwen2.5-VL. Layers and the final norm have two, one for each set of
/// weights. The table of words is the output layer, too, unless one is stored, whose name comes first in their
/// order.
fn of_language_model(name: &str) -> Vec<String> {
    if name == "lm_head.weight" {
        return vec![HEAD.into()];
    }
    let places = ["model.language_model.", "model."];
    let Some(own) = places.iter().find_map(|place| name.strip_prefix(place)) else {
        return Vec::new();
    };
    let second = match own {
        TABLE => Some(HEAD.to_owned()),
        _ => latent_name(own).map(|latent| format!("language_model.model.{latent}")),
    };
    let first = format!("language_model.model.{own}");
    second.map_or_else(Vec::new, |second| vec![first, second])
}

/// The name of the same tensor in the set for latents: the MLP as a whole has the ending, and elsewhere each
/// layer of weights.
fn latent_name(own: &str) -> Option<String> {
    if own.contains(".mlp.") {
        return Some(own.replace(".mlp.", ".mlp_moe_gen."));
    }
    let (module, leaf) = own.rsplit_once('.')?;
    Some(format!("{module}_moe_gen.{leaf}"))
}

/// The name of a tensor of SigLIP's vision tower. The text tower and the pooling head are left out.
fn of_tower(name: &str) -> Vec<String> {
    if !name.starts_with("vision_model.") || name.starts_with("vision_model.head.") {
        return Vec::new();
    }
    vec![format!("vit_model.{name}")]
}

/// The kernel of the patches [W, C, p, p] as a matrix over row, column and channel; other tensors as they are.
fn as_matrix(tensor: Tensor) -> candle_core::Result<Tensor> {
    if tensor.rank() != 4 {
        return Ok(tensor);
    }
    let width = tensor.dim(0)?;
    tensor.permute((0, 2, 3, 1))?.reshape((width, ()))
}

#[cfg(test)]
mod beginning_tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn both_sets_of_weights_get_a_tensor_of_the_language_model() {
        let of = of_language_model;
        let place = "language_model.model.layers.0";
        assert_eq!(
            of("model.layers.0.self_attn.q_proj.bias"),
            [
                format!("{place}.self_attn.q_proj.bias"),
                format!("{place}.self_attn.q_proj_moe_gen.bias")
            ]
        );
        assert_eq!(
            of("model.layers.0.mlp.up_proj.weight"),
            [
                format!("{place}.mlp.up_proj.weight"),
                format!("{place}.mlp_moe_gen.up_proj.weight")
            ]
        );
        assert_eq!(
            of("model.norm.weight"),
            [
                "language_model.model.norm.weight",
                "language_model.model.norm_moe_gen.weight"
            ]
        );
        assert_eq!(
            of("model.embed_tokens.weight"),
            [
                "language_model.model.embed_tokens.weight",
                "language_model.lm_head.weight"
            ]
        );
        assert_eq!(of("lm_head.weight"), ["language_model.lm_head.weight"]);
        assert!(of("visual.merger.ln_q.weight").is_empty());
    }

    #[test]
    fn a_kernel_of_patches_is_read_by_row_column_and_channel() {
        // The value of [0, channel, row, column] is its place: 100 · channel + 10 · row + column.
        let values = (0..2).flat_map(|c| {
            (0..2).flat_map(move |y| (0..2).map(move |x| (100 * c + 10 * y + x) as f32))
        });
        let kernel = Tensor::from_iter(values, &Device::Cpu).unwrap();
        let kernel = kernel.reshape((1, 2, 2, 2)).unwrap();
        let rows: Vec<Vec<f32>> = as_matrix(kernel).unwrap().to_vec2().unwrap();
        assert_eq!(rows, [[0., 100., 1., 101., 10., 110., 11., 111.]]);
    }

    #[test]
    fn the_eyes_get_the_tower_without_its_pooling_head() {
        let name = "vision_model.embeddings.patch_embedding.weight";
        assert_eq!(of_tower(name), [format!("vit_model.{name}")]);
        assert!(of_tower("vision_model.head.probe").is_empty());
    }
}
