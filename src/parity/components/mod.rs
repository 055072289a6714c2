//! The components, each in a file with its inputs and its results.

mod aesthetic;
mod bagel;
mod clip;
mod clip_flan_t5;
mod clip_text;
mod dinov2;
mod flow_match;
mod flux_kontext;
mod flux_transformer;
mod flux_vae;
mod got_ocr2;
mod grpo;
mod lpips;
mod mask2former;
mod mplug_vqa;
mod numpy_rng;
mod pillow_resize;
mod qwen2_5_vl;
mod qwen3_vl;
mod qwen_image;
mod radio;
mod schedulers;
mod sd3;
mod siglip_vision;
mod size;
mod stable_diffusion;
mod t5;
mod torch_cuda_randn;
mod torch_randn;
mod uniworld;
mod vit;
mod xomni;
mod z_image;

use super::component::Component;

/// All components. To add one, write its file and a line here.
pub static COMPONENTS: &[Component] = &[
    aesthetic::AESTHETIC,
    size::ANY_11RATIO,
    bagel::BAGEL_EDIT,
    bagel::BAGEL_LLM,
    bagel::BAGEL_T2I,
    bagel::BAGEL_TRANSFORM,
    bagel::BAGEL_UNDERSTAND,
    bagel::BAGEL_VIT,
    clip::CLIP,
    clip_flan_t5::CLIP_FLAN_T5,
    clip_text::CLIP_TEXT,
    dinov2::DINOV2,
    dinov2::DINOV2_WITH_REGISTERS,
    flow_match::FLOW_MATCH,
    flux_kontext::FLUX_KONTEXT,
    flux_transformer::FLUX_TRANSFORMER,
    flux_vae::FLUX_VAE,
    got_ocr2::GOT_OCR2,
    grpo::GRPO,
    lpips::LPIPS,
    mask2former::MASK2FORMER,
    mplug_vqa::MPLUG_VQA,
    numpy_rng::NUMPY_RNG,
    clip::OPEN_CLIP,
    clip::PICKSCORE,
    pillow_resize::PILLOW_RESIZE,
    qwen2_5_vl::QWEN2_5_VL,
    qwen3_vl::QWEN3_VL,
    qwen_image::QWEN_IMAGE,
    qwen_image::QWEN_IMAGE_EDIT,
    size::QWEN_SMART_RESIZE,
    radio::RADIO,
    schedulers::SCHEDULERS,
    sd3::SD3_PIPELINE,
    sd3::SD3_TRANSFORMER,
    stable_diffusion::SD_CLIP_TEXT,
    stable_diffusion::SD_PIPELINE,
    stable_diffusion::SD_UNET,
    stable_diffusion::SD_VAE,
    siglip_vision::SIGLIP_VISION,
    t5::T5_WHOLE,
    t5::T5_ENCODER,
    torch_cuda_randn::TORCH_CUDA_RANDN,
    torch_randn::TORCH_RANDN,
    uniworld::UNIWORLD,
    vit::VIT,
    xomni::XOMNI_AR,
    xomni::XOMNI_DECODER_EN,
    xomni::XOMNI_DECODER_ZH,
    xomni::XOMNI_VIT_VQ,
    z_image::Z_IMAGE,
];
