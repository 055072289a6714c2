//! Parquet tables, by the crates of polars that read and write single columns: what is read at once, and what
//! is allocated for it, is bounded.

mod read;

pub(crate) use read::{Column, ParquetFile};
