//! The phase `reference`: from input images to packed latents.

use super::pictures::Pictures;
use crate::cancel::Cancel;
use crate::generate::error::GenerateError;
use crate::generate::generator::Request;
use crate::generate::pipeline::{
    CheckpointFolder, Key, Made, Named, Network, NetworkInfo, Phase, Stage, Step, running,
};
use crate::model::flux::latents;
use crate::model::processor::signed_pixels;
use crate::model::qwen_image::{QwenVaeConfig, QwenVaeEncoder};
use crate::model::{ModelError, Result};
use crate::record::Object;
use candle_core::{DType, Device, Tensor};
use image::RgbImage;
use serde_json::json;

/// The packed latents of all input images, one after the other, [1, n, 4z].
const REFERENCE: &str = "reference";
/// The numbers of tokens of each from top to bottom and from left to right, U32 `[k, 2]`.
const REFERENCE_GRIDS: &str = "reference_grids";

/// The input images as the transformer reads them.
pub(super) struct References {
    /// The packed latents, [1, n, 4z].
    pub tokens: Tensor,
    /// The numbers of tokens of each image from top to bottom and from left to right.
    pub grids: Vec<(usize, usize)>,
}

impl References {
    /// The references that this phase stored. `None` if there are none.
    ///
    /// # Errors
    /// Fails if the device is out of memory.
    pub(super) fn stored(before: &Named) -> Result<Option<Self>> {
        let (Some(tokens), Some(grids)) = (before.get(REFERENCE), before.get(REFERENCE_GRIDS))
        else {
            return Ok(None);
        };
        let grids: Vec<Vec<u32>> = grids.to_vec2()?;
        let pair = |sides: &Vec<u32>| match sides[..] {
            [h, w] => Ok((h as usize, w as usize)),
            _ => Err(ModelError::Input("a grid does not have two sides".into())),
        };
        Ok(Some(Self {
            tokens: tokens.clone(),
            grids: grids.iter().map(pair).collect::<Result<_>>()?,
        }))
    }

    /// The tensors by which a later phase finds them.
    ///
    /// # Errors
    /// Fails if the device is out of memory.
    pub(super) fn named(&self) -> Result<Named> {
        let sides = self.grids.iter().flat_map(|&(h, w)| [h as u32, w as u32]);
        let grids: Vec<u32> = sides.collect();
        let grids = Tensor::from_vec(grids, (self.grids.len(), 2), self.tokens.device())?;
        let named = [
            (REFERENCE.to_owned(), self.tokens.clone()),
            (REFERENCE_GRIDS.to_owned(), grids),
        ];
        Ok(named.into())
    }
}

struct ReferenceStage {
    encoder: Network<QwenVaeEncoder>,
    pictures: Pictures,
    device: Device,
    dtype: DType,
}

/// The phase for a folder that has `vae/`.
pub(super) fn reference_phase(
    folder: &CheckpointFolder,
    pictures: Pictures,
    config: QwenVaeConfig,
) -> Phase {
    let dtype = folder.dtype();
    let info = NetworkInfo::new("VAE encoder", folder.location_of("vae"), dtype);
    let encoder = Network::new(info, move |weights| QwenVaeEncoder::new(&config, weights));
    Phase::new("reference", vec![encoder.any()], move |device| {
        Ok(ReferenceStage {
            encoder,
            pictures,
            device: device.clone(),
            dtype,
        })
    })
}

impl Stage for ReferenceStage {
    fn key(&self, request: &Request<'_>, before: &Key) -> Result<Key, GenerateError> {
        let pixels = self.pictures.reference_pixels;
        let shape = json!(["qwen-image reference", pixels, self.dtype.as_str()]);
        let files = self.pictures.bytes(request)?;
        Ok(Key::after(before, &shape, &files))
    }

    fn run(&mut self, request: &Request<'_>, _: &Named, _: &Cancel) -> Result<Step, GenerateError> {
        // The phase before has noted how the images were changed.
        let mut noted = Object::new();
        let pixels = self.pictures.reference_pixels;
        let pictures = Pictures::at(pixels, request, &mut noted)?;
        let encoder = self.encoder.get()?;
        let named = self
            .encode(&encoder, &pictures)
            .and_then(|references| references.named());
        Ok(Step {
            made: Made::Tensors(named.map_err(running("reference"))?),
            extra: Object::new(),
        })
    }
}

impl ReferenceStage {
    fn encode(&self, encoder: &QwenVaeEncoder, pictures: &[RgbImage]) -> Result<References> {
        let (mut tokens, mut grids) = (Vec::new(), Vec::new());
        for picture in pictures {
            let pixels = signed_pixels(picture)?.to_device(&self.device)?;
            let encoded = encoder.encode(&pixels.to_dtype(self.dtype)?)?;
            let (_, _, height, width) = encoded.dims4()?;
            grids.push((height / 2, width / 2));
            tokens.push(latents::pack(&encoded)?);
        }
        Ok(References {
            tokens: Tensor::cat(&tokens, 1)?,
            grids,
        })
    }
}
