//! Columns as the bytes of a Parquet file.

use polars_arrow::array::Array;
use polars_arrow::datatypes::{ArrowSchema, Field};
use polars_parquet::write::{
    CompressedPage, CompressionOptions, DynIter, DynStreamingIterator, FileWriter, ParquetType,
    StatisticsOptions, Version, WriteOptions, array_to_columns, compress,
    fallible_streaming_iterator, get_dtype_encoding,
};
use rayon::prelude::*;

/// A group has so many rows or more, but less than twice as many, unless the table is smaller.
const GROUP_ROWS: usize = 512 * 512;

/// A column with its name.
pub(crate) type Named = (String, Box<dyn Array>);

/// The pages of one column of a group.
type Pages = Vec<CompressedPage>;

/// The bytes of a file with these columns of `height` values each; `packed` with Zstandard, or as they are.
///
/// # Errors
/// Two columns have the same name, or a type that Parquet lacks; the reason in words.
pub(crate) fn file_of(columns: &[Named], height: usize, packed: bool) -> Result<Vec<u8>, String> {
    let mut schema = ArrowSchema::default();
    for (name, array) in columns {
        let field = Field::new(name.as_str().into(), array.dtype().clone(), true);
        if schema.insert(field.name.clone(), field).is_some() {
            return Err(format!("two columns have the name `{name}`"));
        }
    }
    let compression = if packed {
        CompressionOptions::Zstd(None)
    } else {
        CompressionOptions::Uncompressed
    };
    let options = WriteOptions {
        statistics: StatisticsOptions::default(),
        compression,
        version: Version::V1,
        data_page_size: None,
    };
    write(columns, height, schema, options)
}

fn write(
    columns: &[Named],
    height: usize,
    schema: ArrowSchema,
    options: WriteOptions,
) -> Result<Vec<u8>, String> {
    let mut writer = FileWriter::try_new(Vec::new(), schema, options).map_err(in_words)?;
    let types = writer.parquet_schema().fields().to_vec();
    for (start, rows) in groups(height) {
        let columns = columns.par_iter().zip(&types);
        let columns = columns
            .map(|((_, array), kind)| leaves(array.sliced(start, rows), kind, options))
            .collect::<Result<Vec<_>, _>>()?;
        let leaves = columns.iter().flatten().map(|pages| {
            let pages = fallible_streaming_iterator::convert(pages.iter().map(Ok));
            Ok(DynStreamingIterator::new(pages))
        });
        let written = writer.write(rows as u64, DynIter::new(leaves));
        written.map_err(in_words)?;
    }
    writer.end(None).map_err(in_words)?;
    Ok(writer.into_inner())
}

/// The first row and the rows of each group.
fn groups(height: usize) -> impl Iterator<Item = (usize, usize)> {
    let count = (height / GROUP_ROWS).max(1);
    let rows = height / count;
    (0..count).filter_map(move |at| {
        let start = at * rows;
        let end = if at + 1 == count {
            height
        } else {
            start + rows
        };
        (end > start).then_some((start, end - start))
    })
}

/// The compressed pages of each leaf of a column.
fn leaves(
    array: Box<dyn Array>,
    kind: &ParquetType,
    options: WriteOptions,
) -> Result<Vec<Pages>, String> {
    let encoding = get_dtype_encoding(array.dtype());
    let leaves = array_to_columns(array, kind.clone(), options, &encoding).map_err(in_words)?;
    let leaves = leaves.into_iter().map(|pages| {
        let packed = pages.map(|page| {
            let page = page.map_err(in_words)?;
            compress(page, Vec::new(), options.compression).map_err(in_words)
        });
        packed.collect()
    });
    leaves.collect()
}

fn in_words(error: impl std::fmt::Display) -> String {
    error.to_string()
}
