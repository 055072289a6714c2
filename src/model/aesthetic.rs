//! LAION's aesthetic predictors: heads on the unit image embeddings of CLIP ViT-L/14, in the files that their
//! authors publish.
//!
//! `sa_0_4_vit_l_14_linear.pth` is one linear layer. `sac+logos+ava1-l14-linearMSE.pth` has five, without
//! activations between them.

use super::nn::{Linear, linear};
use super::weights::{Files, load};
use super::{ModelError, Result, Weights};
use candle_core::{D, DType, Device, Module, Tensor};
use std::path::Path;
use std::sync::Arc;

/// The places of the five layers, between which the training had dropout.
const LAYERS: [&str; 5] = ["layers.0", "layers.2", "layers.4", "layers.6", "layers.7"];

/// The smallest length of an embedding, so that zeros stay zeros.
const SHORTEST: f64 = 1e-12;

/// A head.
#[derive(Debug, Clone)]
pub struct AestheticHead {
    layers: Vec<Linear>,
}

impl AestheticHead {
    /// Reads a head from its file.
    ///
    /// # Errors
    /// Fails if the file cannot be read, or is that of the head with activations.
    pub fn open(file: &Path, device: &Device) -> Result<Self> {
        let name = file.file_name().and_then(|name| name.to_str());
        if name.is_some_and(|name| name.contains("reluMSE")) {
            return Err(ModelError::file(
                file,
                "this head has activations between its layers, which are not supported",
                "give `sac+logos+ava1-l14-linearMSE.pth` or `sa_0_4_vit_l_14_linear.pth`",
            ));
        }
        let files = Arc::new(Files::open_file(file)?);
        load(&files, DType::F32, device, Self::new)
    }

    /// From the names of either file. The widths are those of the weights.
    ///
    /// # Errors
    /// Fails if the files have neither form, and when [`Weights::get`] fails.
    pub fn new(weights: &Weights) -> Result<Self> {
        let places = if weights.has("layers.0.weight") {
            LAYERS.map(|place| weights.at(place)).to_vec()
        } else {
            vec![weights.clone()]
        };
        let layers = places.iter().map(|at| match at.dims("weight").as_deref() {
            Some(&[output, input]) => linear(at, input, output, true),
            _ => Err(ModelError::Input(format!(
                "`{}` is missing, or is no matrix: this is not an aesthetic predictor",
                at.name("weight")
            ))),
        });
        Ok(Self {
            layers: layers.collect::<Result<_>>()?,
        })
    }

    /// Image embeddings [N, E] of any length → scores `[N]`, about 1 to 10.
    ///
    /// # Errors
    /// Fails if the width is another.
    pub fn scores(&self, embeddings: &Tensor) -> Result<Tensor> {
        let length = embeddings.sqr()?.sum_keepdim(D::Minus1)?.sqrt()?;
        let mut x = embeddings.broadcast_div(&length.maximum(SHORTEST)?)?;
        for layer in &self.layers {
            x = layer.forward(&x)?;
        }
        Ok(x.squeeze(D::Minus1)?)
    }
}
