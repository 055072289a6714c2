//! The folders of a checkpoint, and the names of what phases leave to each other.

/// The codes of the picture that is made, `[h · w]`.
pub(super) const CODES: &str = "image_codes";
/// The folder of the authors' own files in a checkpoint.
pub(super) const OWN: &str = "xomni";
/// The folder that is laid out as FLUX.1's.
pub(super) const FLUX: &str = "flux";
