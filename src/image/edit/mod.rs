//! The distance of an edited picture from its input: where it changed, and by how much inside and outside a
//! region.
//!
//! Everything is arithmetic on the 8-bit sRGB values, without a learned model. So the same pictures give the
//! same numbers on every machine. The numbers were compared with scikit-image, torchmetrics and OpenCV on 50
//! pairs (`tests/golden/edit/make.py`).

mod change;
mod difference;
mod mask;
mod ssim;

pub use change::{Change, ChangeSettings, log_weight, pool};
pub use difference::{Difference, differences};
pub use mask::Mask;
pub use ssim::{SSIM_RADIUS, ssim};
