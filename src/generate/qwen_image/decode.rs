//! The phase `decode`: the autoencoder of Qwen-Image, from latents to pixels.

use crate::generate::latents::{self, to_pixels};
use crate::generate::pipeline::{CheckpointFolder, Network, NetworkInfo, Phase};
use crate::model::qwen_image::{QwenVaeConfig, QwenVaeDecoder};

/// The phase for a folder that has `vae/`.
pub(super) fn decode_phase(
    folder: &CheckpointFolder,
    stored_size: Option<[u32; 2]>,
    config: QwenVaeConfig,
) -> Phase {
    let info = NetworkInfo::new("VAE decoder", folder.location_of("vae"), folder.dtype());
    let decoder = Network::new(info, move |weights| QwenVaeDecoder::new(&config, weights));
    latents::decode_phase(decoder, stored_size, |decoder, latents| {
        to_pixels(&decoder.decode(latents)?)
    })
}
