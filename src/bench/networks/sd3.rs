//! `sd3`: one guided step of Stable Diffusion 3 or 3.5, which evaluates the transformer for two prompts, and the
//! update.

use crate::bench::network::{Bench, TimedNetwork, tokens};
use crate::model::Result;
use crate::model::flow_match::euler_step;
use crate::model::sd3::{Sd3Config, Sd3Prompt, Sd3Transformer, guided};

/// Number of pixels along the side of a latent cell.
const CELL: usize = 8;

/// The transformer of Stable Diffusion 3.5 medium. `--config` takes that of 3.5 large, too.
pub(super) struct Sd3;

impl TimedNetwork for Sd3 {
    const NAME: &'static str = "sd3";
    const SMALL: &'static str = include_str!("../../../configs/bench/sd3.json");
    const RELEASED: &'static str =
        include_str!("../../../configs/released/sd3.5-medium/transformer.json");
    type Config = Sd3Config;

    fn time(config: &Sd3Config, bench: &mut Bench<'_>) -> Result<()> {
        let patch = config.patch_size;
        let pixels = CELL * patch;
        let (w, h) = (
            tokens(bench.size[0], pixels)?,
            tokens(bench.size[1], pixels)?,
        );
        let words = bench.text_tokens;
        let network = bench.random(|weights| Sd3Transformer::new(config, weights))?;
        bench.note_picture();
        bench.note_shape("image_tokens", h * w);
        bench.note_shape("text_tokens", words);
        let x = bench.noise(&[1, config.in_channels, patch * h, patch * w])?;
        let prompt = Sd3Prompt {
            context: bench.noise(&[1, words, config.joint_attention_dim])?,
            pooled: bench.noise(&[1, config.pooled_projection_dim])?,
        };
        bench.time("step", || {
            let velocity = guided(&network, &x, 900.0, &prompt, Some(&prompt), 4.5)?;
            euler_step(&x, &velocity, 0.9, 0.85)
        })
    }
}
