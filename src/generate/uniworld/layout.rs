//! The folders of a checkpoint.

/// The folder of the authors' own weights in a checkpoint, which hold more than one network.
pub(super) const OWN: &str = "uniworld";
/// The folder that is laid out as FLUX.1's.
pub(super) const FLUX: &str = "flux";
