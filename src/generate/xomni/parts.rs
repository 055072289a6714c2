//! The networks of X-Omni by configuration alone.

use super::{XOmniSettings, decoder_folder};
use crate::generate::diffusion::{below_flux, decode_part, fatal, text_parts};
use crate::generate::error::GenerateError;
use crate::generate::parts::Part;
use crate::model::flux::FluxConfig;
use crate::model::read_config;
use crate::model::weights::{Asked, Files};
use crate::model::xomni::{Config, Vit, VqDecoder, VqEncoder, XOmniAr, XOmniDecoder};
use candle_core::DType;
use std::path::Path;

/// The networks' tensors, by the configurations in `folder`. Where no decoder weights are, the configuration's own word
/// `image_only` tells the kind.
///
/// # Errors
/// When a configuration is absent or wrong.
pub fn parts(
    settings: &XOmniSettings,
    folder: &Path,
    gpu: bool,
) -> Result<Vec<Part>, GenerateError> {
    let dtype = settings.precision.dtype(gpu);
    let own = folder.join("xomni");
    let config = Config::read(&own).map_err(fatal)?;
    let vision = config.vision().map_err(fatal)?;
    let encoder = &vision.encoder;
    let place = decoder_folder(&own, vision);
    let flux: FluxConfig = read_config(&place.join("config.json")).map_err(fatal)?;
    let image_only = match Files::open(&place) {
        Ok(files) => XOmniDecoder::is_image_only(&files),
        Err(_) => {
            read_config::<Kind>(&place.join("config.json"))
                .map_err(fatal)?
                .image_only
        }
    };
    let mut parts = vec![
        Part::of(
            "look",
            "xomni (vision pickle)",
            "SigLIP2-g",
            dtype,
            |weights| Vit::new(encoder, weights),
        )?,
        Part::of(
            "look",
            "xomni (quantizer pickle)",
            "quantizer, encoding",
            DType::F32,
            |weights| VqEncoder::new(encoder, weights),
        )?,
    ];
    let place_of_vae = folder.join("flux");
    if !image_only {
        parts.extend(below_flux(text_parts(&place_of_vae, true, dtype)?));
    }
    parts.push(Part::of(
        "tokens",
        "xomni",
        "autoregressive model",
        dtype,
        |weights| XOmniAr::new(&config, weights),
    )?);
    parts.push(Part::of(
        "denoise",
        "xomni (quantizer pickle)",
        "quantizer, decoding",
        dtype,
        |weights| VqDecoder::new(encoder, weights),
    )?);
    parts.push(Part::of(
        "denoise",
        "xomni (decoder)",
        "diffusion decoder",
        dtype,
        |weights| XOmniDecoder::new(&flux, encoder.z_channels, image_only, weights),
    )?);
    if image_only {
        parts.push(left_alone(&flux, dtype));
    }
    parts.extend(below_flux([decode_part(&place_of_vae, dtype)?]));
    Ok(parts)
}

/// What an image-only decoder's file holds beside: projections of what was seen, and the text's embedder.
fn left_alone(flux: &FluxConfig, dtype: DType) -> Part {
    let width = flux.width();
    let pair = |name: String, input: usize| {
        let tensor = |leaf: &str, shape: Vec<usize>| Asked {
            name: format!("{name}.{leaf}"),
            shape,
        };
        [
            tensor("weight", vec![width, input]),
            tensor("bias", vec![width]),
        ]
    };
    let projections = (0..flux.num_layers)
        .flat_map(|i| pair(format!("transformer_blocks.{i}.attn.to_out.0"), width));
    Part {
        phase: "denoise",
        folder: "xomni (decoder)",
        name: "diffusion decoder",
        dtype,
        tensors: projections
            .chain(pair("context_embedder".into(), flux.joint_attention_dim))
            .collect(),
        used: false,
    }
}

#[derive(serde::Deserialize)]
struct Kind {
    #[serde(default)]
    image_only: bool,
}
