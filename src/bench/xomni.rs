//! What is timed of X-Omni: drawing image tokens one picture at a time and eight together, and a step of the
//! decoder.

use super::networks::{Shapes, noise, note, picture, tokens};
use super::{Clock, Report, Seconds};
use crate::model::flow_match::euler_step;
use crate::model::flux::{FluxConfig, latents};
use crate::model::sampling::Sampling;
use crate::model::weights::random;
use crate::model::xomni::{Condition, Config, Drawing, XOmniAr, XOmniDecoder};
use crate::model::{ModelError, Result};
use candle_core::{DType, Tensor};
use std::time::Instant;

/// Width of the codes' features, as released.
const FEATURES: usize = 1536;

/// The published settings.
const SAMPLING: Sampling = Sampling {
    temperature: 1.0,
    top_k: 50,
    top_p: 1.0,
    min_p: 0.03,
};

/// Prompts of words; `new_tokens` image tokens after them.
pub(super) fn ar(
    report: &mut Report,
    config: &Config,
    shapes: Shapes,
    dtype: DType,
    clock: &Clock<'_>,
) -> Result<()> {
    config.check().map_err(ModelError::Input)?;
    let (network, parameters) =
        random(dtype, clock.device, |weights| XOmniAr::new(config, weights))?;
    report.parameters = parameters;
    report.shapes.insert("prompt_tokens", shapes.text_tokens);
    report.shapes.insert("new_tokens", shapes.new_tokens);
    let words = config.vocab_size.min(100) as u32;
    let prompt: Vec<u32> = (0..shapes.text_tokens as u32)
        .map(|number| number % words)
        .collect();
    let seconds = clock.time("prefill", || network.start(&prompt, 0))?;
    note(report, "prefill", seconds);
    report.rate("prefill", prompt.len());
    for (phase, together) in [("draw-1", 1), ("draw-8", 8)] {
        let drawings: Vec<Drawing<'_>> = (0..together)
            .map(|seed| Drawing {
                prompt: &prompt,
                negative: &[],
                seed,
            })
            .collect();
        let (mut later, mut last): (Vec<f64>, Option<Instant>) = (Vec::new(), None);
        network.draw(&drawings, shapes.new_tokens, &SAMPLING, 1.0, &mut |_| {
            let now = Instant::now();
            later.extend(last.replace(now).map(|last| (now - last).as_secs_f64()));
            !clock.cancel.is_raised()
        })?;
        note(report, phase, Seconds::summarize(later));
        report.rate(phase, together as usize);
    }
    Ok(())
}

/// One Euler step of the decoder that reads text: with the codes and without them, everything that stays the
/// same prepared.
pub(super) fn decoder(
    report: &mut Report,
    config: &FluxConfig,
    shapes: Shapes,
    dtype: DType,
    clock: &Clock<'_>,
) -> Result<()> {
    let device = clock.device;
    let (w, h) = (tokens(shapes.size[0], 16)?, tokens(shapes.size[1], 16)?);
    let (network, parameters) = random(dtype, device, |weights| {
        XOmniDecoder::new(config, FEATURES, false, weights)
    })?;
    report.parameters = parameters;
    picture(report, shapes);
    report.shapes.insert("image_tokens", h * w);
    report.shapes.insert("text_tokens", shapes.text_tokens);
    let x = noise(&[1, h * w, config.in_channels], dtype, device)?;
    let features = noise(&[1, h * w, FEATURES], dtype, device)?;
    let states = noise(
        &[1, shapes.text_tokens, config.joint_attention_dim],
        dtype,
        device,
    )?;
    let pooled = noise(&[1, config.pooled_projection_dim], dtype, device)?;
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
    let seconds = clock.time("step", || {
        let without = network.forward(&x, &without, &sigma)?;
        let with = network.forward(&x, &with, &sigma)?;
        let velocity = (&without + ((with - &without)? * 1.5)?)?;
        euler_step(&x, &velocity, 0.9, 0.85)
    })?;
    note(report, "step", seconds);
    Ok(())
}
