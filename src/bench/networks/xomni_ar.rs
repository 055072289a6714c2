//! `xomni-ar`: the prompt, and then image tokens of one picture at a time, of eight pictures together, and of another
//! number of pictures if asked for.

use crate::bench::clock::Seconds;
use crate::bench::network::{Bench, TimedNetwork};
use crate::model::sampling::Sampling;
use crate::model::xomni::{self, Drawing, XOmniConfig};
use crate::model::{ModelError, Result};
use std::time::Instant;

/// The published settings.
const SAMPLING: Sampling = Sampling {
    temperature: 1.0,
    top_k: 50,
    top_p: 1.0,
    min_p: 0.03,
};

/// X-Omni's autoregressive model.
pub(super) struct XOmniAr;

impl TimedNetwork for XOmniAr {
    const NAME: &'static str = "xomni-ar";
    const SMALL: &'static str = include_str!("../../../configs/bench/xomni-ar.json");
    const RELEASED: &'static str = include_str!("../../../configs/released/x-omni/config.json");
    type Config = XOmniConfig;

    /// A prompt of words, and `new_tokens` image tokens after it.
    fn time(config: &XOmniConfig, bench: &mut Bench<'_>) -> Result<()> {
        config.check().map_err(ModelError::Input)?;
        let network = bench.random(|weights| xomni::XOmniAr::new(config, weights))?;
        bench.note_shape("prompt_tokens", bench.text_tokens);
        bench.note_shape("new_tokens", bench.new_tokens);
        let words = config.vocab_size.min(100) as u32;
        let prompt: Vec<u32> = (0..bench.text_tokens as u32)
            .map(|number| number % words)
            .collect();
        bench.time("prefill", || network.start(&prompt, 0))?;
        bench.report.rate("prefill", prompt.len());
        bench.note_batch();
        let batches = [("draw-1", 1), ("draw-8", 8), ("draw-batch", bench.batch)];
        let count = if bench.batch == 1 { 2 } else { 3 };
        for (phase, together) in batches.into_iter().take(count) {
            let drawings: Vec<Drawing<'_>> = (0..together)
                .map(|seed| Drawing {
                    prompt: &prompt,
                    negative: &[],
                    seed: seed as u64,
                })
                .collect();
            let (mut later, mut last): (Vec<f64>, Option<Instant>) = (Vec::new(), None);
            network.draw(&drawings, bench.new_tokens, &SAMPLING, 1.0, &mut |_| {
                let now = Instant::now();
                later.extend(last.replace(now).map(|last| (now - last).as_secs_f64()));
                !bench.clock.cancel.is_raised()
            })?;
            bench.note(phase, Seconds::summarise(later));
            bench.report.rate(phase, together);
        }
        Ok(())
    }
}
