//! What is trained, one file a task.

mod denoise;
mod dinov2;
mod encoder;
mod flux;
mod parts;
mod qwen_vl;
mod self_distillation;
mod siglip;
mod siglip_vq;
mod text;
mod uniworld;
mod vae;
mod views;
mod xomni_ar;
mod xomni_decoder;

use super::TrainError;
use super::sources::Sources;
use super::task::Learner;
use crate::config::{TrainingFile, TrainingTask};
use candle_core::Device;

/// The network of a definition.
///
/// # Errors
/// When the definition has a mistake or a checkpoint that it begins from is absent.
pub fn learner(
    training: &TrainingFile,
    sources: &Sources<'_>,
    device: &Device,
) -> Result<Box<dyn Learner>, TrainError> {
    check_roles(training)?;
    Ok(match training.task {
        TrainingTask::Vae => Box::new(vae::Vae::new(training, sources, device)?),
        TrainingTask::Flux => Box::new(flux::Flux::new(training, sources, device)?),
        TrainingTask::QwenVl => Box::new(qwen_vl::QwenVl::new(training, device)?),
        TrainingTask::SiglipVq => Box::new(siglip_vq::SiglipVq::new(training, sources, device)?),
        TrainingTask::XomniAr => Box::new(xomni_ar::XOmniArTask::new(training, sources, device)?),
        TrainingTask::XomniDecoder => Box::new(xomni_decoder::XOmniDecoderTask::new(
            training, sources, device,
        )?),
        TrainingTask::Uniworld => Box::new(uniworld::Uniworld::new(training, sources, device)?),
        TrainingTask::Siglip => Box::new(siglip::Siglip::new(training, sources, device)?),
        TrainingTask::Dinov2 => Box::new(dinov2::Dinov2Task::new(training, sources, device)?),
    })
}

/// What `from` may name: nothing else would have an effect.
fn check_roles(training: &TrainingFile) -> Result<(), TrainError> {
    let roles: &[&str] = match training.task {
        TrainingTask::Vae | TrainingTask::Siglip | TrainingTask::Dinov2 => &["begin"],
        TrainingTask::Flux => &["vae"],
        TrainingTask::QwenVl => &[],
        TrainingTask::SiglipVq => &["siglip", "vlm"],
        TrainingTask::XomniAr => &["tokenizer", "vlm", "begin"],
        TrainingTask::XomniDecoder => &["tokenizer", "ar", "flux"],
        TrainingTask::Uniworld => &["vlm", "flux", "reference", "begin"],
    };
    let mut named = training.from.keys();
    match named.find(|role| !roles.contains(&role.as_str())) {
        None => Ok(()),
        Some(role) => Err(TrainError::Definition {
            message: match roles {
                [] => format!("`from.{role}`: this task begins from nothing"),
                roles => format!(
                    "`from.{role}`: this task begins from `{}`",
                    roles.join("`, `")
                ),
            },
        }),
    }
}
