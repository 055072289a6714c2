//! The networks of the parity cases: contexts that are forked, and pictures that are drawn together.

use super::*;
use crate::model::weights::{Files, load};
use candle_core::{DType, Device, Tensor};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const SPECIAL: SpecialTokens = SpecialTokens {
    im_start: 112,
    im_end: 113,
    vision_start: 116,
    vision_end: 117,
};

fn folder() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join("tests/golden/parity/bagel_edit/checkpoint")
}

fn model() -> Bagel {
    let config = BagelConfig::read(&folder()).unwrap();
    let files = Arc::new(Files::open(&folder().join("ema.safetensors")).unwrap());
    let build = |weights: &_| Bagel::new(&config, weights);
    load(&files, DType::F32, &Device::Cpu, build).unwrap()
}

fn noise(shape: &[usize]) -> Tensor {
    Tensor::randn(0f32, 1.0, shape, &Device::Cpu).unwrap()
}

fn difference(a: &Tensor, b: &Tensor) -> f32 {
    assert_eq!(a.dims(), b.dims());
    let difference = (a - b).and_then(|d| d.abs()?.flatten_all()?.max(0)?.to_scalar());
    difference.unwrap()
}

fn velocity(model: &Bagel, context: &Context, x: &Tensor, grid: Grid) -> Tensor {
    let branch = model.branch(&[context], grid).unwrap();
    let states = model.noise_states(x, grid, &[0.6], SPECIAL, &branch);
    model.velocity(&states.unwrap()).unwrap()
}

#[test]
fn a_forked_context_is_the_same_as_one_that_was_read_alone() {
    let model = model();
    let (latents, embeds) = (noise(&[4, 6, 4]), noise(&[6, 48]));
    let read_pictures = |context: &mut Context| {
        model.read_latents(&latents, SPECIAL, context).unwrap();
        model.read_picture(&embeds, SPECIAL, context).unwrap();
    };
    let mut full = Context::default();
    read_pictures(&mut full);
    let (pictures, mark) = (full.clone(), full.mark());
    // 3 · 2 latents and 6 patches, each with two tokens around them, and one position for each picture.
    let want = Mark {
        length: 16,
        position: 2,
    };
    assert_eq!(mark, want);
    model.read_text(&[5, 9, 2], SPECIAL, &mut full).unwrap();
    assert_eq!((full.mark().length, full.mark().position), (21, 7));
    let (x, grid) = (noise(&[1, 8, 16]), Grid { h: 2, w: 4 });
    let mut alone = Context::default();
    read_pictures(&mut alone);
    let want = velocity(&model, &alone, &x, grid);
    // What the fork read later does not reach the context that it came from.
    assert_eq!(
        difference(&velocity(&model, &pictures, &x, grid), &want),
        0.0
    );
    let prefix = full.up_to(mark).unwrap();
    assert_eq!(difference(&velocity(&model, &prefix, &x, grid), &want), 0.0);
    assert!(difference(&velocity(&model, &full, &x, grid), &want) > 1e-4);
    assert_eq!(full.up_to(Mark::default()).unwrap().mark(), Mark::default());

    // Words leave the context as it is, and continue it as if they had been read.
    let first = |context: &Context| {
        let mut go_on = || true;
        model.write(context, SPECIAL, 4, &mut Decoding::Greedy, &mut go_on)
    };
    let (one, again) = (first(&full).unwrap(), first(&full).unwrap());
    assert_eq!(one.ids, again.ids);
    assert!(one.ids.len() <= 3);
    let mut longer = full.clone();
    let states = model.read_text(&one.ids, SPECIAL, &mut longer).unwrap();
    let opened = states.narrow(1, 0, 1).unwrap();
    let logits = model.logits(&opened).unwrap();
    assert!(difference(&logits, &one.first_logits.unwrap()) < 1e-4);
}

#[test]
fn pictures_that_are_drawn_together_are_as_each_alone() {
    let model = model();
    let context = |ids: &[u32]| {
        let mut context = Context::default();
        model.read_text(ids, SPECIAL, &mut context).unwrap();
        context
    };
    let empty = Context::default();
    let contexts = [context(&[3, 4, 5, 6]), context(&[7]), empty.clone()];
    let grid = Grid { h: 2, w: 3 };
    let x = noise(&[3, 6, 16]);
    let sampler = Sampler {
        num_timesteps: 4,
        timestep_shift: 3.0,
        cfg_text_scale: 4.0,
        cfg_img_scale: 1.5,
        cfg_interval: [0.0, 1.0],
        cfg_renorm_type: Renorm::Global,
        cfg_renorm_min: 0.0,
    };
    let draw = |contexts: &[&Context], x: &Tensor| {
        let nothing = vec![&empty; contexts.len()];
        let branches = Branches {
            full: model.branch(contexts, grid).unwrap(),
            without_text: model.branch(&nothing, grid).unwrap(),
            without_image: None,
        };
        let drawn = sampler.draw(&model, (x, grid), SPECIAL, &branches, &mut |_| true);
        drawn.unwrap()
    };
    let all: Vec<&Context> = contexts.iter().collect();
    let together = draw(&all, &x);
    for (row, context) in contexts.iter().enumerate() {
        let own = x.narrow(0, row, 1).unwrap().contiguous().unwrap();
        let alone = draw(&[context], &own);
        let got = together.narrow(0, row, 1).unwrap();
        assert!(difference(&got, &alone) < 1e-4, "{row}");
    }
}

#[test]
fn what_does_not_fit_the_checkpoint_is_refused() {
    let model = model();
    let mut context = Context::default();
    let refused = |result: crate::model::Result<Tensor>, words: &str| {
        let error = result.unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    };
    let outside = model.read_text(&[120], SPECIAL, &mut context);
    refused(outside, "token 120 is outside the vocabulary of 120");
    // The table has 10 × 10 positions, whatever config.json says.
    let large = model.read_latents(&noise(&[4, 22, 2]), SPECIAL, &mut context);
    refused(large, "table of positions, which has 10 × 10");
    let odd = model.read_latents(&noise(&[4, 5, 2]), SPECIAL, &mut context);
    refused(odd, "tokens of 2 × 2");
    assert_eq!(context.mark(), Mark::default());

    let mut config = BagelConfig::read(&folder()).unwrap();
    let files = Arc::new(Files::open(&folder().join("ema.safetensors")).unwrap());
    let eye = |config: &BagelConfig| {
        let build = |weights: &_| Eye::new(config, weights);
        load(&files, DType::F32, &Device::Cpu, build).map(drop)
    };
    eye(&config).unwrap();
    // Then the last layer of the configuration is in the file.
    config.vit.num_hidden_layers -= 1;
    let error = eye(&config).unwrap_err().to_string();
    assert!(error.contains("num_hidden_layers"), "{error}");
    config.vit.num_hidden_layers += 2;
    let error = eye(&config).unwrap_err().to_string();
    assert!(
        error.contains("missing: vit_model.vision_model.encoder.layers.1."),
        "{error}"
    );
}

#[test]
fn tokens_hold_row_column_channel_and_unpack_to_the_same_latents() {
    let latents = Tensor::arange(0u32, 2 * 4 * 6, &Device::Cpu).unwrap();
    let latents = latents.reshape((2, 4, 6)).unwrap();
    let tokens = pack(&latents).unwrap();
    assert_eq!(tokens.dims(), [6, 8]);
    let rows: Vec<Vec<u32>> = tokens.to_vec2().unwrap();
    let cell = |c: u32, y: u32, x: u32| (c * 4 + y) * 6 + x;
    let want: Vec<u32> = [(2, 4), (2, 5), (3, 4), (3, 5)]
        .iter()
        .flat_map(|&(y, x)| (0..2).map(move |c| cell(c, y, x)))
        .collect();
    assert_eq!(rows[5], want);
    let grid = Grid { h: 2, w: 3 };
    let back = unpack(&tokens.unsqueeze(0).unwrap(), grid).unwrap();
    let flat = |x: &Tensor| x.flatten_all().unwrap().to_vec1::<u32>().unwrap();
    assert_eq!(flat(&back), flat(&latents));
}
