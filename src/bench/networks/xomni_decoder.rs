//! `xomni-decoder`: one Euler step of the decoder that reads text, with the codes and without them. The
//! inputs that stay the same are prepared before.

use crate::bench::network::{Bench, TimedNetwork, tokens};
use crate::model::Result;
use crate::model::flow_match::euler_step;
use crate::model::flux::{FluxConfig, latents};
use crate::model::xomni::{self, Condition};
use candle_core::Tensor;

/// Width of the codes' features in the released checkpoint.
const FEATURES: usize = 1536;

/// X-Omni's diffusion decoder.
pub(super) struct XOmniDecoder;

impl TimedNetwork for XOmniDecoder {
    const NAME: &'static str = "xomni-decoder";
    const SMALL: &'static str = include_str!("../../../configs/bench/flux.json");
    const RELEASED: &'static str = include_str!("../../../configs/released/x-omni/decoder-en.json");
    type Config = FluxConfig;

    fn time(config: &FluxConfig, bench: &mut Bench<'_>) -> Result<()> {
        let (device, words) = (bench.device(), bench.text_tokens);
        let (w, h) = (tokens(bench.size[0], 16)?, tokens(bench.size[1], 16)?);
        let network =
            bench.random(|weights| xomni::XOmniDecoder::new(config, FEATURES, false, weights))?;
        bench.note_picture();
        bench.note_shape("image_tokens", h * w);
        bench.note_shape("text_tokens", words);
        let x = bench.noise(&[1, h * w, config.in_channels])?;
        let features = bench.noise(&[1, h * w, FEATURES])?;
        let states = bench.noise(&[1, words, config.joint_attention_dim])?;
        let pooled = bench.noise(&[1, config.pooled_projection_dim])?;
        let (guidance, ids) = (
            Tensor::new(&[1f32], device)?,
            latents::image_ids(h, w, device)?,
        );
        let branch = |features: Option<&Tensor>| {
            let text = Some((&states, &pooled));
            network.prepare(Condition { features, text }, &guidance, &ids)
        };
        let (with, without) = (branch(Some(&features))?, branch(None)?);
        let sigma = Tensor::new(&[0.9f32], device)?;
        bench.time("step", || {
            let without = network.forward(&x, &without, &sigma)?;
            let with = network.forward(&x, &with, &sigma)?;
            let velocity = (&without + ((with - &without)? * 1.5)?)?;
            euler_step(&x, &velocity, 0.9, 0.85)
        })
    }
}
