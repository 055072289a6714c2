//! Paths as people and file systems write them: the home folder, links, and the two Unicode forms of a name.
//!
//! | file | idea |
//! |---|---|
//! | `bounds` | where links in a folder may lead |
//! | `home` | `~` |
//! | `spelling` | composed and decomposed characters in names |

mod bounds;
mod home;
mod spelling;

pub use bounds::{Bounds, cached_snapshot, is_cached_repository};
pub use home::expanded;
pub use spelling::{as_spelled, composed};
