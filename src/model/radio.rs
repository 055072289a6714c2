//! RADIO and C-RADIO vision encoders (Ranzinger et al., arXiv 2312.06709; Heinrich et al., arXiv 2412.07679):
//! a ViT of timm's kind with cropped position embeddings, tokens of several teachers before the patches, and
//! the normalisation of pixels inside.
//!
//! The keys are those of the published safetensors (`radio_model.model.…`). The depth and the widths come
//! from the stored tensors, and only the number of heads comes from `config.json`. The teachers' adaptors are
//! not read.

use super::nn::{LayerNorm, VitBlock, layer_norm};
use super::weights::Files;
use super::{ModelError, Result, Weights};
use candle_core::{DType, Module, Tensor};
use serde::Deserialize;

/// Epsilon of the final norm.
const EPS: f64 = 1e-6;

/// The fields of `config.json` that the network needs.
#[derive(Debug, Clone, Deserialize)]
pub struct RadioConfig {
    #[serde(default)]
    args: Args,
    /// For checkpoints with other sizes than the published ones. Otherwise `args.model` determines the
    /// number.
    #[serde(default)]
    num_attention_heads: Option<usize>,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct Args {
    /// timm's name, such as `vit_large_patch16_224`.
    #[serde(default)]
    model: Option<String>,
}

impl RadioConfig {
    fn heads(&self) -> Result<usize> {
        if let Some(heads) = self.num_attention_heads {
            return Ok(heads);
        }
        let name = self.args.model.as_deref().unwrap_or_default();
        const HEADS: [(&str, usize); 6] = [
            ("vit_tiny_", 3),
            ("vit_small_", 6),
            ("vit_base_", 12),
            ("vit_large_", 16),
            ("vit_huge_", 16),
            ("vit_so400m_", 16),
        ];
        let known = HEADS.iter().find(|(prefix, _)| name.starts_with(prefix));
        known.map(|(_, heads)| *heads).ok_or_else(|| {
            ModelError::Input(format!(
                "RADIO config.json: `args.model` = {name:?} is not a known architecture, and there is no \
                 `num_attention_heads`"
            ))
        })
    }
}

/// The network.
#[derive(Debug, Clone)]
pub struct Radio {
    /// `[1, 3, 1, 1]` both.
    mean: Tensor,
    std: Tensor,
    /// `[D, 3·p·p]`, each row (channel, y, x).
    embedder: Tensor,
    patch: usize,
    /// `[1, D, side, side]` in f32.
    positions: Tensor,
    /// `[T, D]`, without positions.
    tokens: Tensor,
    blocks: Vec<VitBlock>,
    norm: Option<LayerNorm>,
    /// The mean `[D]` and the matrix `[D, D]` at the end of some checkpoints.
    normalizer: Option<(Tensor, Tensor)>,
}

/// The shape of a tensor that determines a size.
fn stored(weights: &Weights, name: &str) -> Result<Vec<usize>> {
    weights.dims(name).ok_or_else(|| {
        ModelError::Input(format!(
            "RADIO: there is no tensor `{}`",
            weights.name(name)
        ))
    })
}

fn root(side: usize) -> Option<usize> {
    Some(side.isqrt()).filter(|root| root * root == side)
}

impl Radio {
    /// Loads the tensors from `weights`.
    ///
    /// # Errors
    /// Fails if a tensor is missing, or sizes do not fit each other or the configuration.
    pub fn new(config: &RadioConfig, weights: &Weights) -> Result<Self> {
        let place = if weights.has("radio_model.model.patch_generator.pos_embed") {
            weights.at("radio_model")
        } else {
            weights.clone()
        };
        let (model, conditioner) = (place.at("model"), place.at("input_conditioner"));
        let generator = model.at("patch_generator");
        let (embedder, table, tokens) = (
            stored(&generator, "embedder.weight")?,
            stored(&generator, "pos_embed")?,
            stored(&generator, "cls_token.token")?,
        );
        let (&[width, values], &[1, cells, _], &[rows, _]) =
            (&embedder[..], &table[..], &tokens[..])
        else {
            let message = "RADIO: the tensors of the patch generator have other ranks than the published ones";
            return Err(ModelError::Input(message.into()));
        };
        let heads = config.heads()?;
        let sides = root(values / 3)
            .filter(|_| values % 3 == 0)
            .zip(root(cells));
        let Some((patch, side)) = sides.filter(|_| heads > 0 && width % heads == 0) else {
            return Err(ModelError::Input(format!(
                "RADIO: {values} values per patch, {cells} positions and {heads} heads of width {width} do not fit \
                 each other"
            )));
        };
        let positions = generator.with_dtype(DType::F32);
        let positions = positions.get("pos_embed", (1, cells, width))?;
        let positions = positions.transpose(1, 2)?.contiguous()?;
        let exact = conditioner.with_dtype(DType::F32);
        let channel =
            |name: &str| -> Result<Tensor> { Ok(exact.get(name, (3, 1, 1))?.unsqueeze(0)?) };
        let count = (0..)
            .take_while(|number| model.has(&format!("blocks.{number}.norm1.weight")))
            .count();
        let blocks = (0..count).map(|number| {
            let block = model.at("blocks").at(number);
            let hidden = stored(&block, "mlp.fc1.weight")?[0];
            VitBlock::new(&block, width, hidden, heads)
        });
        let normalizer = place.at("_feature_normalizer");
        Ok(Self {
            mean: channel("norm_mean")?,
            std: channel("norm_std")?,
            embedder: generator.get("embedder.weight", (width, values))?,
            patch,
            positions: positions.reshape((1, width, side, side))?,
            tokens: generator.get("cls_token.token", (rows, width))?,
            blocks: blocks.collect::<Result<_>>()?,
            norm: model
                .has("norm.weight")
                .then(|| layer_norm(&model.at("norm"), width, EPS))
                .transpose()?,
            normalizer: normalizer
                .has("tx")
                .then(|| -> Result<_> {
                    let mean = normalizer.get("mean", width)?;
                    Ok((mean, normalizer.get("tx", (width, width))?))
                })
                .transpose()?,
        })
    }

    /// The width of a token, if the files belong to RADIO.
    pub fn width(files: &Files) -> Option<usize> {
        let names = ["radio_model.model", "model"];
        names.iter().find_map(|name| {
            let name = format!("{name}.patch_generator.embedder.weight");
            files.tensors().get(&name)?.first().copied()
        })
    }

    /// Pixels `[B, 3, H, W]` from 0 to 1, sides multiples of the patch → features of the patches in raster
    /// order `[B, N, D]`.
    ///
    /// # Errors
    /// Fails if a side is not a multiple of the patch size, or is longer than the table of positions.
    pub fn forward(&self, pixel_values: &Tensor) -> Result<Tensor> {
        let (batch, _, height, width) = pixel_values.dims4()?;
        let (p, side) = (self.patch, self.positions.dim(3)?);
        let (rows, columns) = (height / p, width / p);
        let longest = rows.max(columns);
        if height % p != 0 || width % p != 0 || rows.min(columns) == 0 || longest > side {
            return Err(ModelError::Input(format!(
                "RADIO: the picture has {width} × {height} pixels; its sides must be multiples of {p}, up to {}",
                side * p
            )));
        }
        let pixels = pixel_values.to_dtype(DType::F32)?;
        let pixels = pixels.broadcast_sub(&self.mean)?.broadcast_div(&self.std)?;
        let patches = pixels
            .reshape(vec![batch, 3, rows, p, columns, p])?
            .permute(vec![0, 2, 4, 1, 3, 5])?
            .reshape((batch * rows * columns, 3 * p * p))?
            .to_dtype(self.embedder.dtype())?;
        let x = patches.matmul(&self.embedder.t()?)?;
        let x = x.reshape((batch, rows * columns, ()))?;
        let x = x.broadcast_add(&self.positions(rows, columns)?)?;
        let tokens = self.tokens.unsqueeze(0)?;
        let (_, before, each) = tokens.dims3()?;
        let tokens = tokens.broadcast_as((batch, before, each))?;
        let mut x = Tensor::cat(&[&tokens.contiguous()?, &x], 1)?;
        for block in &self.blocks {
            x = block.forward(&x)?;
        }
        if let Some(norm) = &self.norm {
            x = norm.forward(&x)?;
        }
        let features = x.narrow(1, before, rows * columns)?.contiguous()?;
        match &self.normalizer {
            Some((mean, map)) => Ok(features.broadcast_sub(mean)?.broadcast_matmul(&map.t()?)?),
            None => Ok(features),
        }
    }

    /// Positions `[1, rows · columns, D]`: the table shrunk to the longer side, then cropped at the top left.
    fn positions(&self, rows: usize, columns: usize) -> candle_core::Result<Tensor> {
        let (longest, side) = (rows.max(columns), self.positions.dim(3)?);
        let table = if (rows, columns) == (side, side) {
            self.positions.clone()
        } else {
            self.positions
                .upsample_bilinear2d(longest, longest, false)?
        };
        let cropped = table.narrow(2, 0, rows)?.narrow(3, 0, columns)?;
        let cropped = cropped.flatten_from(2)?.transpose(1, 2)?.contiguous()?;
        cropped.to_dtype(self.tokens.dtype())
    }
}
