//! Text to ids and back, with the files of a checkpoint's folder.

pub mod chat;
mod pairs;
pub mod template;
mod words;

use super::{ModelError, Result};
use std::path::{Path, PathBuf};

/// The tokenizer of a folder.
#[derive(Debug, Clone)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    path: PathBuf,
}

/// Ids of a fixed length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Padded {
    /// The ids, with their padding.
    pub ids: Vec<u32>,
    /// Number of ids that are not padding.
    pub used: usize,
    /// Whether the text was too long and was cut.
    pub truncated: bool,
}

impl Tokenizer {
    /// From `tokenizer.json`, from `vocab.txt` in BERT's form, or from `vocab.json` and `merges.txt` in
    /// CLIP's or Qwen's.
    ///
    /// # Errors
    /// Fails if the folder has neither, or a file is damaged.
    pub fn open(folder: &Path) -> Result<Self> {
        let path = folder.join("tokenizer.json");
        let words = folder.join("vocab.txt");
        let bytes = if path.is_file() {
            std::fs::read(&path).map_err(|error| ModelError::io(&path, &error))?
        } else if words.is_file() {
            words::describe(&words)?.to_string().into_bytes()
        } else {
            pairs::describe(folder)?.to_string().into_bytes()
        };
        let wrong = |error: tokenizers::Error| {
            let help = "the file is damaged or has an unknown form: fetch it again";
            ModelError::file(&path, error.to_string(), help)
        };
        let mut inner = tokenizers::Tokenizer::from_bytes(bytes).map_err(wrong)?;
        // Lengths are the caller's.
        inner.with_padding(None);
        inner.with_truncation(None).map_err(wrong)?;
        Ok(Self { inner, path })
    }

    /// From the contents of a `tokenizer.json`.
    ///
    /// # Errors
    /// Fails if they are not those of such a file.
    pub fn from_json(json: &serde_json::Value) -> Result<Self> {
        let inner = tokenizers::Tokenizer::from_bytes(json.to_string()).map_err(input)?;
        Ok(Self {
            inner,
            path: PathBuf::from("tokenizer.json"),
        })
    }

    /// The id of a required token.
    ///
    /// # Errors
    /// Fails if the vocabulary lacks it. The message names it.
    pub fn token(&self, name: &str) -> Result<u32> {
        self.inner.token_to_id(name).ok_or_else(|| {
            let message = format!("there is no token `{name}`");
            let help = "the tokenizer must be the one that was published with the network";
            ModelError::file(&self.path, message, help)
        })
    }

    /// The number of tokens, including the special ones.
    pub fn size(&self) -> usize {
        self.inner.get_vocab_size(true)
    }

    /// The ids of a text. Special tokens in the text are recognised, and none are added.
    ///
    /// # Errors
    /// Fails if the tokenizer cannot represent the text.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>> {
        let encoding = self.inner.encode_fast(text, false).map_err(input)?;
        Ok(encoding.get_ids().to_vec())
    }

    /// The text of ids, without special tokens.
    ///
    /// # Errors
    /// Fails if the tokenizer cannot decode them.
    pub fn decode(&self, ids: &[u32]) -> Result<String> {
        self.inner.decode(ids, true).map_err(input)
    }

    /// The text of ids, with special tokens by their names.
    ///
    /// # Errors
    /// Fails if the tokenizer cannot decode them.
    pub fn decode_whole(&self, ids: &[u32]) -> Result<String> {
        self.inner.decode(ids, false).map_err(input)
    }

    /// CLIP's form: start, text, end, then the end token up to `length`.
    ///
    /// # Errors
    /// Fails if the vocabulary lacks a special token or `length` has no room for them.
    pub fn clip_ids(&self, text: &str, length: usize) -> Result<Padded> {
        self.clip_ids_padded(text, length, "<|endoftext|>")
    }

    /// The same as [`Self::clip_ids`], with another token up to `length`. SDXL's second tokenizer has `!`.
    ///
    /// # Errors
    /// Fails when [`Self::clip_ids`] fails.
    pub fn clip_ids_padded(&self, text: &str, length: usize, pad: &str) -> Result<Padded> {
        let start = self.token("<|startoftext|>")?;
        let end = self.token("<|endoftext|>")?;
        self.padded(&[start], text, end, self.token(pad)?, length)
    }

    /// T5's form: text, `</s>`, then `<pad>` up to `length`.
    ///
    /// # Errors
    /// Fails when [`Self::clip_ids`] fails.
    pub fn t5_ids(&self, text: &str, length: usize) -> Result<Padded> {
        let (end, pad) = (self.token("</s>")?, self.token("<pad>")?);
        self.padded(&[], text, end, pad, length)
    }

    /// BERT's form: `[CLS]`, text, `[SEP]`, then `[PAD]` up to `length`.
    ///
    /// # Errors
    /// Fails when [`Self::clip_ids`] fails.
    pub fn bert_ids(&self, text: &str, length: usize) -> Result<Padded> {
        let (start, end) = (self.token("[CLS]")?, self.token("[SEP]")?);
        self.padded(&[start], text, end, self.token("[PAD]")?, length)
    }

    fn padded(
        &self,
        start: &[u32],
        text: &str,
        end: u32,
        pad: u32,
        length: usize,
    ) -> Result<Padded> {
        let room = length.checked_sub(start.len() + 1).ok_or_else(|| {
            ModelError::Input(format!(
                "{length} tokens have no room for the special tokens"
            ))
        })?;
        let text = self.encode(text)?;
        let kept = &text[..text.len().min(room)];
        let mut ids = [start, kept, &[end]].concat();
        let used = ids.len();
        ids.resize(length, pad);
        Ok(Padded {
            ids,
            used,
            truncated: text.len() > room,
        })
    }
}

fn input(error: tokenizers::Error) -> ModelError {
    ModelError::Input(format!("the text cannot be tokenized: {error}"))
}

#[cfg(test)]
mod tests {
    use super::chat::{Form, Item, Role, Turn, encode};
    use super::*;
    use serde_json::Value;

    fn golden() -> (PathBuf, Value) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/tokenizer");
        let text = std::fs::read_to_string(folder.join("expected.json")).unwrap();
        (folder, serde_json::from_str(&text).unwrap())
    }

    fn ids(value: &Value) -> Vec<u32> {
        serde_json::from_value(value.clone()).unwrap()
    }

    // make.py next to the files shows how they were made with transformers.
    #[test]
    fn clip_ids_equal_transformers() {
        let (folder, expected) = golden();
        let tokenizer = Tokenizer::open(&folder.join("clip")).unwrap();
        let cases = expected["clip"].as_array().unwrap();
        assert_eq!(cases.len(), 6);
        for case in cases {
            let text = case["text"].as_str().unwrap();
            let got = tokenizer.clip_ids(text, 20).unwrap();
            assert_eq!(got.ids, ids(&case["ids"]), "{text:?}");
            assert_eq!(got.truncated, text.len() > 80, "{text:?}");
        }
        let got = tokenizer.clip_ids_padded("a", 6, "!").unwrap();
        assert_eq!(
            (got.ids[got.used - 1], &got.ids[got.used..]),
            (523, &[0, 0, 0][..])
        );
        let error = tokenizer.token("<|im_start|>").unwrap_err().to_string();
        assert!(error.contains("`<|im_start|>`"), "{error}");
    }

    #[test]
    fn qwen_ids_equal_transformers() {
        let (folder, expected) = golden();
        let tokenizer = Tokenizer::open(&folder.join("qwen")).unwrap();
        let cases = expected["qwen"]["texts"].as_array().unwrap();
        assert_eq!(cases.len(), 4);
        for case in cases {
            let text = case["text"].as_str().unwrap();
            assert_eq!(
                tokenizer.encode(text).unwrap(),
                ids(&case["ids"]),
                "{text:?}"
            );
        }
        let text = |text: &str| Item::Text(text.into());
        let turn = |items| {
            [Turn {
                role: Role::User,
                items,
            }]
        };
        let turns = turn(vec![text("the user's"), Item::Image(3)]);
        let expected = &expected["qwen"];
        let got = encode(&tokenizer, &turns, Form::Qwen).unwrap();
        assert_eq!(got, ids(&expected["chat"]));
        let got = encode(&tokenizer, &turns, Form::UniWorld).unwrap();
        assert_eq!(got, ids(&expected["uniworld"]));
        let back = tokenizer.decode(&got).unwrap();
        assert_eq!(back, "user\nthe user's\nassistant\n");
        let named = turn(vec![text("the <|image_pad|>")]);
        assert!(encode(&tokenizer, &named, Form::UniWorld).is_err());
    }
}
