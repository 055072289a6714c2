//! Byte-pair tokenizers that are published as `vocab.json` and `merges.txt`: described in the form of a
//! `tokenizer.json`.

use crate::model::{ModelError, Result, read_config};
use serde_json::{Map, Value, json};
use std::path::Path;

/// The pattern by which CLIP splits a text into words. Blanks are dropped.
const CLIP_WORDS: &str = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+";
/// The pattern of Qwen, in which every character belongs to a word.
const QWEN_WORDS: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// The description of a folder's tokenizer.
///
/// # Errors
/// Fails if a file is absent or damaged.
pub(super) fn describe(folder: &Path) -> Result<Value> {
    let vocabulary: Map<String, Value> = read_config(&folder.join("vocab.json"))?;
    let merges = merges(&folder.join("merges.txt"))?;
    let path = folder.join("tokenizer_config.json");
    let settings: Value = if path.is_file() {
        read_config(&path)?
    } else {
        Value::Null
    };
    let class = settings["tokenizer_class"].as_str().unwrap_or_default();
    let clip = class.starts_with("CLIP") || vocabulary.contains_key("<|startoftext|>");
    let mut added = added(&settings);
    if clip {
        add_clip(&mut added, &vocabulary);
    }
    let words = |pattern: &str, behavior: &str, invert: bool| json!({"type": "Split", "pattern": {"Regex": pattern}, "behavior": behavior, "invert": invert});
    let bytes = json!({
        "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": clip,
    });
    let (normalizer, words) = if clip {
        let steps = json!([
            {"type": "NFC"},
            {"type": "Replace", "pattern": {"Regex": r"\s+"}, "content": " "},
            {"type": "Lowercase"},
        ]);
        let normalizer = json!({"type": "Sequence", "normalizers": steps});
        (normalizer, words(CLIP_WORDS, "Removed", true))
    } else {
        (json!({"type": "NFC"}), words(QWEN_WORDS, "Isolated", false))
    };
    let (suffix, unknown) = if clip {
        (json!("</w>"), json!("<|endoftext|>"))
    } else {
        (json!(null), json!(null))
    };
    Ok(json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": added,
        "normalizer": normalizer,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [words, bytes.clone()]},
        "post_processor": null,
        "decoder": bytes,
        "model": {
            "type": "BPE",
            "dropout": null,
            "unk_token": unknown,
            "continuing_subword_prefix": null,
            "end_of_word_suffix": suffix,
            "fuse_unk": false,
            "byte_fallback": false,
            "vocab": vocabulary,
            "merges": merges,
        },
    }))
}

fn merges(path: &Path) -> Result<Vec<String>> {
    let text = std::fs::read_to_string(path).map_err(|error| ModelError::io(path, &error))?;
    // The first line is a version. A merge may also begin with `#`.
    let lines = text.lines().filter(|line| !line.starts_with("#version"));
    let lines = lines.filter(|line| !line.trim().is_empty());
    Ok(lines.map(str::to_owned).collect())
}

/// The added tokens of `tokenizer_config.json`, by rising id.
fn added(settings: &Value) -> Vec<Value> {
    let mut added: Vec<(u64, Value)> = Vec::new();
    for (id, token) in settings["added_tokens_decoder"]
        .as_object()
        .into_iter()
        .flatten()
    {
        if let (Ok(id), Some(content)) = (id.parse(), token["content"].as_str()) {
            let flag = |name: &str| token[name].as_bool().unwrap_or(false);
            let token = json!({
                "id": id, "content": content, "single_word": flag("single_word"), "lstrip": flag("lstrip"),
                "rstrip": flag("rstrip"), "normalized": flag("normalized"), "special": flag("special"),
            });
            added.push((id, token));
        }
    }
    added.sort_by_key(|(id, _)| *id);
    added.into_iter().map(|(_, token)| token).collect()
}

/// CLIP's two special tokens are in the vocabulary itself.
fn add_clip(added: &mut Vec<Value>, vocabulary: &Map<String, Value>) {
    for name in ["<|startoftext|>", "<|endoftext|>"] {
        let known = added.iter().any(|token| token["content"] == name);
        if let (false, Some(id)) = (known, vocabulary.get(name)) {
            added.push(json!({
                "id": id, "content": name, "single_word": false, "lstrip": false, "rstrip": false,
                "normalized": false, "special": true,
            }));
        }
    }
}
