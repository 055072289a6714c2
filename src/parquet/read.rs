//! Columns of a Parquet file, a row group at a time. A damaged or hostile file is an error, never a panic,
//! and never takes more memory than the bounds below.

use crate::guard::guarded;
use polars_arrow::array::Array;
use polars_arrow::datatypes::Field;
use polars_buffer::Buffer;
use polars_parquet::parquet::page::CompressedPage;
use polars_parquet::read::schema::parquet_to_arrow_schema;
use polars_parquet::read::{
    BasicDecompressor, FileMetadata, PageReader, RowGroupMetadata, column_iter_to_arrays,
    read_metadata,
};
use std::fs::File;
use std::io::{Cursor, Read as _, Seek as _, SeekFrom};
use std::path::Path;

/// Rows of a group; writers make groups of a million at most, of a few hundred where there are pictures.
const MAX_ROWS: usize = 4_000_000;
/// Bytes of the columns of a group that are read, packed and unpacked.
const MAX_GROUP_BYTES: u64 = 4 << 30;
/// Bytes of one page, packed or unpacked.
const MAX_PAGE_BYTES: usize = 1 << 30;
/// Values of one page.
const MAX_PAGE_VALUES: usize = 1 << 26;

/// An open file with its columns.
pub(crate) struct ParquetFile {
    file: File,
    metadata: FileMetadata,
    fields: Vec<Field>,
}

impl ParquetFile {
    /// Opens a file and reads its footer.
    ///
    /// # Errors
    /// When it cannot be read or is not a complete Parquet file; the reason in words.
    pub(crate) fn open(path: &Path) -> Result<Self, String> {
        let mut file = File::open(path).map_err(|error| format!("cannot be read ({error})"))?;
        let metadata = guarded(|| read_metadata(&mut file).map_err(|error| error.to_string()))
            .map_err(|error| format!("this is not a complete Parquet file: {error}"))?;
        let fields = fields(&metadata)?;
        Ok(Self {
            file,
            metadata,
            fields,
        })
    }

    /// The columns with their types, as the file's own schema has them.
    pub(crate) fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The number of rows of each row group.
    pub(crate) fn groups(&self) -> Vec<usize> {
        let groups = self.metadata.row_groups.iter();
        groups.map(RowGroupMetadata::num_rows).collect()
    }

    /// Refuses a group whose columns of these names would take too much memory, before any of it is read.
    ///
    /// # Errors
    /// What it claims, and the bound.
    pub(crate) fn check_size(&self, group: usize, wanted: &[&str]) -> Result<(), String> {
        let group = self.group(group)?;
        if group.num_rows() > MAX_ROWS {
            return Err(format!(
                "it claims {} rows; at most {MAX_ROWS} are read at once",
                group.num_rows()
            ));
        }
        let chunks = wanted
            .iter()
            .filter_map(|name| group.columns_under_root_iter(name))
            .flatten();
        let sizes = chunks.map(|chunk| {
            let packed = chunk.compressed_size().max(0).unsigned_abs();
            packed.saturating_add(chunk.uncompressed_size().max(0).unsigned_abs())
        });
        let bytes = sizes.fold(0_u64, u64::saturating_add);
        if bytes > MAX_GROUP_BYTES {
            return Err(format!(
                "it claims {} MB in the columns that are read; at most {} MB are read at once",
                bytes >> 20,
                MAX_GROUP_BYTES >> 20
            ));
        }
        Ok(())
    }

    /// Reads one column of a group.
    ///
    /// # Errors
    /// When the group lacks it, or its data are damaged; the reason in words.
    pub(crate) fn column(&self, group: usize, name: &str) -> Result<Column, String> {
        let lacks = "the row group lacks it";
        let field = self.fields.iter().find(|field| field.name == name);
        let field = field.ok_or(lacks)?;
        let group = self.group(group)?;
        let chunks = group.columns_under_root_iter(name).ok_or(lacks)?;
        let length = self.file.metadata().map_err(|error| error.to_string())?;
        let length = length.len();
        let mut pages = Vec::new();
        let mut types = Vec::new();
        for chunk in chunks {
            let range = guarded(|| Ok(chunk.byte_range()))?;
            if range.start > range.end || range.end > length {
                return Err(format!(
                    "its data should lie at bytes {} to {}, and the file has {length}",
                    range.start, range.end
                ));
            }
            let bytes = Buffer::from_vec(self.bytes(range.start, range.end - range.start)?);
            let reader =
                || PageReader::new(Cursor::new(bytes.clone()), chunk, vec![], MAX_PAGE_BYTES);
            guarded(|| check_pages(reader()))?;
            pages.push(BasicDecompressor::new(reader(), vec![]));
            types.push(&chunk.descriptor().descriptor.primitive_type);
        }
        let parts = guarded(|| {
            let arrays = column_iter_to_arrays(pages, types, field.clone(), None);
            arrays
                .map(|(arrays, _)| arrays)
                .map_err(|error| error.to_string())
        })?;
        let rows: usize = parts.iter().map(|part| part.len()).sum();
        if rows == group.num_rows() {
            Ok(Column { parts })
        } else {
            Err(format!(
                "it has {rows} values for {} rows",
                group.num_rows()
            ))
        }
    }

    fn group(&self, at: usize) -> Result<&RowGroupMetadata, String> {
        let group = self.metadata.row_groups.get(at);
        group.ok_or_else(|| "there is no such row group".to_owned())
    }

    fn bytes(&self, start: u64, length: u64) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        let mut file = &self.file;
        file.seek(SeekFrom::Start(start))
            .and_then(|_| file.take(length).read_to_end(&mut bytes))
            .map_err(|error| format!("cannot be read ({error})"))?;
        Ok(bytes)
    }
}

/// A column of a group.
pub(crate) struct Column {
    parts: Vec<Box<dyn Array>>,
}

impl Column {
    /// The array that holds a row, and its place there.
    pub(crate) fn at(&self, mut row: usize) -> Option<(&dyn Array, usize)> {
        for part in &self.parts {
            if row < part.len() {
                return Some((part.as_ref(), row));
            }
            row -= part.len();
        }
        None
    }

    /// The value of a row, by the array's own `value`; none where it is missing or of another type.
    pub(crate) fn value<'a, A: Array, T>(
        &'a self,
        row: usize,
        value: impl FnOnce(&'a A, usize) -> T,
    ) -> Option<T> {
        let (array, at) = self.at(row)?;
        let known = !array.is_null(at);
        let array = array.as_any().downcast_ref::<A>();
        array.filter(|_| known).map(|array| value(array, at))
    }
}

fn fields(metadata: &FileMetadata) -> Result<Vec<Field>, String> {
    let schema = guarded(|| Ok(parquet_to_arrow_schema(metadata.schema().fields())))
        .map_err(|error| format!("its columns cannot be understood: {error}"))?;
    Ok(schema.iter_values().cloned().collect())
}

/// Refuses pages that claim more values than any writer puts there: room for all of them is made at once, and
/// a claim that is negative in the file is larger than any memory.
fn check_pages(pages: PageReader) -> Result<(), String> {
    for page in pages {
        let claimed = match page.map_err(|error| error.to_string())? {
            CompressedPage::Data(page) => page.num_values(),
            CompressedPage::Dict(_) => 0,
        };
        if claimed > MAX_PAGE_VALUES {
            return Err(format!(
                "a page claims {claimed} values; at most {MAX_PAGE_VALUES} are read at once"
            ));
        }
    }
    Ok(())
}
