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
