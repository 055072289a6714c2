//! Parquet, a row group at a time, by polars's reader of single columns: a dataset's pictures need not fit
//! into memory.

mod value;

use super::description::{FormatDescription, Reading};
use super::error::Unreadable;
use super::record::{Place, Record, RecordFault};
use super::table::{Batches, Columns, Row, RowResult, Sink, row_place};
use crate::guard::guarded;
use crate::parquet::{Column, ParquetFile};
use crate::record::Object;
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

/// Hands over the rows of one file; `name` is the file's among several.
fn read(
    path: &Path,
    name: Option<&str>,
    columns: &Columns,
    sink: &mut Sink<'_>,
) -> Result<(), Unreadable> {
    let unreadable = |problem: String| {
        Unreadable::new(path, problem).with_help(
            "fetch or copy the file again; if it is complete, write it again with smaller row groups",
        )
    };
    let file = ParquetFile::open(path).map_err(unreadable)?;
    let names = file.fields().iter().map(|field| field.name.as_str());
    let names: Vec<&str> = names.collect();
    columns.check(path, &names)?;
    let wanted = names.into_iter().filter(|name| columns.wants(name));
    let wanted: Vec<&str> = wanted.collect();
    let mut batches = Batches::new(sink);
    let mut before = 0;
    for (at, rows) in file.groups().into_iter().enumerate() {
        let within = |problem: String| {
            unreadable(format!(
                "row group {} (from row {}): {problem}",
                at + 1,
                before + 1
            ))
        };
        file.check_size(at, &wanted).map_err(within)?;
        let mut table = Vec::new();
        for name in &wanted {
            let column = file
                .column(at, name)
                .map_err(|problem| within(format!("column `{name}`: {problem}")))?;
            table.push((*name, column));
        }
        for row in 0..rows {
            let place = row_place(name, before + row + 1);
            let made = row_of(&table, row, columns, place);
            let bytes = made.as_ref().map_or(0, Row::weight);
            batches.push(made, bytes);
        }
        before += rows;
    }
    batches.finish();
    Ok(())
}

/// A row, or what is wrong with one of its values.
fn row_of(table: &[(&str, Column)], row: usize, columns: &Columns, place: Place) -> RowResult {
    let mut fields = Object::new();
    let mut pictures = Vec::new();
    for (name, column) in table {
        let name = *name;
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
