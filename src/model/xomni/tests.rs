//! Tests of the autoregressive model with its parity checkpoint.

use super::{Drawing, XOmniAr, XOmniConfig};
use crate::model::sampling::Sampling;
use crate::model::weights::{Files, load};
use candle_core::{DType, Device, Tensor};
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;

fn model() -> XOmniAr {
    let folder =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/parity/xomni_ar/checkpoint");
    let config = XOmniConfig::read(&folder).unwrap();
    let files = Arc::new(Files::open(&folder).unwrap());
    load(&files, DType::F32, &Device::Cpu, |weights| {
        XOmniAr::new(&config, weights)
    })
    .unwrap()
}

fn distance(a: &Tensor, b: &Tensor) -> f32 {
    let worst = (a - b).unwrap().abs().unwrap().max_all().unwrap();
    worst.to_scalar().unwrap()
}

// make.py next to the file shows how it was computed with transformers.
#[test]
fn words_alone_pass_a_plain_qwen_of_the_inner_layers() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/xomni/text_only.json");
    let expected: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let ids: Vec<u32> = serde_json::from_value(expected["ids"].clone()).unwrap();
    let logits: Vec<Vec<f32>> = serde_json::from_value(expected["logits"].clone()).unwrap();
    let model = model();
    let states = model.hidden_states(&ids).unwrap().squeeze(0).unwrap();
    let got = model.text_logits(&states).unwrap();
    assert!(distance(&got, &Tensor::new(logits, &Device::Cpu).unwrap()) < 1e-4);
    let new: Vec<u32> = serde_json::from_value(expected["greedy_ids"].clone()).unwrap();
    assert_eq!(model.answer(&ids, 7, &[], &mut |_| true).unwrap(), new);
    // The answer ends before an end token.
    let end = model.answer(&ids, 7, &[new[3]], &mut |_| true).unwrap();
    assert_eq!(end, new[..new.iter().position(|id| *id == new[3]).unwrap()]);
}

#[test]
fn image_tokens_see_words_in_the_first_layer_and_words_pass_it_unchanged() {
    let model = model();
    let first = model.config().vocab_size as u32;
    let layer = |ids: &[u32]| {
        let x = model.embed(ids).unwrap().unsqueeze(0).unwrap();
        let angles = model.angles(0..ids.len()).unwrap();
        let spans = model.image_spans(ids);
        let y = model.layers[0]
            .forward_some(&x, &angles, None, &spans)
            .unwrap();
        (x, y)
    };
    let (x, y) = layer(&[5, 6, first + 3, first + 4]);
    let (_, other) = layer(&[5, 9, first + 3, first + 4]);
    let rows = |x: &Tensor, start| x.narrow(1, start, 2).unwrap();
    assert_eq!(distance(&rows(&x, 0), &rows(&y, 0)), 0.0);
    assert!(distance(&rows(&y, 2), &rows(&other, 2)) > 1e-3);
    assert!(distance(&rows(&y, 2), &rows(&x, 2)) > 1e-3);
}

#[test]
fn a_batch_of_prompts_of_any_length_draws_what_each_draws_alone() {
    let model = model();
    const IMAGE: u32 = 130 + 98;
    let prompts: [&[u32]; 3] = [&[4, 8, 15, IMAGE], &[16, IMAGE], &[23, 42, 7, 9, 11, IMAGE]];
    let drawings: Vec<Drawing<'_>> = prompts
        .iter()
        .enumerate()
        .map(|(seed, prompt)| Drawing {
            prompt,
            negative: &[IMAGE],
            seed: seed as u64,
        })
        .collect();
    let sampling = Sampling {
        temperature: 1.0,
        top_k: 50,
        top_p: 0.95,
        min_p: 0.03,
    };
    let draw = |drawings: &[Drawing<'_>], scale: f32| {
        model
            .draw(drawings, 24, &sampling, scale, &mut |_| true)
            .unwrap()
    };
    for scale in [1.0, 2.0] {
        let together = draw(&drawings, scale);
        let alone: Vec<Vec<u32>> = drawings
            .iter()
            .flat_map(|drawing| draw(std::slice::from_ref(drawing), scale))
            .collect();
        assert_eq!(together, alone, "{scale}");
        assert!(together.iter().flatten().all(|&code| code < 96));
        assert_ne!(together[0], together[1]);
    }
    assert_ne!(draw(&drawings, 1.0), draw(&drawings, 2.0));
    // A sequence longer than those of the training is refused before anything is drawn.
    let error = model
        .draw(&drawings, 8190, &sampling, 1.0, &mut |_| true)
        .unwrap_err();
    assert!(error.to_string().contains("8192"), "{error}");
}
