//! FLUX weights in the layout of Black Forest Labs' own files, read under the names of diffusers.
//!
//! In these files, one tensor contains all projections of an attention, one below the other, and the last
//! modulation gives the shift before the scale.

use crate::model::weights::{Asked, Files, Source, audit};
use crate::model::{ModelError, Result, Weights};
use candle_core::{DType, Device, Shape, Tensor};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

/// The place of a tensor.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    tensor: String,
    /// The index among the tensors that are stored one below the other.
    part: usize,
}

/// The rows of a stored tensor.
struct Rows {
    tensor: String,
    start: usize,
}

/// Stored tensors under the names of diffusers.
struct Layout {
    rows: HashMap<String, Rows>,
    /// The tensors that must be stored.
    stored: Vec<Asked>,
}

struct Bfl {
    files: Arc<Files>,
    layout: Layout,
    /// Stored tensors that contain several tensors. Each is read once, and its parts share its memory.
    fused: Mutex<HashMap<String, Tensor>>,
}

/// Whether files have this layout.
pub fn is_bfl(files: &Files) -> bool {
    files.holds(&["img_in.weight", "final_layer.linear.weight"])
}

/// Loads a network as [`crate::model::weights::load`] does, from files with this layout.
///
/// # Errors
/// Fails with [`ModelError::Weights`], which lists every missing and mis-shaped tensor, and when `build`
/// fails.
pub fn load<T>(
    files: &Arc<Files>,
    dtype: DType,
    device: &Device,
    build: impl Fn(&Weights) -> Result<T>,
) -> Result<T> {
    let layout = Layout::new(&audit(None, &build)?)?;
    let files = files.below_asked(&layout.stored);
    files.require(&layout.stored)?;
    let source = Bfl {
        files,
        layout,
        fused: Mutex::default(),
    };
    build(&Weights::new(Arc::new(source), dtype, device))
}

/// The tensors of this layout that contain the requested tensors of diffusers.
///
/// # Errors
/// Fails if a tensor has no counterpart.
pub fn stored(asked: &[Asked]) -> Result<Vec<Asked>> {
    Ok(Layout::new(asked)?.stored)
}

impl Layout {
    fn new(asked: &[Asked]) -> Result<Self> {
        let mut places: BTreeMap<Place, &Asked> = BTreeMap::new();
        for tensor in asked {
            let place = stored_place(&tensor.name).ok_or_else(|| {
                ModelError::Input(format!(
                    "`{}` does not exist in the layout of Black Forest Labs",
                    tensor.name
                ))
            })?;
            places.insert(place, tensor);
        }
        let mut rows = HashMap::new();
        let mut stored: Vec<Asked> = Vec::new();
        // In the order of tensors and parts, so that every part begins where the previous one ends.
        for (place, tensor) in places {
            let start = match stored.last_mut() {
                Some(last) if last.name == place.tensor => {
                    let start = last.shape[0];
                    last.shape[0] += tensor.shape[0];
                    start
                }
                _ => {
                    stored.push(Asked {
                        name: place.tensor.clone(),
                        shape: tensor.shape.clone(),
                    });
                    0
                }
            };
            let tensor_rows = Rows {
                tensor: place.tensor,
                start,
            };
            rows.insert(tensor.name.clone(), tensor_rows);
        }
        Ok(Self { rows, stored })
    }
}

impl Source for Bfl {
    fn get(&self, name: &str, shape: &Shape, dtype: DType, device: &Device) -> Result<Tensor> {
        let missing = || ModelError::Weights {
            path: self.files.path().into(),
            problems: vec![format!("missing: {name}")],
        };
        let rows = self.layout.rows.get(name).ok_or_else(missing)?;
        let stored = self.files.dims(&rows.tensor).ok_or_else(missing)?;
        let whole = |shape: &Shape| self.files.get(&rows.tensor, shape, dtype, device);
        if name.starts_with("norm_out.") {
            let whole = whole(shape)?;
            let half = whole.dim(0)? / 2;
            let (shift, scale) = (whole.narrow(0, 0, half)?, whole.narrow(0, half, half)?);
            return Ok(Tensor::cat(&[scale, shift], 0)?);
        }
        if stored == shape.dims() {
            return whole(shape);
        }
        let key = format!("{} {dtype:?}", rows.tensor);
        let mut fused = self.fused.lock().unwrap_or_else(|lock| lock.into_inner());
        if !fused.contains_key(&key) {
            fused.insert(key.clone(), whole(&Shape::from_dims(&stored))?);
        }
        let fused = fused.get(&key).ok_or_else(missing)?;
        let length = shape.dims().first().copied().unwrap_or(0);
        Ok(fused.narrow(0, rows.start, length)?)
    }

    fn dims(&self, name: &str) -> Option<Vec<usize>> {
        // Networks of this layout have no optional tensors.
        self.layout
            .rows
            .get(name)
            .and_then(|rows| self.files.dims(&rows.tensor))
    }
}

/// The place of the tensor with this name in diffusers.
fn stored_place(name: &str) -> Option<Place> {
    let (stem, kind) = name.rsplit_once('.')?;
    let (outer, rest) = stem.split_once('.').unwrap_or((stem, ""));
    let (index, inner) = rest.split_once('.').unwrap_or((rest, ""));
    let (tensor, part) = match outer {
        "transformer_blocks" => {
            let (tensor, part) = double(inner)?;
            (format!("double_blocks.{index}.{tensor}"), part)
        }
        "single_transformer_blocks" => {
            let (tensor, part) = single(inner)?;
            (format!("single_blocks.{index}.{tensor}"), part)
        }
        "time_text_embed" => (embedder(rest)?, 0),
        "x_embedder" => ("img_in".into(), 0),
        "context_embedder" => ("txt_in".into(), 0),
        "norm_out" => ("final_layer.adaLN_modulation.1".into(), 0),
        "proj_out" => ("final_layer.linear".into(), 0),
        _ => return None,
    };
    // The scale of a norm over a head has a name of its own.
    let kind = if tensor.ends_with("_norm") {
        "scale"
    } else {
        kind
    };
    Some(Place {
        tensor: format!("{tensor}.{kind}"),
        part,
    })
}

fn embedder(name: &str) -> Option<String> {
    let (embedder, layer) = name.split_once('.')?;
    let embedder = match embedder {
        "timestep_embedder" => "time_in",
        "guidance_embedder" => "guidance_in",
        "text_embedder" => "vector_in",
        _ => return None,
    };
    let layer = match layer {
        "linear_1" => "in_layer",
        "linear_2" => "out_layer",
        _ => return None,
    };
    Some(format!("{embedder}.{layer}"))
}

fn double(name: &str) -> Option<(&'static str, usize)> {
    Some(match name {
        "norm1.linear" => ("img_mod.lin", 0),
        "attn.to_q" => ("img_attn.qkv", 0),
        "attn.to_k" => ("img_attn.qkv", 1),
        "attn.to_v" => ("img_attn.qkv", 2),
        "attn.norm_q" => ("img_attn.norm.query_norm", 0),
        "attn.norm_k" => ("img_attn.norm.key_norm", 0),
        "attn.to_out.0" => ("img_attn.proj", 0),
        "ff.net.0.proj" => ("img_mlp.0", 0),
        "ff.net.2" => ("img_mlp.2", 0),
        "norm1_context.linear" => ("txt_mod.lin", 0),
        "attn.add_q_proj" => ("txt_attn.qkv", 0),
        "attn.add_k_proj" => ("txt_attn.qkv", 1),
        "attn.add_v_proj" => ("txt_attn.qkv", 2),
        "attn.norm_added_q" => ("txt_attn.norm.query_norm", 0),
        "attn.norm_added_k" => ("txt_attn.norm.key_norm", 0),
        "attn.to_add_out" => ("txt_attn.proj", 0),
        "ff_context.net.0.proj" => ("txt_mlp.0", 0),
        "ff_context.net.2" => ("txt_mlp.2", 0),
        _ => return None,
    })
}

fn single(name: &str) -> Option<(&'static str, usize)> {
    Some(match name {
        "norm.linear" => ("modulation.lin", 0),
        "attn.to_q" => ("linear1", 0),
        "attn.to_k" => ("linear1", 1),
        "attn.to_v" => ("linear1", 2),
        "proj_mlp" => ("linear1", 3),
        "attn.norm_q" => ("norm.query_norm", 0),
        "attn.norm_k" => ("norm.key_norm", 0),
        "proj_out" => ("linear2", 0),
        _ => return None,
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The number of requested tensors that a BFL file contains.
    pub(crate) fn stored(asked: &[Asked]) -> usize {
        Layout::new(asked).unwrap().stored.len()
    }
}
