//! A frozen X-Omni tokenizer between pictures and codes.

use super::{TrainError, samples};
use crate::files::hex;
use crate::model::weights::{self, Files};
use crate::model::xomni::{EncoderConfig, Vit, VqDecoder, VqEncoder};
use crate::model::{ModelError, read_config};
use crate::world::SIDE;
use candle_core::{DType, Device, Tensor};
use image::RgbImage;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How many pictures are encoded at a time.
const BATCH: usize = 64;

/// Both halves of a tokenizer.
pub(super) struct ImageTokenizer {
    /// `transform` and `encoder` as X-Omni's `vision_config` has them.
    pub json: Value,
    /// The configuration of the encoder.
    pub encoder: EncoderConfig,
    folder: PathBuf,
    vit: Vit,
    vq: VqEncoder,
    decoder: VqDecoder,
    /// Codes of a picture's side.
    pub side: usize,
    device: Device,
}

impl ImageTokenizer {
    /// The tokenizer of a folder that the task `siglip-vq` wrote, or of the folder `xomni` of a whole X-Omni.
    ///
    /// # Errors
    /// Fails if the folder holds none.
    pub(super) fn open(folder: &Path, device: &Device) -> Result<Self, TrainError> {
        let path = folder.join("config.json");
        let mut json: Value = read_config(&path)?;
        if let Some(vision) = json.get("vision_config") {
            json = vision.clone();
        }
        let encoder = serde_json::from_value(json["encoder"].clone());
        let encoder: EncoderConfig =
            encoder.map_err(|error| ModelError::config(&path, format!("`encoder`: {error}")))?;
        let open = |file: &str| Files::open_file(&folder.join(file)).map(Arc::new);
        let (vit, vq) = (open(&encoder.siglip_path)?, open(&encoder.projector_path)?);
        let (vq, decoder) = weights::load(&vq, DType::F32, device, |weights| {
            Ok((
                VqEncoder::new(&encoder, weights)?,
                VqDecoder::new(&encoder, weights)?,
            ))
        })?;
        Ok(Self {
            vit: weights::load(&vit, DType::F32, device, |weights| {
                Vit::new(&encoder, weights)
            })?,
            side: SIDE as usize / encoder.vit()?.patch_size,
            vq,
            decoder,
            json,
            encoder,
            folder: folder.to_owned(),
            device: device.clone(),
        })
    }

    /// The folder that it was read from.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The hash of both networks, since the codes of another tokenizer mean something else.
    ///
    /// # Errors
    /// Fails if a file cannot be read.
    pub(super) fn fingerprint(&self) -> Result<String, TrainError> {
        let mut hash = Sha256::new();
        for file in [&self.encoder.siglip_path, &self.encoder.projector_path] {
            let path = self.folder.join(file);
            hash.update(std::fs::read(&path).map_err(|error| TrainError::io(&path, error))?);
        }
        Ok(hex(&hash.finalize()))
    }

    /// The codes of pictures of the world, row by row.
    ///
    /// # Errors
    /// Fails if the device has no room.
    pub(super) fn codes(&self, pictures: &[RgbImage]) -> Result<Vec<Vec<u32>>, TrainError> {
        let mut codes = Vec::with_capacity(pictures.len());
        for pictures in pictures.chunks(BATCH) {
            let pixels = samples::batch(pictures, &self.device)?;
            let (features, _) = self.vit.forward(&pixels)?;
            codes.extend(self.vq.encode(&features)?.to_vec2::<u32>()?);
        }
        Ok(codes)
    }

    /// What the decoder is conditioned on for pictures in codes, [B, N, Z].
    ///
    /// # Errors
    /// Fails if a code is outside the codebook or they are not pictures of the world.
    pub(super) fn features(&self, codes: &[Vec<u32>]) -> Result<Tensor, TrainError> {
        let grids: Vec<&[u32]> = codes.iter().map(Vec::as_slice).collect();
        let features = self.decoder.decode_all(&grids, (self.side, self.side))?;
        Ok(features.detach())
    }
}
