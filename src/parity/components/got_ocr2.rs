//! `got_ocr2`: the vectors of a picture, the scores of the next token and a greedy continuation.

use crate::model::got_ocr2::{GotConfig, GotOcr2, Reading};
use crate::model::weights::Files;
use crate::parity::case::{Case, CaseError, Tensors};
use crate::parity::component::{Component, whole};
use candle_core::{DType, Device, Tensor};
use std::sync::Arc;

/// The component `got_ocr2`.
pub(super) const GOT_OCR2: Component = Component {
    name: "got_ocr2",
    run,
};

const NEW_TOKENS: usize = 12;

fn run(case: &Case, device: &Device) -> Result<Tensors, CaseError> {
    let folder = case.checkpoint();
    let config = GotConfig::read(&folder.join("config.json"))?;
    let files = Arc::new(Files::open(&folder)?);
    let model = GotOcr2::load(&config, &files, DType::F32, device)?;
    let ids = whole("input_ids", &case.integers("input_ids")?)?;
    let features = model.image_features(&case.input("pixel_values")?.to_device(device)?)?;
    let reading = Reading {
        max_new_tokens: NEW_TOKENS,
        eos: &[],
        no_repeat_ngram_size: 0,
    };
    let new = model.read(&ids, &features, reading)?;
    let new: Vec<i64> = new.into_iter().map(i64::from).collect();
    Ok([
        ("logits", model.logits(&ids, &features)?),
        ("image_features", features),
        ("greedy_ids", Tensor::new(new, device)?.unsqueeze(0)?),
    ]
    .map(|(name, tensor)| (name.to_owned(), tensor))
    .into())
}
