//! Maps that a model draws of a picture, such as edges, segments and depth, and how near they are to exact
//! ones.
//!
//! | file | idea |
//! |---|---|
//! | `thin` | thick lines become lines of one pixel |
//! | `edges` | edges that are near edges |
//! | `labels` | colours as classes |
//! | `depth` | errors of depth |

mod depth;
mod edges;
mod labels;
mod thin;

pub use depth::{DepthErrors, depth_errors, spearman};
pub use edges::{EdgeCounts, match_edges, tolerance};
pub use labels::{Labels, boundaries, confusion};
pub use thin::thin;
