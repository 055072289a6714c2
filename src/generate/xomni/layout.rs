//! The folders of a checkpoint, and the names of tensors that one phase makes and a later phase uses.

/// The codes of the picture that is made, `[h · w]`.
pub(super) const CODES: &str = "image_codes";
/// The folder of the authors' own files in a checkpoint.
pub(super) const OWN: &str = "xomni";
/// The folder with the layout of FLUX.1.
pub(super) const FLUX: &str = "flux";
