//! The keys of the files of a run folder, from the types of the records.

use super::markdown::{head, paragraphs};
use super::schema::{Form, tables};
use schemars::{Schema, schema_for};
use unigauge::record::{Evidence, Grade, Item, Output, Summary};

/// The page of records.
pub(super) fn page() -> String {
    let files: [(&str, Schema); 5] = [
        ("items.jsonl", schema_for!(Item)),
        ("outputs.jsonl", schema_for!(Output)),
        ("evidence.jsonl", schema_for!(Evidence)),
        ("grades.jsonl", schema_for!(Grade)),
        ("summary.json", schema_for!(Summary)),
    ];
    let mut page = head("Keys of the records", "the types in `src/record`");
    page += "One JSON object on each line, but for `summary.json`, which is one object. A key without a value may be absent. \
             Keys that a version does not know are kept. [Files of a run folder](run-folder.md) says what the files are \
             for, and what evidence holds.\n\n";
    for (file, schema) in files {
        let schema = schema.to_value();
        page += &format!("## `{file}`\n\n");
        page += &paragraphs(schema["description"].as_str().unwrap());
        page += &tables(&schema, Form::Json, 3);
    }
    page
}
