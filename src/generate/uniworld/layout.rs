//! The folders of a checkpoint.

/// The folder of the authors' own weights in a checkpoint, which are those of several networks.
pub(super) const OWN: &str = "uniworld";
/// The folder with the layout of FLUX.1.
pub(super) const FLUX: &str = "flux";
