//! How far an edited picture is from its input: where it changed, and by how much inside and outside of a region.
//!
//! All of it is arithmetic on 8-bit sRGB values as they are, with no learned model: the same pictures give the same
//! numbers on every machine. Checked against scikit-image, torchmetrics and OpenCV on 50 pairs
//! (`tests/golden/edit/make.py`).

mod change;
mod difference;
mod mask;
mod ssim;

pub use change::{Change, ChangeSettings, log_weight, pool};
pub use difference::{Difference, differences};
pub use mask::Mask;
pub use ssim::{SSIM_RADIUS, ssim};
