//! The networks of the phases that all FLUX pipelines share, by configuration alone.

use super::networks::fatal;
use crate::generate::error::GenerateError;
use crate::generate::parts::Part;
use crate::model::clip::{ClipText, ClipTextConfig};
use crate::model::flux_vae::{Decoder, VaeConfig};
use crate::model::read_config;
use crate::model::t5::{T5Config, T5Encoder};
use candle_core::DType;
use std::path::Path;

/// The text encoders of a folder laid out as FLUX.1's; `t5` false leaves T5 out.
///
/// # Errors
/// When a configuration is absent or wrong.
pub fn text_parts(flux: &Path, t5: bool, dtype: DType) -> Result<Vec<Part>, GenerateError> {
    let mut parts = Vec::new();
    if t5 {
        let path = flux.join("text_encoder_2/config.json");
        let config: T5Config = read_config(&path).map_err(fatal)?;
        let build = |weights: &_| T5Encoder::new(&config, weights);
        parts.push(Part::of(
            "text",
            "text_encoder_2",
            "T5 encoder",
            dtype,
            build,
        )?);
    }
    let path = flux.join("text_encoder/config.json");
    let config: ClipTextConfig = read_config(&path).map_err(fatal)?;
    let build = |weights: &_| ClipText::new(&config, weights);
    parts.push(Part::of(
        "text",
        "text_encoder",
        "CLIP text encoder",
        dtype,
        build,
    )?);
    Ok(parts)
}

/// The decoder of the VAE.
///
/// # Errors
/// As [`text_parts`].
pub fn decode_part(flux: &Path, dtype: DType) -> Result<Part, GenerateError> {
    let config: VaeConfig = read_config(&flux.join("vae/config.json")).map_err(fatal)?;
    let build = |weights: &_| Decoder::new(&config, weights);
    Part::of("decode", "vae", "VAE decoder", dtype, build)
}

/// The same networks where FLUX's folder is the folder `flux` of a checkpoint.
pub fn below_flux(parts: impl IntoIterator<Item = Part>) -> impl Iterator<Item = Part> {
    parts.into_iter().map(|part| Part {
        folder: match part.folder {
            "text_encoder" => "flux/text_encoder",
            "text_encoder_2" => "flux/text_encoder_2",
            _ => "flux/vae",
        },
        ..part
    })
}
