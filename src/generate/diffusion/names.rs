//! The names of tensors that one phase makes and a later phase uses.

/// The language model's states with reference features, [1, L, J].
pub(crate) const PROMPT: &str = "prompt_embeds";
/// T5's states, [1, T, J].
pub(crate) const T5: &str = "t5_embeds";
/// CLIP's pooled vector, [1, Q].
pub(crate) const POOLED: &str = "pooled_prompt_embeds";
/// The same as [`T5`], for the empty text of the guidance.
pub(crate) const NEGATIVE_T5: &str = "negative_t5_embeds";
/// The same as [`POOLED`], for the empty text of the guidance.
pub(crate) const NEGATIVE_POOLED: &str = "negative_pooled_prompt_embeds";
