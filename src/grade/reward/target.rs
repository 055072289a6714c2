//! The texts that a picture shows: those of the item, or else those in quotation marks.

use super::classes::{has_ideographs, has_texts};
use super::quotes::quoted_spans;
use crate::record::Item;
use std::borrow::Cow;

/// The item with its target texts: `expect.texts`, or else what the prompt has in quotation marks. Where no
/// language is named, it is that of the texts: `zh` with ideographs, else `en`.
pub(super) fn with_texts(item: &Item) -> Cow<'_, Item> {
    if has_texts(item) && item.expect.contains_key("language") {
        return Cow::Borrowed(item);
    }
    let texts: Vec<String> = if has_texts(item) {
        let texts = item.expect.get("texts").and_then(|texts| texts.as_array());
        let texts = texts.into_iter().flatten().filter_map(|text| text.as_str());
        texts.map(str::to_owned).collect()
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
    let language = serde_json::Value::from(language);
    own.expect.entry("language").or_insert(language);
    if !has_texts(item) {
        own.expect.insert("texts".to_owned(), texts.into());
    }
    Cow::Owned(own)
}
