//! `qwen2.5-vl`: the vision tower, the prompt with its picture up to the first new token, and each further
//! token.

use super::answering::{Sizes, time_answers};
use crate::bench::network::{Bench, TimedNetwork};
use crate::model::Result;
use crate::model::qwen2_5_vl::{self, Qwen2_5VlConfig};

/// The vision-language model.
pub(super) struct Qwen2_5Vl;

impl TimedNetwork for Qwen2_5Vl {
    const NAME: &'static str = "qwen2.5-vl";
    const SMALL: &'static str = include_str!("../../../configs/bench/qwen2.5-vl.json");
    const RELEASED: &'static str = include_str!("../../../configs/released/qwen2.5-vl-7b.json");
    const SIZE: [usize; 2] = [504, 504];
    type Config = Qwen2_5VlConfig;

    fn time(config: &Qwen2_5VlConfig, bench: &mut Bench<'_>) -> Result<()> {
        let sizes = Sizes {
            patch_size: config.vision.patch_size,
            merge_size: config.vision.spatial_merge_size,
            patch_values: config.vision.patch_values(),
            image_token: config.image_token_id,
        };
        time_answers(
            bench,
            &sizes,
            |bench| bench.random(|weights| qwen2_5_vl::Qwen2_5Vl::new(config, weights)),
            |network, pixels, grids| network.image_embeds(pixels, grids).map(drop),
            |network, asked, greedy, each| network.generate_greedy(asked, greedy, each),
        )
    }
}
