//! What is timed of each network, one file each, and the list of them.

mod clip;
mod flux;
mod flux_vae;
mod mask2former;
mod qwen2_5_vl;
mod siglip;
mod xomni_ar;
mod xomni_decoder;

use super::network::NetworkKind;

/// The networks that can be timed. To add one, write its file and a line here.
pub static NETWORKS: &[NetworkKind] = &[
    NetworkKind::of::<clip::Clip>(),
    NetworkKind::of::<flux::Flux>(),
    NetworkKind::of::<flux_vae::FluxVae>(),
    NetworkKind::of::<mask2former::Mask2Former>(),
    NetworkKind::of::<qwen2_5_vl::Qwen2_5Vl>(),
    NetworkKind::of::<siglip::Siglip>(),
    NetworkKind::of::<xomni_ar::XOmniAr>(),
    NetworkKind::of::<xomni_decoder::XOmniDecoder>(),
];
