//! `siglip`: pictures of the size in the configuration.

use crate::bench::network::{Bench, TimedNetwork, tokens};
use crate::model::Result;
use crate::model::siglip::{SiglipConfig, SiglipVision};

/// The vision tower.
pub(super) struct Siglip;

impl TimedNetwork for Siglip {
    const NAME: &'static str = "siglip";
    const SMALL: &'static str = include_str!("../../../configs/bench/siglip.json");
    const RELEASED: &'static str =
        include_str!("../../../configs/released/siglip2-so400m-patch16-512.json");
    type Config = SiglipConfig;

    fn time(config: &SiglipConfig, bench: &mut Bench<'_>) -> Result<()> {
        let config = config.vision();
        let side = config.image_size;
        let patches = tokens(side, config.patch_size)?.pow(2);
        bench.note_shape("patches", patches);
        bench.note_batch();
        let network = bench.random(|weights| SiglipVision::new(config, weights))?;
        let pixels = bench.noise(&[bench.batch, config.num_channels, side, side])?;
        bench.time("forward", || network.forward(&pixels))?;
        bench.report.rate("forward", bench.batch * patches);
        Ok(())
    }
}
