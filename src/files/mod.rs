//! Files as the whole program writes them: a file under its final name is whole, or it is not there.
//!
//! | file | idea |
//! |---|---|
//! | `write` | a temporary file beside the target, then a rename |
//! | `lock` | one writer in a folder |
//! | `hash` | SHA-256 as text |
//! | `error` | an input or output fault, with the path it is about |

mod error;
mod hash;
mod lock;
mod write;

pub use error::{FileError, reason};
pub use hash::{hex, sha256_hex, sha256_of_file};
pub use lock::{Lock, LockError, host_name};
pub use write::{
    PARTIAL, Staged, write_durable, write_durable_by, write_json, write_whole, write_whole_by,
};
