//! Parquet tables, by the crates of polars that read and write single columns: what is read at once, and what
//! is allocated for it, is bounded.

mod read;
mod write;

pub(crate) use read::{Column, ParquetFile};
pub(crate) use write::{Named, file_of};
