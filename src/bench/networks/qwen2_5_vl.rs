//! `qwen2.5-vl`: the vision tower, the prompt with its picture up to the first new token, and each further
//! token.

use crate::bench::clock::Seconds;
use crate::bench::network::{Bench, TimedNetwork, tokens};
use crate::model::Result;
use crate::model::conversation::Conversation;
use crate::model::qwen2_5_vl::{self, Greedy, Qwen2_5VlConfig};
use std::time::Instant;

/// The vision-language model.
pub(super) struct Qwen2_5Vl;

impl TimedNetwork for Qwen2_5Vl {
    const NAME: &'static str = "qwen2.5-vl";
    const SMALL: &'static str = include_str!("../../../configs/bench/qwen2.5-vl.json");
    const RELEASED: &'static str = include_str!("../../../configs/released/qwen2.5-vl-7b.json");
    const SIZE: [usize; 2] = [504, 504];
    type Config = Qwen2_5VlConfig;

    fn time(config: &Qwen2_5VlConfig, bench: &mut Bench<'_>) -> Result<()> {
        let vision = &config.vision;
        let span = vision.patch_size * vision.spatial_merge_size;
        let [width, height] = bench.size;
        let merged = tokens(width, span)? * tokens(height, span)?;
        let grid = [1, height / vision.patch_size, width / vision.patch_size];
        let network = bench.random(|weights| qwen2_5_vl::Qwen2_5Vl::new(config, weights))?;
        let patches = grid[1] * grid[2];
        let pixels = bench.noise(&[patches, vision.patch_values()])?;
        let words = (0..bench.text_tokens).map(|number| (number % 100) as u32);
        let pads = std::iter::repeat_n(config.image_token_id, merged);
        let conversation = Conversation {
            ids: pads.chain(words).collect(),
            pixel_values: Some(pixels.clone()),
            grids: vec![grid],
        };
        let prompt = conversation.ids.len();
        bench.note_picture();
        bench.note_shape("image_patches", patches);
        bench.note_shape("prompt_tokens", prompt);
        bench.note_shape("new_tokens", bench.new_tokens);
        bench.time("vision", || network.image_embeds(&pixels, &[grid]))?;
        let clock = bench.clock;
        let answer = |most: usize, later: &mut Vec<f64>| {
            let greedy = Greedy {
                max_new_tokens: most,
                eos: &[],
                repetition_penalty: 1.0,
            };
            let mut last: Option<Instant> = None;
            network.generate_greedy(&conversation, greedy, &mut |_| {
                let now = Instant::now();
                later.extend(last.replace(now).map(|last| (now - last).as_secs_f64()));
                !clock.cancel.is_raised()
            })
        };
        bench.time("prefill", || answer(1, &mut Vec::new()))?;
        bench.report.rate("prefill", prompt);
        let mut later = Vec::new();
        answer(bench.new_tokens, &mut later)?;
        bench.note("decode", Seconds::summarise(later));
        bench.report.rate("decode", 1);
        Ok(())
    }
}
