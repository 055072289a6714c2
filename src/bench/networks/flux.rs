//! `flux`: one Euler step, which is the forward pass of the transformer and the update, and if asked for all steps
//! of a picture. The inputs that stay the same are prepared before.

use crate::bench::clock::Clock;
use crate::bench::network::{Bench, TimedNetwork, tokens};
use crate::model::Result;
use crate::model::flow_match::euler_step;
use crate::model::flux::{FluxConfig, FluxTransformer, latents};
use candle_core::Tensor;

/// FLUX's transformer.
pub(super) struct Flux;

impl TimedNetwork for Flux {
    const NAME: &'static str = "flux";
    const SMALL: &'static str = include_str!("../../../configs/bench/flux.json");
    const RELEASED: &'static str =
        include_str!("../../../configs/released/flux-1-dev/transformer.json");
    type Config = FluxConfig;

    fn time(config: &FluxConfig, bench: &mut Bench<'_>) -> Result<()> {
        let (device, words) = (bench.device(), bench.text_tokens);
        let (w, h) = (tokens(bench.size[0], 16)?, tokens(bench.size[1], 16)?);
        let network = bench.random(|weights| FluxTransformer::new(config, weights))?;
        bench.note_picture();
        bench.note_shape("image_tokens", h * w);
        bench.note_shape("text_tokens", words);
        let x = bench.noise(&[1, h * w, config.in_channels])?;
        let text = bench.noise(&[1, words, config.joint_attention_dim])?;
        let pooled = bench.noise(&[1, config.pooled_projection_dim])?;
        let guidance = Tensor::new(&[3.5f32], device)?;
        let (image_ids, text_ids) = (
            latents::image_ids(h, w, device)?,
            latents::text_ids(words, device)?,
        );
        let guidance = config.guidance_embeds.then_some(&guidance);
        let conditioning = network.prepare(&text, &pooled, guidance, &image_ids, &text_ids)?;
        let sigma = Tensor::new(&[0.9f32], device)?;
        bench.time("step", || {
            let velocity = network.forward(&x, &conditioning, &sigma, None)?;
            euler_step(&x, &velocity, 0.9, 0.85)
        })?;
        let Some(steps) = bench.steps else {
            return Ok(());
        };
        bench.note_shape("steps", steps);
        let level = |number: usize| 1.0 - number as f32 / steps as f32;
        // The step before warmed everything up.
        let once = Clock {
            warmup: 0,
            repeats: 1,
            ..*bench.clock
        };
        let seconds = once.time("picture", || {
            let mut x = x.clone();
            for number in 0..steps {
                let (now, next) = (level(number), level(number + 1));
                let sigma = Tensor::new(&[now], device)?;
                let velocity = network.forward(&x, &conditioning, &sigma, None)?;
                x = euler_step(&x, &velocity, now, next)?;
            }
            Ok(x)
        })?;
        bench.note("picture", seconds);
        Ok(())
    }
}
