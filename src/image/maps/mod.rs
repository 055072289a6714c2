//! Maps that a model draws of a picture, such as edges, segments and depth, and how near they are to exact
//! ones.
//!
//! | file | idea |
//! |---|---|
//! | `thin` | thick lines become lines of one pixel |
//! | `edges` | precision and recall of edges with a tolerance |
//! | `labels` | colours as classes, and their intersection over union |
//! | `depth` | order and size of depth |

mod depth;
mod edges;
mod labels;
mod thin;

pub use depth::{DepthErrors, depth_errors, order_share, spearman};
pub use edges::{EdgeCounts, match_edges, tolerance};
pub use labels::{Confusion, Labels, boundaries};
pub use thin::thin;
