//! The networks that can be measured, each in its own file, and the list of them all.

mod answering;
mod bagel;
mod clip;
mod flux;
mod flux_vae;
mod mask2former;
mod qwen2_5_vl;
mod qwen3_vl;
mod qwen_image;
mod sd3;
mod sd_unet;
mod siglip;
mod xomni_ar;
mod xomni_decoder;

use super::network::NetworkKind;

/// All networks that can be measured. To add one, write its file and a line here.
pub static NETWORKS: &[NetworkKind] = &[
    NetworkKind::timed::<bagel::Bagel>(),
    NetworkKind::timed::<clip::Clip>(),
    NetworkKind::timed::<flux::Flux>(),
    NetworkKind::timed::<flux_vae::FluxVae>(),
    NetworkKind::timed::<mask2former::Mask2Former>(),
    NetworkKind::timed::<qwen2_5_vl::Qwen2_5Vl>(),
    NetworkKind::timed::<qwen_image::QwenImage>(),
    NetworkKind::timed::<qwen3_vl::Qwen3Vl>(),
    NetworkKind::timed::<sd3::Sd3>(),
    NetworkKind::timed::<sd_unet::SdUnet>(),
    NetworkKind::timed::<siglip::Siglip>(),
    NetworkKind::timed::<xomni_ar::XOmniAr>(),
    NetworkKind::timed::<xomni_decoder::XOmniDecoder>(),
];
