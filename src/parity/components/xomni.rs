//! X-Omni: the tokenizer, the autoregressive model, and the decoder of both kinds.

use crate::model::flux::FluxConfig;
use crate::model::weights::{Files, load};
use crate::model::xomni::{
    Condition, Vit, VqDecoder, VqEncoder, XOmniAr, XOmniConfig, XOmniDecoder,
};
use crate::model::{ModelError, Result, read_config};
use crate::parity::case::{Case, CaseError, Tensors};
use crate::parity::component::{Component, whole};
use candle_core::{D, DType, Device, Tensor};
use std::sync::Arc;

/// The component `xomni_vit_vq`.
pub(super) const XOMNI_VIT_VQ: Component = Component {
    name: "xomni_vit_vq",
    run: run_vit_vq,
};

/// The component `xomni_ar`.
pub(super) const XOMNI_AR: Component = Component {
    name: "xomni_ar",
    run: run_ar,
};

/// The component `xomni_decoder_en`.
pub(super) const XOMNI_DECODER_EN: Component = Component {
    name: "xomni_decoder_en",
    run: run_decoder,
};

/// The component `xomni_decoder_zh`.
pub(super) const XOMNI_DECODER_ZH: Component = Component {
    name: "xomni_decoder_zh",
    run: run_decoder,
};

const NEW_TOKENS: usize = 9;

/// `xomni_vit_vq`: from pixels to features and codes, and from codes to the decoder's condition.
fn run_vit_vq(case: &Case, device: &Device) -> Result<Tensors, CaseError> {
    let folder = case.checkpoint();
    let config = XOmniConfig::read(&folder)?;
    let encoder = &config.vision()?.encoder;
    let vit = Arc::new(Files::open_file(&folder.join(&encoder.siglip_path))?);
    let vq = Arc::new(Files::open_file(&folder.join(&encoder.projector_path))?);
    let vit = load(&vit, DType::F32, device, |weights| {
        Vit::new(encoder, weights)
    })?;
    let encode = load(&vq, DType::F32, device, |weights| {
        VqEncoder::new(encoder, weights)
    })?;
    let decode = load(&vq, DType::F32, device, |weights| {
        VqDecoder::new(encoder, weights)
    })?;
    let (features, (h, w)) = vit.forward(&case.input("pixel_values")?.to_device(device)?)?;
    let codes = encode.encode(&features)?.to_dtype(DType::I64)?;
    let &[_, rows, columns] = case.input("decode_ids")?.dims() else {
        return Err(ModelError::Input("decode_ids does not have three axes".into()).into());
    };
    let ids = whole("decode_ids", &case.integers("decode_ids")?)?;
    Ok([
        ("features", features),
        ("code_ids", codes.reshape(((), h, w))?),
        ("condition", decode.decode(&ids, (rows, columns))?),
    ]
    .map(|(name, tensor)| (name.to_owned(), tensor))
    .into())
}

/// `xomni_ar`: states and scores of a mixed sequence, and the most likely image tokens after a prompt.
fn run_ar(case: &Case, device: &Device) -> Result<Tensors, CaseError> {
    let folder = case.checkpoint();
    let config = XOmniConfig::read(&folder)?;
    let files = Arc::new(Files::open(&folder)?);
    let model = load(&files, DType::F32, device, |weights| {
        XOmniAr::new(&config, weights)
    })?;
    let hidden = model.hidden_states(&whole("input_ids", &case.integers("input_ids")?)?)?;
    let last = hidden.narrow(1, hidden.dim(1)? - 3, 3)?.contiguous()?;
    let prompt = whole("prompt_ids", &case.integers("prompt_ids")?)?;
    let new = likeliest(&model, &prompt)?;
    Ok([
        ("text_logits", model.text_logits(&last)?),
        ("image_logits", model.image_logits(&last)?),
        ("hidden", hidden),
        ("greedy_ids", Tensor::new(new, device)?.unsqueeze(0)?),
    ]
    .map(|(name, tensor)| (name.to_owned(), tensor))
    .into())
}

fn likeliest(model: &XOmniAr, prompt: &[u32]) -> Result<Vec<i64>> {
    let first = model.config().vocab_size as u32;
    let (mut cache, mut state) = model.start(prompt, NEW_TOKENS)?;
    let mut new = Vec::with_capacity(NEW_TOKENS);
    while new.len() < NEW_TOKENS {
        let code = model.image_logits(&state)?.argmax(D::Minus1)?;
        let id = first + code.squeeze(0)?.to_scalar::<u32>()?;
        new.push(i64::from(id));
        state = model.step(&[id], &mut cache)?;
    }
    Ok(new)
}

/// `xomni_decoder_en` and `xomni_decoder_zh`: one evaluation with the codes and one without.
fn run_decoder(case: &Case, device: &Device) -> Result<Tensors, CaseError> {
    let folder = case.checkpoint().join("diffusers");
    let config: FluxConfig = read_config(&folder.join("config.json"))?;
    let files = Arc::new(Files::open(&folder)?);
    let input = |name: &str| Ok::<_, CaseError>(case.input(name)?.to_device(device)?);
    let features = input("condition")?;
    let width = features.dim(D::Minus1)?;
    let image_only = XOmniDecoder::is_image_only(&files);
    let model = load(&files, DType::F32, device, |weights| {
        XOmniDecoder::new(&config, width, image_only, weights)
    })?;
    let (latents, sigma) = (input("hidden_states")?, input("timestep")?);
    let (guidance, img_ids) = (input("guidance")?, input("img_ids")?);
    let sample = |prefix: &str, features: Option<&Tensor>| -> Result<Tensor, CaseError> {
        let states = format!("{prefix}encoder_hidden_states");
        let text = if case.inputs.contains_key(&states) {
            let pooled = input(&format!("{prefix}pooled_projections"))?;
            Some((input(&states)?, pooled))
        } else {
            None
        };
        let text = text.as_ref().map(|(states, pooled)| (states, pooled));
        let steady = model.prepare(Condition { features, text }, &guidance, &img_ids)?;
        Ok(model.forward(&latents, &steady, &sigma)?)
    };
    Ok([
        ("sample_cond".to_owned(), sample("", Some(&features))?),
        ("sample_uncond".to_owned(), sample("uncond_", None)?),
    ]
    .into())
}
