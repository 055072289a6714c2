//! `clip`: both towers, with pictures and as many texts.

use crate::bench::network::{Bench, TimedNetwork};
use crate::model::Result;
use crate::model::clip::{self, ClipConfig};
use candle_core::{DType, Tensor};

/// The two towers.
pub(super) struct Clip;

impl TimedNetwork for Clip {
    const NAME: &'static str = "clip";
    // The released network is small enough to be the small one too.
    const SMALL: &'static str = Self::RELEASED;
    const RELEASED: &'static str = include_str!("../../../configs/released/clip-vit-l-14.json");
    type Config = ClipConfig;

    fn time(config: &ClipConfig, bench: &mut Bench<'_>) -> Result<()> {
        bench.note_batch();
        let network = bench.random(|weights| clip::Clip::new(config, weights))?;
        let (side, context) = (network.image_size(), network.context());
        let pixels = bench.noise(&[bench.batch, 3, side, side])?;
        let ids = Tensor::ones((bench.batch, context), DType::U32, bench.device())?;
        bench.time("image", || network.image_features(&pixels))?;
        bench.time("text", || network.text_features(&ids))
    }
}
