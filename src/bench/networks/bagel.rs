//! `bagel`: one picture through the eyes, a prompt, one step of a picture after the prompt without guidance,
//! and each further word.

use crate::bench::clock::Seconds;
use crate::bench::network::{Bench, TimedNetwork, tokens};
use crate::model::bagel::{self, BagelConfig, Context, Decoding, Eye, Grid, SpecialTokens};
use crate::model::{ModelError, Result};
use candle_core::DType;
use std::time::Instant;

/// Any ids, since the weights are random.
const SPECIAL: SpecialTokens = SpecialTokens {
    im_start: 0,
    // An id that no random network writes, so that words never end early.
    im_end: u32::MAX,
    vision_start: 1,
    vision_end: 2,
};

/// Side of a token of latents, in pixels.
const TOKEN: usize = 16;

/// BAGEL without its autoencoder, which `flux-vae` measures.
pub(super) struct Bagel;

impl TimedNetwork for Bagel {
    const NAME: &'static str = "bagel";
    const SMALL: &'static str = include_str!("../../../configs/bench/bagel.json");
    const RELEASED: &'static str = concat!(
        "{\"llm_config\": ",
        include_str!("../../../configs/released/bagel/llm_config.json"),
        ", \"vit_config\": ",
        include_str!("../../../configs/released/bagel/vit_config.json"),
        "}"
    );
    type Config = BagelConfig;

    fn time(config: &BagelConfig, bench: &mut Bench<'_>) -> Result<()> {
        config.check().map_err(ModelError::Input)?;
        let grid = Grid {
            h: tokens(bench.size[1], TOKEN)?,
            w: tokens(bench.size[0], TOKEN)?,
        };
        bench.note_picture();
        time_eye(config, bench)?;
        let model = bench.random(|weights| bagel::Bagel::new(config, weights))?;
        let words = config.llm.vocab_size.min(100) as u32;
        let prompt: Vec<u32> = (0..bench.text_tokens as u32)
            .map(|number| number % words)
            .collect();
        let special = SpecialTokens {
            im_end: 3 % words,
            ..SPECIAL
        };
        let read = || -> Result<Context> {
            let mut context = Context::default();
            model.read_text(&prompt, special, &mut context)?;
            Ok(context)
        };
        bench.note_shape("prompt_tokens", prompt.len() + 2);
        bench.note_shape("image_tokens", grid.count() + 2);
        bench.note_shape("new_tokens", bench.new_tokens);
        bench.time("prefill", read)?;
        bench.report.rate("prefill", prompt.len() + 2);
        let context = read()?;
        let branch = model.branch(&[&context], grid)?;
        let noise = bench.noise(&[1, grid.count(), model.token_width()])?;
        let noise = noise.to_dtype(DType::F32)?;
        bench.time("step", || {
            let states = model.noise_states(&noise, grid, &[0.9], SPECIAL, &branch)?;
            model.velocity(&states)
        })?;
        let (mut later, mut last): (Vec<f64>, Option<Instant>) = (Vec::new(), None);
        let mut go_on = || {
            let now = Instant::now();
            later.extend(last.replace(now).map(|last| (now - last).as_secs_f64()));
            !bench.clock.cancel.is_raised()
        };
        // The limit counts the first token, and the time of a token is that between two of them.
        let limit = bench.new_tokens + 2;
        model.write(&context, SPECIAL, limit, &mut Decoding::Greedy, &mut go_on)?;
        bench.note("decode", Seconds::summarise(later));
        bench.report.rate("decode", 1);
        Ok(())
    }
}

/// The eyes are always in f32.
fn time_eye(config: &BagelConfig, bench: &mut Bench<'_>) -> Result<()> {
    let dtype = std::mem::replace(&mut bench.dtype, DType::F32);
    let eye = bench.random(|weights| Eye::new(config, weights));
    let (vit, [width, height]) = (&config.vit, bench.size);
    let whole = |side: usize| (side.min(vit.image_size) / vit.patch_size).max(1) * vit.patch_size;
    let pixels = bench.noise(&[vit.num_channels, whole(height), whole(width)]);
    bench.dtype = dtype;
    let (eye, pixels) = (eye?, pixels?);
    let grid = eye.grid(&pixels)?;
    bench.note_shape("image_patches", grid.count());
    bench.time("vision", || eye.embeds(&eye.features(&pixels)?, grid))?;
    bench.report.rate("vision", grid.count());
    Ok(())
}
