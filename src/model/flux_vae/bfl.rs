//! The autoencoder in the layout of Black Forest Labs' own `ae.safetensors`, read under the names of
//! diffusers.
//!
//! In this file, the levels of the decoder are counted from the picture, and the linear layers of the
//! attention are stored as 1 × 1 convolutions.

use super::VaeConfig;
use crate::model::weights::{Asked, Files, Source, audit};
use crate::model::{ModelError, Result, Weights};
use candle_core::{DType, Device, Shape, Tensor};
use std::sync::Arc;

struct Bfl {
    files: Arc<Files>,
    levels: usize,
}

/// Tensors that all files with this layout contain.
const KNOWN: [&str; 2] = [
    "decoder.mid.block_1.conv1.weight",
    "decoder.norm_out.weight",
];

/// Whether files have this layout.
pub fn is_bfl(files: &Files) -> bool {
    files.holds(&KNOWN)
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
    let files = files.for_names(&KNOWN);
    let source = Bfl {
        levels: levels(&files),
        files: files.clone(),
    };
    let stored: Vec<Asked> = audit(None, &build)?
        .iter()
        .map(|asked| source.stored(&asked.name, &asked.shape))
        .collect::<Result<_>>()?;
    files.require(&stored)?;
    build(&Weights::new(Arc::new(source), dtype, device))
}

/// The sizes of the network in files with this layout, which have no configuration. The number of groups, the
/// scale and the shift are those of FLUX.1.
///
/// # Errors
/// Fails if a tensor that shows a size is missing.
pub fn config(files: &Arc<Files>) -> Result<VaeConfig> {
    let files = files.for_names(&KNOWN);
    let size = |name: &str, axis: usize| {
        let dims = files.tensors().get(name);
        dims.and_then(|dims| dims.get(axis))
            .copied()
            .ok_or_else(|| ModelError::Weights {
                path: files.path().into(),
                problems: vec![format!("missing: {name}")],
            })
    };
    let width = |level: usize| size(&format!("decoder.up.{level}.block.0.conv1.weight"), 0);
    let block = |number: &usize| {
        let name = format!("decoder.up.0.block.{number}.conv1.weight");
        files.tensors().contains_key(&name)
    };
    Ok(VaeConfig {
        block_out_channels: (0..levels(&files)).map(width).collect::<Result<_>>()?,
        // A level of the decoder has one more than one of the encoder.
        layers_per_block: (0..).take_while(block).count().saturating_sub(1),
        stem_channels: Some(size("encoder.conv_in.weight", 0)?),
        latent_channels: size("decoder.conv_in.weight", 1)?,
        in_channels: size("encoder.conv_in.weight", 1)?,
        out_channels: size("decoder.conv_out.weight", 0)?,
        ..VaeConfig::flux()
    })
}

/// The tensors of a network with their names in files with this layout.
///
/// # Errors
/// Fails if a tensor does not exist in such files.
pub fn stored(asked: &[Asked]) -> Result<Vec<Asked>> {
    let level = |asked: &Asked| -> Option<usize> {
        let (_, rest) = asked.name.split_once("_blocks.")?;
        rest.split('.').next()?.parse().ok()
    };
    let last = asked.iter().filter_map(level).max();
    let levels = last.map_or(0, |last| last + 1);
    let stored = |tensor: &Asked| named(&tensor.name, &tensor.shape, levels);
    asked.iter().map(stored).collect()
}

/// The number of levels, which is the same in both halves.
fn levels(files: &Files) -> usize {
    let number = |name: &String| -> Option<usize> {
        let rest = name
            .strip_prefix("decoder.up.")
            .or_else(|| name.strip_prefix("encoder.down."))?;
        rest.split('.').next()?.parse().ok()
    };
    let last = files.tensors().keys().filter_map(number).max();
    last.map_or(0, |last| last + 1)
}

impl Bfl {
    fn stored(&self, name: &str, shape: &[usize]) -> Result<Asked> {
        named(name, shape, self.levels)
    }
}

/// The stored tensor for a requested tensor of diffusers.
fn named(name: &str, shape: &[usize], levels: usize) -> Result<Asked> {
    let stored = name_of(name, levels).ok_or_else(|| {
        ModelError::Input(format!(
            "`{name}` does not exist in the layout of ae.safetensors"
        ))
    })?;
    let mut shape = shape.to_vec();
    if stored.contains(".attn_1.") && shape.len() == 2 {
        shape.extend([1, 1]);
    }
    Ok(Asked {
        name: stored,
        shape,
    })
}

impl Source for Bfl {
    fn get(&self, name: &str, shape: &Shape, dtype: DType, device: &Device) -> Result<Tensor> {
        let stored = self.stored(name, shape.dims())?;
        let tensor = self
            .files
            .get(&stored.name, &Shape::from(stored.shape), dtype, device)?;
        Ok(tensor.reshape(shape)?)
    }

    fn dims(&self, _: &str) -> Option<Vec<usize>> {
        None
    }
}

/// The name in this layout of a tensor of diffusers.
fn name_of(name: &str, levels: usize) -> Option<String> {
    let (half, rest) = name.split_once('.')?;
    let parts: Vec<&str> = rest.split('.').collect();
    let own = match &parts[..] {
        ["conv_norm_out", leaf] => format!("norm_out.{leaf}"),
        ["conv_in" | "conv_out", _] => rest.to_owned(),
        ["mid_block", "resnets", number, tail @ ..] => {
            let number: usize = number.parse().ok()?;
            format!("mid.block_{}.{}", number + 1, block(tail)?)
        }
        ["mid_block", "attentions", "0", tail @ ..] => {
            let (layer, leaf) = match tail {
                ["group_norm", leaf] => ("norm", leaf),
                ["to_q", leaf] => ("q", leaf),
                ["to_k", leaf] => ("k", leaf),
                ["to_v", leaf] => ("v", leaf),
                ["to_out", "0", leaf] => ("proj_out", leaf),
                _ => return None,
            };
            format!("mid.attn_1.{layer}.{leaf}")
        }
        [side @ ("up_blocks" | "down_blocks"), level, tail @ ..] => {
            let level: usize = level.parse().ok()?;
            let place = match *side {
                "up_blocks" => format!("up.{}", levels.checked_sub(level + 1)?),
                _ => format!("down.{level}"),
            };
            match tail {
                ["resnets", number, tail @ ..] => {
                    format!("{place}.block.{number}.{}", block(tail)?)
                }
                ["upsamplers", "0", "conv", leaf] => format!("{place}.upsample.conv.{leaf}"),
                ["downsamplers", "0", "conv", leaf] => format!("{place}.downsample.conv.{leaf}"),
                _ => return None,
            }
        }
        _ => return None,
    };
    Some(format!("{half}.{own}"))
}

/// A tensor of a residual block.
fn block(tail: &[&str]) -> Option<String> {
    match tail {
        ["conv_shortcut", leaf] => Some(format!("nin_shortcut.{leaf}")),
        [layer, leaf] => Some(format!("{layer}.{leaf}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::flux_vae::{Decoder, Encoder, VaeConfig};
    use crate::model::weights::load as load_plain;
    use std::collections::{BTreeSet, HashMap};
    use std::path::Path;

    fn golden() -> (Arc<Files>, VaeConfig) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let folder = root.join("tests/golden/parity/flux_vae/checkpoint");
        let config = crate::model::read_config(&folder.join("config.json")).unwrap();
        (Arc::new(Files::open(&folder).unwrap()), config)
    }

    /// The tensors of the parity checkpoint under the names of the other layout.
    fn rewritten(dir: &Path, files: &Files, config: &VaeConfig) -> Arc<Files> {
        let levels = config.block_out_channels.len();
        let mut tensors = HashMap::new();
        for (name, dims) in files.tensors() {
            let shape = Shape::from(dims.clone());
            let tensor = files.get(name, &shape, DType::F32, &Device::Cpu).unwrap();
            let name = name_of(name, levels).unwrap_or_else(|| panic!("{name}"));
            let tensor = if name.contains("attn_1") && dims.len() == 2 {
                tensor.reshape((dims[0], dims[1], 1, 1)).unwrap()
            } else {
                tensor
            };
            tensors.insert(name, tensor);
        }
        assert_eq!(tensors.len(), files.tensors().len());
        let path = dir.join("ae.safetensors");
        candle_core::safetensors::save(&tensors, &path).unwrap();
        Arc::new(Files::open(dir).unwrap())
    }

    #[test]
    fn both_layouts_give_the_same_pictures() {
        let (plain, config) = golden();
        let dir = tempfile::tempdir().unwrap();
        let other = rewritten(dir.path(), &plain, &config);
        assert!(is_bfl(&other) && !is_bfl(&plain));
        let read = super::config(&other).unwrap();
        assert_eq!(read.block_out_channels, config.block_out_channels);
        assert_eq!(read.layers_per_block, config.layers_per_block);
        assert_eq!(read.latent_channels, config.latent_channels);
        assert_eq!(read.stem_channels, Some(config.block_out_channels[0]));
        let device = Device::Cpu;
        let side = config.scale_factor() * 4;
        let pixels = Tensor::randn(0f32, 1., (1, 3, side, side), &device).unwrap();
        let latents = Tensor::randn(0f32, 1., (1, config.latent_channels, 4, 3), &device).unwrap();
        let decoder = |weights: &_| Decoder::new(&config, weights);
        let encoder = |weights: &_| Encoder::new(&config, weights);
        let f32 = DType::F32;
        let values =
            |tensor: Tensor| -> Vec<f32> { tensor.flatten_all().unwrap().to_vec1().unwrap() };
        let a = load_plain(&plain, f32, &device, decoder).unwrap();
        let b = load(&other, f32, &device, decoder).unwrap();
        assert_eq!(
            values(a.decode(&latents).unwrap()),
            values(b.decode(&latents).unwrap())
        );
        let a = load_plain(&plain, f32, &device, encoder).unwrap();
        let b = load(&other, f32, &device, encoder).unwrap();
        assert_eq!(
            values(a.mean(&pixels).unwrap()),
            values(b.mean(&pixels).unwrap())
        );
    }

    // Names as they are in the published file: 244 tensors, 106 of the encoder and 138 of the decoder.
    #[test]
    fn the_released_file_has_244_tensors() {
        let text = include_str!("../../../configs/released/flux-1-dev/vae.json");
        let config: VaeConfig = serde_json::from_str(text).unwrap();
        let decoder = audit(None, |weights| Decoder::new(&config, weights)).unwrap();
        let encoder = audit(None, |weights| Encoder::new(&config, weights)).unwrap();
        assert_eq!((encoder.len(), decoder.len()), (106, 138));
        let names: BTreeSet<String> = encoder
            .iter()
            .chain(&decoder)
            .map(|asked| name_of(&asked.name, 4).unwrap())
            .collect();
        assert_eq!(names.len(), 244);
        let both = [stored(&encoder).unwrap(), stored(&decoder).unwrap()].concat();
        let listed: BTreeSet<String> = both.into_iter().map(|asked| asked.name).collect();
        assert_eq!(listed, names);
        for name in [
            "decoder.up.1.block.0.nin_shortcut.weight",
            "decoder.up.3.upsample.conv.bias",
            "encoder.down.0.downsample.conv.weight",
            "encoder.mid.attn_1.proj_out.weight",
            "encoder.norm_out.bias",
        ] {
            assert!(names.contains(name), "{name}");
        }
    }
}
