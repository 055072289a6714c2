//! `qwen3-vl`: the vision tower, the prompt with its picture up to the first new token, and each further token.

use super::answering::{Sizes, time_answers};
use crate::bench::network::{Bench, TimedNetwork};
use crate::model::Result;
use crate::model::qwen3_vl::{self, Qwen3VlConfig};

/// The vision-language model.
pub(super) struct Qwen3Vl;

impl TimedNetwork for Qwen3Vl {
    const NAME: &'static str = "qwen3-vl";
    const SMALL: &'static str = include_str!("../../../configs/bench/qwen3-vl.json");
    const RELEASED: &'static str = include_str!("../../../configs/released/qwen3-vl-8b.json");
    type Config = Qwen3VlConfig;

    fn time(config: &Qwen3VlConfig, bench: &mut Bench<'_>) -> Result<()> {
        let sizes = Sizes {
            patch_size: config.vision.patch_size,
            merge_size: config.vision.spatial_merge_size,
            patch_values: config.vision.patch_values(),
            image_token: config.image_token_id,
        };
        time_answers(
            bench,
            &sizes,
            |bench| bench.random(|weights| qwen3_vl::Qwen3Vl::new(config, weights)),
            |network, pixels, grids| network.image_features(pixels, grids).map(drop),
            |network, asked, greedy, each| network.generate_greedy(asked, greedy, each),
        )
    }
}
