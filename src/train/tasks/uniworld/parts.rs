//! The checkpoints that UniWorld is put together from, and the folder that it is written to.

use super::block::{Eye, Maker};
use super::settings::{Encoder, UniworldSettings};
use crate::image::pillow::Filter;
use crate::model::clip::{ClipText, ClipTextConfig};
use crate::model::conversation::Reader;
use crate::model::dinov2::{Dinov2, Dinov2Config};
use crate::model::flux::FluxTransformer;
use crate::model::flux_vae::{self, VaeConfig, placed_width};
use crate::model::processor::FixedProcessor;
use crate::model::qwen2_5_vl::Qwen2_5Vl;
use crate::model::siglip::{SiglipConfig, SiglipVision};
use crate::model::tokenizer::Tokenizer;
use crate::model::uniworld::UniWorldConfig;
use crate::model::weights::{self, Files};
use crate::model::{ModelError, Weights, read_config};
use crate::train::autoencoder::Autoencoder;
use crate::train::sources::{Sources, files};
use crate::train::tasks::denoise::Denoise;
use crate::train::tasks::parts::{copy, copy_flux_parts, strip, write_json};
use crate::train::{TrainError, state};
use crate::world::SIDE;
use candle_core::{DType, Device, Tensor};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where the language model's own weights end and UniWorld's begin.
const DENOISER: &str = "denoise_tower.denoiser";
const REFERENCE: &str = "denoise_tower.siglip_projector";

/// The folders of the checkpoints, and the configuration.
pub(super) struct Parts {
    /// UniWorld's configuration.
    pub config: UniWorldConfig,
    json: Value,
    vlm: PathBuf,
    flux: PathBuf,
    reference: Option<(Encoder, PathBuf)>,
    /// The checkpoint of an earlier stage.
    begin: Option<PathBuf>,
}

impl Parts {
    /// # Errors
    /// Fails if a checkpoint is not named or not there, or its configuration is damaged.
    pub(super) fn open(sources: &Sources<'_>, encoder: Encoder) -> Result<Self, TrainError> {
        let (vlm, flux) = (sources.need("vlm")?, sources.need("flux")?);
        let reference = match encoder {
            Encoder::None => None,
            Encoder::Vae => Some((Encoder::Vae, flux.join("vae"))),
            encoder => Some((encoder, sources.need("reference")?)),
        };
        let mut json: Value = read_config(&vlm.join("config.json"))?;
        let denoiser: Value = read_config(&flux.join("transformer/config.json"))?;
        json["model_type"] = json!("univa_qwen2p5vl");
        json["denoise_tower"] = json!({
            "output_hidden_size": denoiser["joint_attention_dim"],
            "denoiser_config": denoiser,
        });
        let config = UniWorldConfig::parse(&json).map_err(TrainError::definition)?;
        Ok(Self {
            config,
            json,
            vlm,
            flux,
            reference,
            begin: sources.get("begin")?,
        })
    }

    /// The weights that the training begins with.
    ///
    /// # Errors
    /// Fails if a checkpoint has no weights.
    pub(super) fn base(&self) -> Result<Vec<(String, Arc<Files>)>, TrainError> {
        let mut base = Vec::new();
        if let Some(begin) = &self.begin {
            base.push((String::new(), files(&begin.join("uniworld"))?));
        }
        base.push((DENOISER.to_owned(), files(&self.flux.join("transformer"))?));
        base.push((String::new(), files(&self.vlm)?));
        Ok(base)
    }

    /// The networks that make prompts.
    ///
    /// # Errors
    /// Fails if weights are missing.
    pub(super) fn maker(
        &self,
        weights: &Weights,
        settings: &UniworldSettings,
        device: &Device,
    ) -> Result<Maker, TrainError> {
        let eye = self.reference.as_ref();
        Ok(Maker {
            vlm: Qwen2_5Vl::new(&self.config.vlm, weights)?,
            reader: Reader::open(&self.vlm)?,
            eye: eye
                .map(|(encoder, folder)| eye_of(*encoder, folder, device))
                .transpose()?,
            region: settings.region,
            vlm_sees_images: settings.vlm_sees_images,
            device: device.clone(),
        })
    }

    /// The denoiser with its autoencoder.
    ///
    /// # Errors
    /// Fails if weights are missing.
    pub(super) fn denoise(
        &self,
        weights: &Weights,
        device: &Device,
    ) -> Result<Denoise, TrainError> {
        let config = &self.config.denoise_tower.denoiser_config;
        Ok(Denoise {
            transformer: FluxTransformer::new(config, &weights.at(DENOISER))?,
            vae: Autoencoder::open(&self.flux.join("vae"), device)?,
            scheduler: read_config(&self.flux.join("scheduler/scheduler_config.json"))?,
            device: device.clone(),
        })
    }

    /// CLIP's vector of the empty text, which training always takes.
    ///
    /// # Errors
    /// Fails if the text encoder is absent.
    pub(super) fn pooled(&self, device: &Device) -> Result<Tensor, TrainError> {
        let folder = self.flux.join("text_encoder");
        let config: ClipTextConfig = read_config(&folder.join("config.json"))?;
        let clip = weights::load(&files(&folder)?, DType::F32, device, |weights| {
            ClipText::new(&config, weights)
        })?;
        let tokenizer = Tokenizer::open(&self.flux.join("tokenizer"))?;
        let ids = tokenizer.clip_ids("", config.max_position_embeddings)?.ids;
        let ids = Tensor::new(&ids[..], device)?.unsqueeze(0)?;
        Ok(clip.forward(&ids)?.pooled.detach())
    }

    /// Writes the whole checkpoint. The projector of an encoder other than SigLIP is a file of its own,
    /// `projector.safetensors`.
    ///
    /// # Errors
    /// Fails if a file cannot be read or written.
    pub(super) fn publish(
        &self,
        folder: &Path,
        mut weights: BTreeMap<String, Tensor>,
    ) -> Result<(), TrainError> {
        let own = folder.join("uniworld");
        copy_flux_parts(&self.flux, &folder.join("flux"))?;
        if let Some((encoder, from)) = &self.reference {
            let name = match encoder {
                Encoder::Dinov2 => Some("dinov2"),
                // The VAE is among FLUX's parts.
                Encoder::Vae => None,
                _ => Some("siglip"),
            };
            if let Some(name) = name {
                copy(from, &folder.join(name))?;
            }
            if *encoder != Encoder::Siglip {
                let projector = strip(&weights, REFERENCE);
                weights.retain(|name, _| !name.starts_with(REFERENCE));
                state::write_weights(&folder.join("projector.safetensors"), &projector)?;
            }
        }
        copy(&self.vlm, &own)?;
        write_json(&own.join("config.json"), &self.json)?;
        state::write_weights(&own.join("model.safetensors"), &weights)
    }
}

fn eye_of(encoder: Encoder, folder: &Path, device: &Device) -> Result<Eye, TrainError> {
    let (files, path) = (files(folder)?, folder.join("config.json"));
    let siglip = || -> Result<Eye, TrainError> {
        let config: SiglipConfig = read_config(&path)?;
        let config = config.vision();
        let tower = weights::load(&files, DType::F32, device, |weights| {
            SiglipVision::new(config, weights)
        })?;
        let processor = FixedProcessor::siglip(SIDE).with_published(folder)?;
        Ok(Eye::Siglip(tower, processor, config.hidden_size))
    };
    let dinov2 = || -> Result<Eye, TrainError> {
        let config: Dinov2Config = read_config(&path)?;
        let network = weights::load(&files, DType::F32, device, |weights| {
            Dinov2::new(&config, weights)
        })?;
        let processor = FixedProcessor::dinov2(SIDE).with_published(folder)?;
        let before = 1 + config.num_register_tokens;
        Ok(Eye::Dinov2(network, processor, config.hidden_size, before))
    };
    let vae = || -> Result<Eye, TrainError> {
        let config: VaeConfig = read_config(&path)?;
        let encoder = weights::load(&files, DType::F32, device, |weights| {
            flux_vae::Encoder::new(&config, weights)
        })?;
        let processor = FixedProcessor {
            filter: Filter::Bicubic,
            ..FixedProcessor::siglip(SIDE)
        };
        let width = placed_width(&config, SIDE as usize);
        Ok(Eye::Vae(Box::new(encoder), processor, width))
    };
    match encoder {
        Encoder::Siglip => siglip(),
        Encoder::Dinov2 => dinov2(),
        Encoder::Vae => vae(),
        Encoder::None => Err(ModelError::Input("no encoder is set".into()).into()),
    }
}
