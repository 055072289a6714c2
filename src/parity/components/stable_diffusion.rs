//! `sd_unet`, `sd_vae`, `sd_clip_text` and `sd_pipeline`: the parts of Stable Diffusion 1.5 and XL, and both
//! from ids to pixels.

use crate::model::clip::{ClipText, ProjectedText};
use crate::model::schedulers::{Levels, Sampler, SchedulerConfig};
use crate::model::stable_diffusion::{Added, Guidance, Prompt, SdDecoder, SdEncoder, UNet, guided};
use crate::model::{ModelError, read_config};
use crate::parity::case::{Case, CaseError, Tensors};
use crate::parity::component::{Component, checkpoint};
use candle_core::{D, DType, Device, Tensor};

/// The component `sd_unet`, of the cases `sd_unet` and `sd_unet_xl`.
pub(super) const SD_UNET: Component = Component {
    name: "sd_unet",
    run: run_unet,
};

/// The component `sd_vae`, of the cases `sd_vae` and `sd_vae_xl`.
pub(super) const SD_VAE: Component = Component {
    name: "sd_vae",
    run: run_vae,
};

/// The component `sd_clip_text`.
pub(super) const SD_CLIP_TEXT: Component = Component {
    name: "sd_clip_text",
    run: run_text,
};

/// The component `sd_pipeline`, of the cases `sd_pipeline` and `sd_pipeline_xl`.
pub(super) const SD_PIPELINE: Component = Component {
    name: "sd_pipeline",
    run: run_pipeline,
};

fn run_unet(case: &Case, device: &Device) -> Result<Tensors, CaseError> {
    let unet = checkpoint(&case.checkpoint(), device, UNet::new)?;
    let input = |name: &str| Ok::<_, CaseError>(case.input(name)?.to_device(device)?);
    let added = if case.inputs.contains_key("text_embeds") {
        Some(Added {
            text_embeds: input("text_embeds")?,
            time_ids: input("time_ids")?,
        })
    } else {
        None
    };
    let noise = unet.forward(
        &input("latents")?,
        &input("timestep")?,
        &input("encoder_hidden_states")?,
        added.as_ref(),
    )?;
    Ok([("noise".into(), noise)].into())
}

fn run_vae(case: &Case, device: &Device) -> Result<Tensors, CaseError> {
    let folder = case.checkpoint();
    let decoder = checkpoint(&folder, device, SdDecoder::new)?;
    let decoded = decoder.decode(&case.input("latents")?.to_device(device)?)?;
    drop(decoder);
    let encoder = checkpoint(&folder, device, SdEncoder::new)?;
    let mean = encoder.mean(&case.input("image")?.to_device(device)?)?;
    Ok([
        ("decoded".into(), decoded),
        ("encoded_latents".into(), encoder.scaled(&mean)?),
        ("encoded_mean".into(), mean),
    ]
    .into())
}

fn run_text(case: &Case, device: &Device) -> Result<Tensors, CaseError> {
    let folder = case.checkpoint();
    let first = checkpoint(&folder.join("text_encoder"), device, ClipText::new)?;
    let second = checkpoint(&folder.join("text_encoder_2"), device, ProjectedText::new)?;
    let first = first.forward(&case.input("input_ids")?.to_device(device)?)?;
    let second = second.forward(&case.input("input_ids_2")?.to_device(device)?)?;
    let both = Tensor::cat(&[&first.penultimate, &second.penultimate], D::Minus1)?;
    Ok([
        ("last_hidden_state".into(), first.last_hidden_state),
        ("penultimate".into(), first.penultimate),
        ("penultimate_2".into(), second.penultimate),
        ("pooled_2".into(), second.pooled),
        ("prompt_embeds".into(), both),
    ]
    .into())
}

/// The prompts of a pipeline with and without guidance, and what the case compares of them.
struct Encoded {
    prompt: Prompt,
    negative: Prompt,
    shown: Tensors,
}

fn encoded(case: &Case, device: &Device) -> Result<Encoded, CaseError> {
    let folder = case.checkpoint();
    let ids = |name: &str| Ok::<_, CaseError>(case.input(name)?.to_device(device)?);
    let first = checkpoint(&folder.join("text_encoder"), device, ClipText::new)?;
    let states = first.forward(&ids("input_ids")?)?;
    if !folder.join("text_encoder_2").is_dir() {
        let plain = |context| Prompt {
            context,
            added: None,
        };
        let negative = first.forward(&ids("negative_ids")?)?.last_hidden_state;
        let context = states.last_hidden_state;
        return Ok(Encoded {
            shown: [("prompt_embeds".to_owned(), context.clone())].into(),
            prompt: plain(context),
            negative: plain(negative),
        });
    }
    let second = checkpoint(&folder.join("text_encoder_2"), device, ProjectedText::new)?;
    let second = second.forward(&ids("input_ids_2")?)?;
    let context = Tensor::cat(&[&states.penultimate, &second.penultimate], D::Minus1)?;
    let time_ids = ids("time_ids")?;
    let with_sizes = |context: Tensor, text_embeds: Tensor| Prompt {
        context,
        added: Some(Added {
            text_embeds,
            time_ids: time_ids.clone(),
        }),
    };
    Ok(Encoded {
        shown: [
            ("prompt_embeds".to_owned(), context.clone()),
            ("pooled".to_owned(), second.pooled.clone()),
        ]
        .into(),
        negative: with_sizes(context.zeros_like()?, second.pooled.zeros_like()?),
        prompt: with_sizes(context, second.pooled),
    })
}

fn run_pipeline(case: &Case, device: &Device) -> Result<Tensors, CaseError> {
    let folder = case.checkpoint();
    let Encoded {
        prompt,
        negative,
        mut shown,
    } = encoded(case, device)?;
    let scheduler: SchedulerConfig = read_config(&folder.join("scheduler/scheduler_config.json"))?;
    let steps = case.integers("steps")?.first().copied().unwrap_or(0);
    let plan = scheduler.plan(steps.max(0) as usize, None, Levels::Own)?;
    let scale: Vec<f32> = case.input("guidance")?.flatten_all()?.to_vec1()?;
    let guidance = Guidance {
        scale: scale.first().copied().map_or(1.0, f64::from),
        rescale: 0.0,
    };
    let unet = checkpoint(&folder.join("unet"), device, UNet::new)?;
    let mut x = (case.input("noise")?.to_device(device)? * plan.init_noise_sigma())?;
    let mut sampler = Sampler::new(&plan);
    let mut first = None;
    for (number, &time) in plan.timesteps.iter().enumerate() {
        let seen = (&x * plan.input_scale(number))?;
        let noise = guided(&unet, &seen, time, &prompt, Some(&negative), guidance)?;
        x = sampler.step(&x, &noise, None)?;
        first = first.or(Some(noise));
    }
    let first = first.ok_or_else(|| ModelError::Input("there are no steps".into()))?;
    let decoder = checkpoint(&folder.join("vae"), device, SdDecoder::new)?;
    shown.extend([
        (
            "timesteps".to_owned(),
            Tensor::new(plan.timesteps.as_slice(), device)?.to_dtype(DType::F32)?,
        ),
        ("noise_first".to_owned(), first),
        ("image".to_owned(), decoder.decode(&x)?),
        ("latents".to_owned(), x),
    ]);
    Ok(shown)
}
