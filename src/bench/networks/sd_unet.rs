//! `sd-unet`: one guided step of Stable Diffusion, which evaluates the UNet for two prompts, and the update.

use crate::bench::network::{Bench, TimedNetwork, tokens};
use crate::model::Result;
use crate::model::schedulers::{Levels, Sampler, SchedulerConfig};
use crate::model::stable_diffusion::{
    Added, Guidance, Prompt, UNet, UNetConfig, guided, size_numbers,
};

/// Number of pixels along the side of a latent cell.
const CELL: usize = 8;

/// The UNet of Stable Diffusion 1.5. `--config` takes that of SDXL, too.
pub(super) struct SdUnet;

impl TimedNetwork for SdUnet {
    const NAME: &'static str = "sd-unet";
    const SMALL: &'static str = include_str!("../../../configs/bench/sd-unet.json");
    const RELEASED: &'static str =
        include_str!("../../../configs/released/stable-diffusion-1.5/unet.json");
    type Config = UNetConfig;

    fn time(config: &UNetConfig, bench: &mut Bench<'_>) -> Result<()> {
        let (w, h) = (tokens(bench.size[0], CELL)?, tokens(bench.size[1], CELL)?);
        let words = bench.text_tokens;
        let unet = bench.random(|weights| UNet::new(config, weights))?;
        bench.note_picture();
        bench.note_shape("latent_cells", h * w);
        bench.note_shape("text_tokens", words);
        let device = bench.device().clone();
        let x = bench.noise(&[1, config.in_channels, h, w])?;
        let context = bench.noise(&[1, words, config.cross_attention_dim])?;
        let added = match config.pooled_width().filter(|_| config.is_xl()) {
            Some(width) => Some(Added {
                text_embeds: bench.noise(&[1, width])?,
                time_ids: size_numbers((CELL * h) as u32, (CELL * w) as u32, &device)?,
            }),
            None => None,
        };
        let prompt = Prompt { context, added };
        let guidance = Guidance {
            scale: 7.5,
            rescale: 0.0,
        };
        let scheduler = SchedulerConfig::named("EulerDiscreteScheduler");
        let plan = scheduler.plan(50, None, Levels::Own)?;
        let time = plan.timesteps.first().copied().unwrap_or(0.0);
        bench.time("step", || {
            let guess = guided(&unet, &x, time, &prompt, Some(&prompt), guidance)?;
            Sampler::new(&plan).step(&x, &guess, None)
        })
    }
}
