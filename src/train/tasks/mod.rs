//! What is trained: one file describes one task.

mod bagel;
mod denoise;
mod description;
mod dinov2;
mod encoder;
mod flux;
mod parts;
mod qwen_vl;
mod self_distillation;
mod siglip;
mod siglip_vq;
mod stable_diffusion;
mod text;
mod uniworld;
mod vae;
mod views;
mod whole;
mod xomni_ar;
mod xomni_decoder;
mod xomni_grpo;

pub use description::TaskDescription;
pub use xomni_grpo::objective;

use crate::named::{Described, Named};

/// A task, as a training names it.
pub type TrainingTask = Named<TaskDescription>;

/// All tasks.
static ALL: &[&TaskDescription] = &[
    &vae::VAE,
    &flux::FLUX,
    &stable_diffusion::STABLE_DIFFUSION,
    &siglip::SIGLIP,
    &dinov2::DINOV2,
    &qwen_vl::QWEN_VL,
    &uniworld::UNIWORLD,
    &siglip_vq::SIGLIP_VQ,
    &bagel::BAGEL,
    &xomni_ar::XOMNI_AR,
    &xomni_decoder::XOMNI_DECODER,
    &xomni_grpo::XOMNI_GRPO,
];

impl Described for TaskDescription {
    const KIND: &'static str = "TrainingTask";
    const ABOUT: &'static str = "What a network learns.";

    fn all() -> &'static [&'static Self] {
        ALL
    }

    fn name(&self) -> &'static str {
        self.name
    }

    fn about(&self) -> &'static str {
        self.about
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_task_is_described() {
        crate::named::check_list::<super::TaskDescription>();
    }
}
