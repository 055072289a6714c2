//! The texts that a picture shows: those of the item, or else those in quotation marks.

use super::classes::{has_ideographs, has_texts};
use super::quotes::quoted_spans;
use crate::record::Item;
use serde_json::Value;
use std::borrow::Cow;

/// The item with its target texts: `expect.texts`, or else what the prompt has in quotation marks. Where no
/// language is named, it is that of the texts: `zh` with ideographs, else `en`.
pub(super) fn with_texts(item: &Item) -> Cow<'_, Item> {
    let listed = has_texts(item) && item.expect["texts"].is_array();
    if listed && item.expect.contains_key("language") {
        return Cow::Borrowed(item);
    }
    let texts: Vec<String> = if has_texts(item) {
        given_texts(item)
    } else {
        let spans = quoted_spans(&item.prompt).into_iter();
        spans.map(str::to_owned).collect()
    };
    if texts.is_empty() {
        return Cow::Borrowed(item);
    }
    let language = if texts.iter().any(|text| has_ideographs(text)) {
        "zh"
    } else {
        "en"
    };
    let mut own = item.clone();
    let language = Value::from(language);
    own.expect.entry("language").or_insert(language);
    if !listed {
        own.expect.insert("texts".to_owned(), texts.into());
    }
    Cow::Owned(own)
}

/// The texts of `expect.texts`, which is a list or a single text.
fn given_texts(item: &Item) -> Vec<String> {
    let texts = match item.expect.get("texts") {
        Some(Value::Array(texts)) => texts.as_slice(),
        Some(text) => std::slice::from_ref(text),
        None => &[],
    };
    let texts = texts.iter().filter_map(Value::as_str);
    texts.map(str::to_owned).collect()
}
