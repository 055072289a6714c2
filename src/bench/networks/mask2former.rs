//! `mask2former`: pictures at the size that the network reads, always in f32.

use crate::bench::network::{Bench, TimedNetwork};
use crate::model::Result;
use crate::model::mask2former::{self, Mask2FormerConfig};
use candle_core::DType;

/// The detector.
pub(super) struct Mask2Former;

impl TimedNetwork for Mask2Former {
    const NAME: &'static str = "mask2former";
    // The released network is small enough to be the small one too.
    const SMALL: &'static str = Self::RELEASED;
    const RELEASED: &'static str =
        include_str!("../../../configs/released/mask2former-swin-s.json");
    type Config = Mask2FormerConfig;

    fn time(config: &Mask2FormerConfig, bench: &mut Bench<'_>) -> Result<()> {
        bench.note_picture();
        bench.note_batch();
        bench.dtype = DType::F32;
        bench.report.dtype = bench.dtype.as_str();
        let network = bench.random(|weights| mask2former::Mask2Former::new(config, weights))?;
        let [width, height] = bench.size;
        let pixels = bench.noise(&[bench.batch, 3, height, width])?;
        bench.time("forward", || network.forward(&pixels))
    }
}
