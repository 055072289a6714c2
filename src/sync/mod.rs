//! Run folders in object stores: Amazon S3, Google Cloud Storage, Azure Blob Storage.
//!
//! A run is made in a local folder and copied outwards. Pictures go before the journals that name them, so a
//! journal in the store never names a picture that is not there. Journals are small and go whole. The objects
//! have the names of the files: `PREFIX/SUITE/MODEL/RUN/outputs.1-of-2.jsonl`.
//!
//! An object `leases/I-of-N` says who makes a shard. It is written on condition that nobody else wrote it
//! since, so each shard has one writer.
//!
//! | file | idea |
//! |---|---|
//! | `address` | `s3://BUCKET/PREFIX` |
//! | `store` | requests, many at the same time |
//! | `listed` | what is in a folder or a store, and which of it is copied |
//! | `lines` | journals of two places as one |
//! | `push` | from the folder to the store |
//! | `pull` | from the store to the folder |
//! | `lease` | one writer for each shard |

mod address;
mod error;
mod lease;
mod lines;
mod listed;
mod pull;
mod push;
mod store;

pub use address::Address;
pub use error::SyncError;
pub use lease::{Holding, Lease};
pub use pull::{Wanted, pull};
pub use push::{Outbox, push};
pub use store::Store;
