//! Word-piece tokenizers that are published as `vocab.txt`: described in the form of a `tokenizer.json`.

use crate::model::{ModelError, Result};
use serde_json::{Map, Value, json};
use std::path::Path;

/// The tokens that do not represent text.
const SPECIAL: [&str; 5] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];

/// The description of a vocabulary with one token on each line, for BERT's lower-case form.
///
/// # Errors
/// Fails if the file is absent or is not text.
pub(super) fn describe(path: &Path) -> Result<Value> {
    let text = std::fs::read_to_string(path).map_err(|error| ModelError::io(path, &error))?;
    let vocabulary: Map<String, Value> = (text.split_terminator('\n').enumerate())
        .map(|(id, token)| (token.trim_end_matches('\r').to_owned(), id.into()))
        .collect();
    let added: Vec<Value> = SPECIAL
        .iter()
        .filter_map(|token| {
            let id = vocabulary.get(*token)?;
            Some(json!({
                "id": id, "content": token, "single_word": false, "lstrip": false, "rstrip": false,
                "normalized": false, "special": true,
            }))
        })
        .collect();
    Ok(json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": added,
        "normalizer": {
            "type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
            "strip_accents": null, "lowercase": true,
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": null,
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
        "model": {
            "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100, "vocab": vocabulary,
        },
    }))
}
