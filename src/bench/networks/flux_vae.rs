//! `flux-vae`: from latents to pixels, and back.

use crate::bench::network::{Bench, TimedNetwork, tokens};
use crate::model::Result;
use crate::model::flux_vae::{Decoder, Encoder, VaeConfig};

/// FLUX's autoencoder.
pub(super) struct FluxVae;

impl TimedNetwork for FluxVae {
    const NAME: &'static str = "flux-vae";
    // The released network is small enough to be the small one too.
    const SMALL: &'static str = Self::RELEASED;
    const RELEASED: &'static str = include_str!("../../../configs/released/flux-1-dev/vae.json");
    type Config = VaeConfig;

    fn time(config: &VaeConfig, bench: &mut Bench<'_>) -> Result<()> {
        let scale = config.scale_factor();
        let (w, h) = (tokens(bench.size[0], scale)?, tokens(bench.size[1], scale)?);
        bench.note_shape("latent_height", h);
        bench.note_shape("latent_width", w);
        let decoder = bench.random(|weights| Decoder::new(config, weights))?;
        let latents = bench.noise(&[1, config.latent_channels, h, w])?;
        bench.time("decode", || decoder.decode(&latents))?;
        drop(decoder);
        let encoder = bench.random(|weights| Encoder::new(config, weights))?;
        let pixels = bench.noise(&[1, config.in_channels, scale * h, scale * w])?;
        bench.time("encode", || encoder.mean(&pixels))
    }
}
