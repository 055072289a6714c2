//! `qwen_image` and `qwen_image_edit`: a sampling from the prompt's states to pixels, with references for
//! edits.

use crate::model::flux::latents;
use crate::model::qwen_image::{QwenImageTransformer, QwenVaeDecoder, QwenVaeEncoder, renormed};
use crate::model::schedulers::{Levels, Sampler, SchedulerConfig};
use crate::model::{ModelError, read_config};
use crate::parity::case::{Case, CaseError, Tensors};
use crate::parity::component::{Component, checkpoint, whole};
use candle_core::{Device, Tensor};

/// The component `qwen_image`, whose picture only tests the encoder.
pub(super) const QWEN_IMAGE: Component = Component {
    name: "qwen_image",
    run: |case, device| run(case, device, false),
};

/// The component `qwen_image_edit`, whose pictures are references.
pub(super) const QWEN_IMAGE_EDIT: Component = Component {
    name: "qwen_image_edit",
    run: |case, device| run(case, device, true),
};

fn run(case: &Case, device: &Device, edits: bool) -> Result<Tensors, CaseError> {
    let folder = case.checkpoint();
    let input = |name: &str| Ok::<_, CaseError>(case.input(name)?.to_device(device)?);
    let grid = whole("latent_grid", &case.integers("latent_grid")?)?;
    let &[h, w] = grid.as_slice() else {
        return Err(ModelError::Input("latent_grid does not have two numbers".into()).into());
    };
    let (h, w) = (h as usize, w as usize);
    let mut tensors = Tensors::new();
    let (mut references, mut grids) = (Vec::new(), vec![(h, w)]);
    let encoder = checkpoint(&folder.join("vae"), device, QwenVaeEncoder::new)?;
    for (number, pixels) in case.numbered("image") {
        let encoded = encoder.encode(&pixels.to_device(device)?)?;
        if edits {
            let (_, _, height, width) = encoded.dims4()?;
            grids.push((height / 2, width / 2));
            references.push(latents::pack(&encoded)?);
        }
        tensors.insert(format!("encoded.{number}"), encoded);
    }
    drop(encoder);
    let scheduler: SchedulerConfig = read_config(&folder.join("scheduler/scheduler_config.json"))?;
    let steps = case.integers("steps")?.first().copied().unwrap_or(0);
    let plan = scheduler.plan(steps.max(0) as usize, Some(h * w), Levels::Even)?;
    let scale: Vec<f32> = case.input("true_cfg_scale")?.flatten_all()?.to_vec1()?;
    let scale = scale.first().copied().map_or(1.0, f64::from);
    let network = checkpoint(
        &folder.join("transformer"),
        device,
        QwenImageTransformer::new,
    )?;
    let (prompt, negative) = (input("prompt_embeds")?, input("negative_prompt_embeds")?);
    let places = network.places(&grids, prompt.dim(1)?, device)?;
    let negative_places = network.places(&grids, negative.dim(1)?, device)?;
    let mut x = input("noise")?;
    let mut sampler = Sampler::new(&plan);
    for (number, sigma) in plan.sigmas.iter().take(plan.timesteps.len()).enumerate() {
        let sigma = Tensor::new(&[*sigma], device)?;
        let all: Vec<&Tensor> = std::iter::once(&x).chain(&references).collect();
        let tokens = Tensor::cat(&all, 1)?;
        let with = network.forward(&tokens, &prompt, &sigma, &places)?;
        let without = network.forward(&tokens, &negative, &sigma, &negative_places)?;
        let guided = renormed(&with, &without, scale)?;
        x = sampler.step(&x, &guided, None)?;
        if number == 0 {
            tensors.insert("velocity_positive".into(), with);
            tensors.insert("velocity_negative".into(), without);
            tensors.insert("velocity_guided".into(), guided);
        }
    }
    let decoder = checkpoint(&folder.join("vae"), device, QwenVaeDecoder::new)?;
    let image = decoder.decode(&latents::unpack(&x, h, w)?)?;
    tensors.insert("image".into(), image);
    tensors.insert("latents".into(), x);
    let sigmas = Tensor::new(plan.sigmas.as_slice(), device)?;
    tensors.insert("sigmas".into(), sigmas);
    Ok(tensors)
}
