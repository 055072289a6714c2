//! What the vision-language models have in common: a prompt of one picture and words, and its answer.

use crate::bench::clock::Seconds;
use crate::bench::network::{Bench, tokens};
use crate::model::Result;
use crate::model::conversation::Conversation;
use crate::model::qwen2_5_vl::Greedy;
use candle_core::Tensor;
use std::time::Instant;

/// The sizes of a vision tower, and the token that represents pictures.
pub(super) struct Sizes {
    /// Side of a patch, in pixels.
    pub patch_size: usize,
    /// Number of patches along the side of a token.
    pub merge_size: usize,
    /// Number of values in a patch.
    pub patch_values: usize,
    /// The token of the language model that represents a part of a picture.
    pub image_token: u32,
}

/// The features of a picture's patches.
type Look<'a> = dyn Fn(&Tensor, &[[usize; 3]]) -> Result<()> + 'a;

/// The tokens of an answer.
type Answer<'a> =
    dyn Fn(&Conversation, Greedy<'_>, &mut dyn FnMut(u32) -> bool) -> Result<Vec<u32>> + 'a;

/// Measures the vision tower, the prompt up to the first new token, and each further token. `build` makes the
/// network.
///
/// # Errors
/// Fails if the size of the picture is wrong, or if the device is out of memory.
pub(super) fn time_answers<N>(
    bench: &mut Bench<'_>,
    sizes: &Sizes,
    build: impl FnOnce(&mut Bench<'_>) -> Result<N>,
    look: impl Fn(&N, &Tensor, &[[usize; 3]]) -> Result<()>,
    answer: impl Fn(&N, &Conversation, Greedy<'_>, &mut dyn FnMut(u32) -> bool) -> Result<Vec<u32>>,
) -> Result<()> {
    let span = sizes.patch_size * sizes.merge_size;
    let [width, height] = bench.size;
    let merged = tokens(width, span)? * tokens(height, span)?;
    let grid = [1, height / sizes.patch_size, width / sizes.patch_size];
    let network = build(bench)?;
    let patches = grid[1] * grid[2];
    let pixels = bench.noise(&[patches, sizes.patch_values])?;
    let words = (0..bench.text_tokens).map(|number| (number % 100) as u32);
    let pads = std::iter::repeat_n(sizes.image_token, merged);
    let conversation = Conversation {
        ids: pads.chain(words).collect(),
        pixel_values: Some(pixels),
        grids: vec![grid],
    };
    let look: &Look<'_> = &|pixels, grids| look(&network, pixels, grids);
    let answer: &Answer<'_> = &|asked, greedy, each| answer(&network, asked, greedy, each);
    time_phases(bench, &conversation, look, answer)
}

fn time_phases(
    bench: &mut Bench<'_>,
    conversation: &Conversation,
    look: &Look<'_>,
    answer: &Answer<'_>,
) -> Result<()> {
    let prompt = conversation.ids.len();
    let patches: usize = conversation.grids.iter().map(|[t, h, w]| t * h * w).sum();
    bench.note_picture();
    bench.note_shape("image_patches", patches);
    bench.note_shape("prompt_tokens", prompt);
    bench.note_shape("new_tokens", bench.new_tokens);
    if let Some(pixels) = &conversation.pixel_values {
        bench.time("vision", || look(pixels, &conversation.grids))?;
    }
    let clock = bench.clock;
    let decode = |most: usize, later: &mut Vec<f64>| {
        let greedy = Greedy {
            max_new_tokens: most,
            eos: &[],
            repetition_penalty: 1.0,
        };
        let mut last: Option<Instant> = None;
        answer(conversation, greedy, &mut |_| {
            let now = Instant::now();
            later.extend(last.replace(now).map(|last| (now - last).as_secs_f64()));
            !clock.cancel.is_raised()
        })
    };
    bench.time("prefill", || decode(1, &mut Vec::new()))?;
    bench.report.rate("prefill", prompt);
    let mut later = Vec::new();
    decode(bench.new_tokens, &mut later)?;
    bench.note("decode", Seconds::summarise(later));
    bench.report.rate("decode", 1);
    Ok(())
}
