//! The phase `decode`: the autoencoder of FLUX, from packed latents to pixels.

use super::settings::PictureSettings;
use super::size::{Canvas, Sizing};
use crate::generate::error::GenerateError;
use crate::generate::latents::{Decode, to_pixels};
use crate::generate::pipeline::{CheckpointFolder, Network, NetworkInfo, Phase, running};
use crate::model::flux::latents::unpack;
use crate::model::flux_vae::{Decoder, VaeConfig};

/// The phase for a folder that has `vae/`.
pub(super) fn decode_phase(
    flux: &CheckpointFolder,
    vae: VaeConfig,
    settings: Result<(PictureSettings, Sizing), GenerateError>,
) -> Phase {
    let info = NetworkInfo::new("VAE decoder", flux.location_of("vae"), flux.dtype());
    let decoder = Network::new(info, move |weights| Decoder::new(&vae, weights));
    Phase::new("decode", vec![decoder.any()], |_| {
        let (settings, sizing) = settings?;
        let stored_size = settings.stored_size;
        Ok(Decode::new(
            decoder,
            stored_size,
            move |decoder: &Decoder, tokens, request, _| {
                let Canvas { h, w } = sizing.canvas(request)?;
                unpack(tokens, h, w)
                    .and_then(|latents| to_pixels(&decoder.decode(&latents)?))
                    .map_err(running("decode"))
            },
        ))
    })
}
