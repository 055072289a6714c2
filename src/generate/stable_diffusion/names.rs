//! The names of tensors that one phase makes and a later phase uses.

/// The text encoders' states, [1, L, J].
pub(in crate::generate) const PROMPT: &str = "prompt_embeds";
/// The same for the negative prompt.
pub(in crate::generate) const NEGATIVE_PROMPT: &str = "negative_prompt_embeds";
/// SDXL's pooled vector, [1, Q].
pub(in crate::generate) const POOLED: &str = "pooled_prompt_embeds";
/// The same for the negative prompt.
pub(in crate::generate) const NEGATIVE_POOLED: &str = "negative_pooled_prompt_embeds";
