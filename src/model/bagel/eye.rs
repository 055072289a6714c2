//! The eyes: a SigLIP vision transformer for pictures of any shape, and its connector to the decoder.

use super::config::BagelConfig;
use super::table::{Grid, PositionTable};
use crate::model::nn::{
    Activation, EncoderLayer, EncoderShape, LayerNorm, Linear, Mask, layer_norm, linear,
};
use crate::model::{ModelError, Result, Weights};
use candle_core::{D, Module, Tensor};

/// `vit_model`, `connector` and `vit_pos_embed`. No picture is resampled to a fixed size.
pub struct Eye {
    channels: usize,
    patch: usize,
    patch_embedding: Linear,
    position_embedding: PositionTable,
    layers: Vec<EncoderLayer>,
    post_layernorm: LayerNorm,
    fc1: Linear,
    fc2: Linear,
    vit_pos_embed: PositionTable,
}

impl Eye {
    /// Loads the tensors. The last layer that the configuration counts is neither stored nor run.
    ///
    /// # Errors
    /// Fails if the last layer is stored after all, if heads do not divide the width, and when
    /// [`Weights::get`] fails.
    pub fn new(config: &BagelConfig, weights: &Weights) -> Result<Self> {
        let (vit, hidden) = (&config.vit, config.llm.hidden_size);
        let (width, patch) = (vit.hidden_size, vit.patch_size);
        let tower = weights.at("vit_model.vision_model");
        let layers = tower.at("encoder.layers");
        let run = vit.num_hidden_layers.saturating_sub(1);
        if layers.at(run).has("layer_norm1.weight") {
            return Err(ModelError::Input(format!(
                "the checkpoint has {} layers of the vision transformer, but the released one has {run}: \
                 `num_hidden_layers` of vit_config.json counts one that is not in the file",
                run + 1
            )));
        }
        let shape = EncoderShape {
            hidden_size: width,
            intermediate_size: vit.intermediate_size,
            num_attention_heads: vit.num_attention_heads,
            hidden_act: vit.hidden_act,
            layer_norm_eps: vit.layer_norm_eps,
        };
        let side = vit.image_size / patch.max(1);
        let (embeddings, connector) = (tower.at("embeddings"), weights.at("connector"));
        let values = vit.num_channels * patch * patch;
        let positions = |weights: &Weights, name: &str, width: usize| {
            PositionTable::new(weights, name, side, width)
        };
        Ok(Self {
            channels: vit.num_channels,
            patch,
            patch_embedding: linear(&embeddings.at("patch_embedding"), values, width, true)?,
            position_embedding: positions(&embeddings, "position_embedding.weight", width)?,
            layers: (0..run)
                .map(|index| EncoderLayer::new(&shape, &layers.at(index)))
                .collect::<Result<_>>()?,
            post_layernorm: layer_norm(&tower.at("post_layernorm"), width, vit.layer_norm_eps)?,
            fc1: linear(&connector.at("fc1"), width, hidden, true)?,
            fc2: linear(&connector.at("fc2"), hidden, hidden, true)?,
            vit_pos_embed: positions(weights, "vit_pos_embed.pos_embed", hidden)?,
        })
    }

    /// The size in patches of pixels [.., C, H, W].
    ///
    /// # Errors
    /// Fails if the sides are not multiples of a patch.
    pub fn grid(&self, pixels: &Tensor) -> Result<Grid> {
        let (channels, height, width) = (
            pixels.dim(D::Minus(3))?,
            pixels.dim(D::Minus2)?,
            pixels.dim(D::Minus1)?,
        );
        let p = self.patch;
        if channels != self.channels || !height.is_multiple_of(p) || !width.is_multiple_of(p) {
            return Err(ModelError::Input(format!(
                "a picture of {width} × {height} pixels cannot be divided into patches of {p} × {p}"
            )));
        }
        Ok(Grid {
            h: height / p,
            w: width / p,
        })
    }

    /// The numbers of a picture's patches in the tables of positions.
    ///
    /// # Errors
    /// Fails if the picture is larger than the tables.
    pub fn position_ids(&self, grid: Grid) -> Result<Vec<u32>> {
        self.position_embedding.ids(grid)
    }

    /// Pixels [C, H, W] in −1 to 1 → the patches' features [P, W] after the final norm, row by row.
    ///
    /// # Errors
    /// Fails if the picture is larger than the table of positions, or its sides are not multiples of a patch.
    pub fn features(&self, pixels: &Tensor) -> Result<Tensor> {
        Ok(self.batch_features(&pixels.unsqueeze(0)?)?.squeeze(0)?)
    }

    /// The same for several pictures of one size: [B, C, H, W] → [B, P, W].
    ///
    /// # Errors
    /// Fails when [`Self::features`] fails.
    pub fn batch_features(&self, pixels: &Tensor) -> Result<Tensor> {
        let (grid, p, batch) = (self.grid(pixels)?, self.patch, pixels.dim(0)?);
        // Within a patch, the order is row, column, channel.
        let patches = pixels
            .reshape(vec![batch, self.channels, grid.h, p, grid.w, p])?
            .permute(vec![0, 2, 4, 3, 5, 1])?
            .reshape((batch, grid.count(), ()))?;
        let patches = self.patch_embedding.forward(&patches)?;
        let mut x = patches.broadcast_add(&self.position_embedding.rows(grid)?)?;
        for layer in &self.layers {
            x = layer.forward(&x, Mask::None)?;
        }
        Ok(self.post_layernorm.forward(&x)?)
    }

    /// Features [.., P, W] of pictures of the size `grid` → their tokens in the decoder [.., P, D].
    ///
    /// # Errors
    /// Fails if there are not `grid` patches, or they do not fit the table of positions.
    pub fn embeds(&self, features: &Tensor, grid: Grid) -> Result<Tensor> {
        let inner = Activation::GeluTanh.apply(&self.fc1.forward(features)?)?;
        let tokens = self.fc2.forward(&inner)?;
        Ok(tokens.broadcast_add(&self.vit_pos_embed.rows(grid)?)?)
    }
}
