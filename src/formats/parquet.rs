//! Parquet, a row group at a time, by polars's reader of single columns: a dataset's pictures need not fit
//! into memory.

mod value;

use super::description::{FormatDescription, Reading};
use super::error::Unreadable;
use super::record::{Place, Record, RecordFault};
use super::table::{Batches, Columns, Row, RowResult, Sink, row_place};
use crate::guard::guarded;
use crate::record::Object;
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

/// Parquet.
pub(super) static PARQUET: FormatDescription = FormatDescription {
    name: "parquet",
    about: "Parquet of any size, as datasets lie on the hub: pictures are bytes, or a struct of `bytes` and `path`, or a \
            list of either.",
    expected: "a Parquet table with at least one row",
    extensions: &["parquet"],
    own_json: None,
    reading: Reading::Rows(read),
};

/// Rows of a group; writers make groups of a million at most, of a few hundred where there are pictures.
const MAX_ROWS: usize = 4_000_000;
/// Bytes of the columns of a group that are read, packed and unpacked.
const MAX_GROUP_BYTES: u64 = 4 << 30;
/// Bytes of one page, packed or unpacked.
const MAX_PAGE_BYTES: usize = 1 << 30;
/// Values of one page.
const MAX_PAGE_VALUES: usize = 1 << 26;

/// Hands over the rows of one file; `name` is the file's among several.
fn read(
    path: &Path,
    name: Option<&str>,
    columns: &Columns,
    sink: &mut Sink<'_>,
) -> Result<(), Unreadable> {
    let unreadable = |problem: String| {
        Unreadable::new(path, problem).with_help(
            "fetch or copy the file again; if it is whole, write it anew with smaller row groups",
        )
    };
    let mut file =
        File::open(path).map_err(|error| unreadable(format!("cannot be read ({error})")))?;
    let metadata = guarded(|| read_metadata(&mut file).map_err(|error| error.to_string()))
        .map_err(|error| unreadable(format!("this is no whole Parquet file: {error}")))?;
    let fields = fields(&metadata).map_err(unreadable)?;
    let there: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
    columns.check(path, &there)?;
    let wanted: Vec<&Field> = fields
        .iter()
        .filter(|field| columns.wants(&field.name))
        .collect();
    let mut batches = Batches::new(sink);
    let mut before = 0;
    for (at, group) in metadata.row_groups.iter().enumerate() {
        let within = |problem: String| {
            unreadable(format!(
                "row group {} (from row {}): {problem}",
                at + 1,
                before + 1
            ))
        };
        check_size(group, &wanted).map_err(within)?;
        let mut table = Vec::new();
        for field in &wanted {
            let column = column(&mut file, group, field)
                .map_err(|problem| within(format!("column `{}`: {problem}", field.name)))?;
            table.push(column);
        }
        for row in 0..group.num_rows() {
            let place = row_place(name, before + row + 1);
            let made = row_of(&table, row, columns, place);
            let bytes = made.as_ref().map_or(0, Row::weight);
            batches.push(made, bytes);
        }
        before += group.num_rows();
    }
    batches.finish();
    Ok(())
}

/// The columns with their types, as the file's own schema has them.
fn fields(metadata: &FileMetadata) -> Result<Vec<Field>, String> {
    let schema = guarded(|| Ok(parquet_to_arrow_schema(metadata.schema().fields())))
        .map_err(|error| format!("its columns cannot be understood: {error}"))?;
    Ok(schema.iter_values().cloned().collect())
}

/// Refuses a group that would take too much memory, before any of it is read.
fn check_size(group: &RowGroupMetadata, wanted: &[&Field]) -> Result<(), String> {
    if group.num_rows() > MAX_ROWS {
        return Err(format!(
            "it claims {} rows; at most {MAX_ROWS} are read at once",
            group.num_rows()
        ));
    }
    let chunks = wanted
        .iter()
        .filter_map(|field| group.columns_under_root_iter(&field.name))
        .flatten();
    let sizes = chunks.map(|chunk| {
        let packed = chunk.compressed_size().max(0).unsigned_abs();
        packed.saturating_add(chunk.uncompressed_size().max(0).unsigned_abs())
    });
    let bytes = sizes.fold(0_u64, u64::saturating_add);
    if bytes > MAX_GROUP_BYTES {
        Err(format!(
            "it claims {} MB in the columns that are read; at most {} MB are read at once",
            bytes >> 20,
            MAX_GROUP_BYTES >> 20
        ))
    } else {
        Ok(())
    }
}

/// A column of a group.
struct Column<'a> {
    field: &'a Field,
    parts: Vec<Box<dyn Array>>,
}

impl Column<'_> {
    /// The array that holds a row, and its place there.
    fn at(&self, mut row: usize) -> Option<(&dyn Array, usize)> {
        for part in &self.parts {
            if row < part.len() {
                return Some((part.as_ref(), row));
            }
            row -= part.len();
        }
        None
    }
}

fn column<'a>(
    file: &mut File,
    group: &RowGroupMetadata,
    field: &'a Field,
) -> Result<Column<'a>, String> {
    let chunks = group
        .columns_under_root_iter(&field.name)
        .ok_or("the row group lacks it")?;
    let length = file.metadata().map_err(|error| error.to_string())?.len();
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
        let bytes = Buffer::from_vec(bytes(file, range.start, range.end - range.start)?);
        let reader = || PageReader::new(Cursor::new(bytes.clone()), chunk, vec![], MAX_PAGE_BYTES);
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
        Ok(Column { field, parts })
    } else {
        Err(format!(
            "it has {rows} values for {} rows",
            group.num_rows()
        ))
    }
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

fn bytes(file: &mut File, start: u64, length: u64) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(start))
        .and_then(|_| file.take(length).read_to_end(&mut bytes))
        .map_err(|error| format!("cannot be read ({error})"))?;
    Ok(bytes)
}

/// A row, or what is wrong with one of its values.
fn row_of(table: &[Column<'_>], row: usize, columns: &Columns, place: Place) -> RowResult {
    let mut fields = Object::new();
    let mut pictures = Vec::new();
    for column in table {
        let name = column.field.name.as_str();
        let wrong = |message: String| RecordFault::new(place.clone().column(name), message);
        let (array, at) = column
            .at(row)
            .ok_or_else(|| wrong("there is no value".to_owned()))?;
        let found = guarded(|| {
            if columns.is_image(name) {
                value::pictures(array, at, columns.encoding)
            } else {
                value::json(array, at).map(value::Cell::Value)
            }
        });
        match found.map_err(wrong)? {
            value::Cell::Value(value) => {
                fields.insert(name.to_owned(), value);
            }
            value::Cell::Pictures(list) => pictures.push((name.to_owned(), list)),
        }
    }
    let record = Record {
        place,
        key: None,
        fields,
    };
    Ok(Row { record, pictures })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::table::ImageEncoding;
    use proptest::prelude::*;

    fn columns() -> Columns {
        let names = [
            "question_id",
            "question",
            "answer",
            "question_type",
            "weight",
        ];
        Columns {
            fields: Some(names.map(|name| (name.to_owned(), true)).into()),
            images: vec!["image".to_owned()],
            all_images: true,
            encoding: ImageEncoding::Path,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]
        #[test]
        fn damaged_bytes_are_read_or_refused(
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
            cut in prop::option::of(any::<prop::sample::Index>()),
        ) {
            let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/tables/hub-0.parquet");
            let mut bytes = std::fs::read(golden).unwrap();
            for (at, value) in changes {
                let at = at.index(bytes.len());
                bytes[at] = value;
            }
            if let Some(cut) = cut {
                let (from, to) = (cut.index(bytes.len()), bytes.len().min(cut.index(bytes.len()) + 7));
                bytes.drain(from..to);
            }
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("t.parquet");
            std::fs::write(&path, bytes).unwrap();
            let _ = read(&path, None, &columns(), &mut |_| ());
        }
    }
}
