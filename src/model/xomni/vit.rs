//! The tokenizer's vision transformer: SigLIP2-g with timm's names, without class token, pooling or final
//! norm.

use super::EncoderConfig;
use crate::model::nn::{PatchEmbedding, VitBlock};
use crate::model::{ModelError, Result, Weights};
use candle_core::{DType, Tensor};

/// The network.
#[derive(Debug, Clone)]
pub struct Vit {
    patch_embed: PatchEmbedding,
    /// [1, D, side, side] in f32.
    pos_embed: Tensor,
    blocks: Vec<VitBlock>,
    patch: usize,
}

impl Vit {
    /// Loads the tensors, without a final norm that the file may contain.
    ///
    /// # Errors
    /// Fails if the table of positions is not a square or sizes do not fit, and when [`Weights::get`] fails.
    pub fn new(config: &EncoderConfig, weights: &Weights) -> Result<Self> {
        let vit = config.vit()?;
        let width = vit.embed_dim;
        // The length in the file decides if it is known.
        let rows = match weights.dims("pos_embed").as_deref() {
            Some(&[1, rows, _]) => rows,
            _ => (vit.img_size / vit.patch_size).pow(2),
        };
        let side = rows.isqrt();
        if side == 0 || side * side != rows {
            return Err(ModelError::Input(format!(
                "`{}` has {rows} positions, which do not form a square",
                weights.name("pos_embed")
            )));
        }
        let table = weights
            .with_dtype(DType::F32)
            .get("pos_embed", (1, rows, width))?;
        let block = |index: usize| {
            VitBlock::new(
                &weights.at("blocks").at(index),
                width,
                vit.mlp_dim,
                vit.num_heads,
            )
        };
        Ok(Self {
            patch_embed: PatchEmbedding::new(
                &weights.at("patch_embed.proj"),
                3,
                width,
                vit.patch_size,
                true,
            )?,
            pos_embed: table.transpose(1, 2)?.reshape((1, width, side, side))?,
            blocks: (0..vit.depth).map(block).collect::<Result<_>>()?,
            patch: vit.patch_size,
        })
    }

    /// Pixels [B, 3, H, W] in −1 to 1 → features [B, h · w, D] in raster order, and (h, w).
    ///
    /// # Errors
    /// Fails if a side is smaller than one patch.
    pub fn forward(&self, pixel_values: &Tensor) -> Result<(Tensor, (usize, usize))> {
        let (_, _, height, width) = pixel_values.dims4()?;
        let (h, w) = (height / self.patch, width / self.patch);
        if h == 0 || w == 0 {
            return Err(ModelError::Input(format!(
                "a picture of {width} × {height} is smaller than a patch of {}",
                self.patch
            )));
        }
        let side = self.pos_embed.dim(2)?;
        let positions = if (h, w) == (side, side) {
            self.pos_embed.clone()
        } else {
            self.pos_embed
                .contiguous()?
                .upsample_bilinear2d(h, w, false)?
        };
        let positions = positions.flatten_from(2)?.transpose(1, 2)?;
        let patches = self.patch_embed.forward(pixel_values)?;
        let mut x = patches.broadcast_add(&positions.to_dtype(patches.dtype())?)?;
        for block in &self.blocks {
            x = block.forward(&x)?;
        }
        Ok((x, (h, w)))
    }
}
