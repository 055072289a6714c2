//! Texts in every format.

use super::*;
use crate::record::Object;
use proptest::prelude::*;
use serde_json::Value;

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..4)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

fn objects() -> impl Strategy<Value = Vec<Object>> {
    let object = prop::collection::vec((any::<String>(), json_value()), 0..4);
    prop::collection::vec(object.prop_map(Object::from_iter), 0..8)
}

/// Text that looks like the formats more often than random text does.
fn nearly() -> impl Strategy<Value = String> {
    "([{}\\[\\],:\"a-c0-9.\\\\ \r\n\u{2028}\u{85}\u{feff}é字]|null|true|\"id\":){0,60}"
}

fn fields(raws: Vec<Raw<'_>>) -> Vec<Object> {
    let records = raws.into_iter().map(|raw| raw.record().unwrap());
    records.map(|record| record.fields).collect()
}

#[test]
fn every_format_is_described() {
    crate::named::check_list::<FormatDescription>();
}

proptest! {
    #[test]
    fn no_text_makes_a_reader_panic(content in prop_oneof![nearly(), any::<String>()]) {
        for format in ALL {
            for raw in format.read_text(&content, "file").into_iter().flatten() {
                let _ = raw.record();
            }
        }
    }

    #[test]
    fn json_lines_read_back_what_was_written(
        written in objects(),
        ends in prop::collection::vec(prop_oneof!["\n", "\r\n", "\n\n", "\n  \r\n"], 8),
    ) {
        let lines = written.iter().zip(&ends);
        let content: String = lines
            .map(|(object, end)| serde_json::to_string(object).unwrap() + end)
            .collect();
        prop_assert_eq!(fields(jsonl::JSONL.read_text(&content, "file").unwrap()), written);
    }

    #[test]
    fn a_json_array_reads_back_what_was_written(written in objects()) {
        let content = serde_json::to_string_pretty(&written).unwrap();
        prop_assert_eq!(fields(json::JSON.read_text(&content, "file").unwrap()), written);
    }

    #[test]
    fn a_table_reads_back_what_was_written(
        rows in prop::collection::vec(("[a-zé字 ,;\"\n\t]{0,12}", "[ -~]{0,12}"), 1..8),
    ) {
        let quoted = |cell: &str| format!("\"{}\"", cell.replace('"', "\"\""));
        let mut content = "left,right\n".to_owned();
        for (left, right) in &rows {
            content += &format!("{},{}\n", quoted(left), quoted(right));
        }
        let read = fields(csv::CSV.read_text(&content, "file").unwrap());
        let written: Vec<Object> = rows
            .into_iter()
            .map(|(left, right)| {
                [("left".to_owned(), left.into()), ("right".to_owned(), right.into())]
                    .into_iter()
                    .collect()
            })
            .collect();
        prop_assert_eq!(read, written);
    }
}
