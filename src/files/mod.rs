//! Files as the whole program writes them: a file under its final name is whole, or it is not there.
//!
//! | file | idea |
//! |---|---|
//! | `write` | a temporary file beside the target, then a rename |
//! | `lock` | one writer in a folder |
//! | `holder` | who holds a lock, and since when |
//! | `pulse` | signs of life of a holder |
//! | `lease` | a file in the place of a lock, where the file system has none |
//! | `hash` | SHA-256 as text |
//! | `error` | an input or output fault, with the path it is about |

mod error;
mod hash;
mod holder;
mod lease;
mod lock;
mod pulse;
mod write;

pub use error::{FileError, reason};
pub use hash::{hex, sha256_hex, sha256_of_file};
pub use holder::{Holder, host_name, in_words, job};
pub use lock::{Lock, LockError, SILENCE};
pub use write::{
    PARTIAL, Staged, write_durable, write_durable_by, write_json, write_whole, write_whole_by,
};
