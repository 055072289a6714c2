//! BAGEL: the resizing, the eyes, the decoder, and the whole way to a picture or to words.

mod network;
mod picture;
mod transform;
mod words;

use crate::parity::component::Component;

/// The component `bagel_edit`.
pub(super) const BAGEL_EDIT: Component = Component {
    name: "bagel_edit",
    run: picture::run,
};

/// The component `bagel_llm`.
pub(super) const BAGEL_LLM: Component = Component {
    name: "bagel_llm",
    run: network::run_llm,
};

/// The component `bagel_t2i`.
pub(super) const BAGEL_T2I: Component = Component {
    name: "bagel_t2i",
    run: picture::run,
};

/// The component `bagel_transform`.
pub(super) const BAGEL_TRANSFORM: Component = Component {
    name: "bagel_transform",
    run: |case, _| transform::run(case),
};

/// The component `bagel_understand`.
pub(super) const BAGEL_UNDERSTAND: Component = Component {
    name: "bagel_understand",
    run: words::run,
};

/// The component `bagel_vit`.
pub(super) const BAGEL_VIT: Component = Component {
    name: "bagel_vit",
    run: network::run_vit,
};
