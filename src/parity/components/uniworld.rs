//! `uniworld`: the whole pipeline from ids and noise to pixels, with the parts that the generator uses.

use super::qwen2_5_vl::grids;
use crate::model::clip::ClipText;
use crate::model::flow_match::euler_step;
use crate::model::flux::{FluxTransformer, latents};
use crate::model::flux_vae::Decoder;
use crate::model::siglip::{SiglipConfig, SiglipVision};
use crate::model::t5::T5Encoder;
use crate::model::uniworld::{Conditioner, Projector, TaskHead, UniWorldConfig};
use crate::model::weights::{Files, load};
use crate::model::{ModelError, read_config};
use crate::parity::case::{Case, CaseError, Tensors};
use crate::parity::component::{Component, checkpoint, whole};
use candle_core::{DType, Device, Tensor};
use std::sync::Arc;

/// The component `uniworld`.
pub(super) const UNIWORLD: Component = Component {
    name: "uniworld",
    run,
};

fn run(case: &Case, device: &Device) -> Result<Tensors, CaseError> {
    let folder = case.checkpoint();
    let input = |name: &str| Ok::<_, CaseError>(case.input(name)?.to_device(device)?);
    let mut made = Tensors::new();

    let siglip_config: SiglipConfig = read_config(&folder.join("siglip/config.json"))?;
    let siglip = checkpoint(
        &folder.join("siglip"),
        device,
        |config: &SiglipConfig, weights| SiglipVision::new(config.vision(), weights),
    )?;
    let references = siglip.forward(&input("siglip_pixel_values")?)?;

    let config = UniWorldConfig::read(&folder.join("uniworld/config.json"))?;
    let files = Arc::new(Files::open(&folder.join("uniworld"))?);
    let width = siglip_config.vision().hidden_size;
    let projector = load(&files, DType::F32, device, |weights| {
        let output = config.denoise_tower.output_hidden_size;
        Projector::new(&weights.at("denoise_tower.siglip_projector"), width, output)
    })?;
    let references = projector.forward(&references)?;
    let conditioner = load(&files, DType::F32, device, |weights| {
        Conditioner::new(&config, weights)
    })?;
    let ids = whole("input_ids", &case.integers("input_ids")?)?;
    let grids = grids(case)?;
    let vlm = &conditioner.vlm;
    let images = vlm.image_embeds(&input("pixel_values")?, &grids)?;
    let states = vlm.hidden_states(&ids, Some(&images), &grids)?;
    let prompt = conditioner.encoder_hidden_states(&ids, &states, Some(&references))?;

    let head = Arc::new(Files::open(&folder.join("uniworld/task_head_final.pt"))?);
    let head = load(&head, DType::F32, device, |weights| {
        TaskHead::new(weights, config.vlm.text.hidden_size)
    })?;
    let assistant = whole("assistant_token_id", &case.integers("assistant_token_id")?)?;
    let [assistant] = assistant[..] else {
        return Err(ModelError::Input("assistant_token_id is not one id".into()).into());
    };
    let logits = head.route(&states, &ids, assistant)?;
    made.insert("task_logits".into(), logits);

    let flux = folder.join("flux");
    let t5 = checkpoint(&flux.join("text_encoder_2"), device, T5Encoder::new)?;
    let clip = checkpoint(&flux.join("text_encoder"), device, ClipText::new)?;
    let text = Tensor::cat(&[&prompt, &t5.forward(&input("t5_ids")?)?], 1)?;
    made.insert("encoder_hidden_states".into(), prompt);
    let pooled = clip.forward(&input("clip_ids")?)?.pooled;

    let transformer = load(&files, DType::F32, device, |weights| {
        let denoiser = weights.at("denoise_tower.denoiser");
        FluxTransformer::new(&config.denoise_tower.denoiser_config, &denoiser)
    })?;
    let [h, w] = whole("latent_grid", &case.integers("latent_grid")?)?[..] else {
        return Err(ModelError::Input("latent_grid is not (h, w)".into()).into());
    };
    let (h, w) = (h as usize, w as usize);
    let conditioning = transformer.prepare(
        &text,
        &pooled,
        Some(&input("guidance")?),
        &latents::image_ids(h, w, device)?,
        &latents::text_ids(text.dim(1)?, device)?,
    )?;
    let sigmas: Vec<f32> = case.input("sigmas")?.to_vec1()?;
    let mut x = input("noise")?;
    for pair in sigmas.windows(2) {
        let sigma = Tensor::new(&[pair[0]], device)?;
        let velocity = transformer.forward(&x, &conditioning, &sigma, None)?;
        x = euler_step(&x, &velocity, pair[0], pair[1])?;
        made.entry("velocity".into()).or_insert(velocity);
    }
    let decoder = checkpoint(&flux.join("vae"), device, Decoder::new)?;
    made.insert("image".into(), decoder.decode(&latents::unpack(&x, h, w)?)?);
    made.insert("latents".into(), x);
    Ok(made)
}
