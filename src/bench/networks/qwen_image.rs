//! `qwen-image`: one guided step, which evaluates the transformer for two prompts, and the update.

use crate::bench::network::{Bench, TimedNetwork, tokens};
use crate::model::Result;
use crate::model::flow_match::euler_step;
use crate::model::qwen_image::{QwenImageConfig, QwenImageTransformer, renormed};
use candle_core::Tensor;

/// Side of a token, in pixels.
const TOKEN: usize = 16;

/// The transformer of Qwen-Image.
pub(super) struct QwenImage;

impl TimedNetwork for QwenImage {
    const NAME: &'static str = "qwen-image";
    const SMALL: &'static str = include_str!("../../../configs/bench/qwen-image.json");
    const RELEASED: &'static str =
        include_str!("../../../configs/released/qwen-image/transformer.json");
    type Config = QwenImageConfig;

    fn time(config: &QwenImageConfig, bench: &mut Bench<'_>) -> Result<()> {
        let device = bench.device().clone();
        let words = bench.text_tokens;
        let (w, h) = (tokens(bench.size[0], TOKEN)?, tokens(bench.size[1], TOKEN)?);
        let network = bench.random(|weights| QwenImageTransformer::new(config, weights))?;
        bench.note_picture();
        bench.note_shape("image_tokens", h * w);
        bench.note_shape("text_tokens", words);
        let x = bench.noise(&[1, h * w, config.in_channels])?;
        let text = bench.noise(&[1, words, config.joint_attention_dim])?;
        let places = network.places(&[(h, w)], words, &device)?;
        let sigma = Tensor::new(&[0.9f32], &device)?;
        bench.time("step", || {
            let with = network.forward(&x, &text, &sigma, &places)?;
            let without = network.forward(&x, &text, &sigma, &places)?;
            euler_step(&x, &renormed(&with, &without, 4.0)?, 0.9, 0.85)
        })
    }
}
