//! Tokenizers of the miniature world in the form of Qwen2's and CLIP's: byte pairs whose merges make whole
//! words of its grammar, and single letters of everything else, so that signs are spelt.

use crate::world::thing::{Color, Shape};
use serde_json::{Map, Value, json};

/// Words that follow a blank, beside shapes and colours.
const WITHIN: [&str; 33] = [
    "a",
    "and",
    "photo",
    "of",
    "one",
    "two",
    "three",
    "four",
    "left",
    "right",
    "above",
    "below",
    "sign",
    "that",
    "says",
    "to",
    "with",
    "the",
    "up",
    "down",
    "many",
    "color",
    "is",
    "it",
    "none",
    "row",
    "column",
    "circles",
    "squares",
    "triangles",
    "nothing",
    "yes",
    "no",
];
/// Words that a text begins with. A word that has the first two letters of another word in it comes before
/// that one, since its own letters must be merged first.
const FIRST: [&str; 11] = [
    "user",
    "assistant",
    "where",
    "what",
    "how",
    "describe",
    "add",
    "remove",
    "recolor",
    "replace",
    "move",
];

/// The tokens that mark the ends of texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// CLIP's.
    Clip,
    /// T5's.
    T5,
    /// Qwen's.
    Qwen,
    /// Qwen2's, followed by the image tokens of so many codes and the tokens around them.
    XOmni(usize),
}

/// The tokens that open a picture of X-Omni's, close it, and come before its image tokens.
pub(super) const AROUND: [&str; 3] = ["<SOM>", "<EOM>", "<IMAGE>"];

/// The chat template of X-Omni's `tokenizer_config.json`: Qwen2's without its system turn.
pub(super) const CHAT_TEMPLATE: &str = "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] \
    + '<|im_end|>' + '\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

impl Kind {
    fn special(self) -> Vec<String> {
        let names: &[&str] = match self {
            Self::Clip => &["<|startoftext|>", "<|endoftext|>"],
            Self::T5 => &["<pad>", "</s>"],
            Self::Qwen | Self::XOmni(_) => &[
                "<|endoftext|>",
                "<|im_start|>",
                "<|im_end|>",
                "<|vision_start|>",
                "<|vision_end|>",
                "<|image_pad|>",
            ],
        };
        let mut names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        if let Self::XOmni(codes) = self {
            names.extend((0..codes).map(|code| format!("<MM-Token-{code}>")));
            names.extend(AROUND.map(str::to_owned));
        }
        names
    }
}

/// A `tokenizer.json`.
pub(super) fn tokenizer(kind: Kind) -> Value {
    let mut tokens: Vec<String> = alphabet();
    let mut merges: Vec<String> = Vec::new();
    let names = Shape::ALL.map(Shape::name).into_iter();
    let names = names.chain(Color::ALL.map(Color::name));
    // Byte pairs spell a blank as Ġ.
    let within = WITHIN.into_iter().chain(names);
    let within = within.map(|word| format!("Ġ{word}"));
    for word in within.chain(FIRST.map(str::to_owned)) {
        // A word grows from its beginning, letter by letter.
        let letters: Vec<String> = word.chars().map(String::from).collect();
        let mut known = letters[0].clone();
        for letter in &letters[1..] {
            let grown = format!("{known}{letter}");
            if !tokens.contains(&grown) {
                merges.push(format!("{known} {letter}"));
                tokens.push(grown.clone());
            }
            known = grown;
        }
    }
    let first = tokens.len();
    let vocabulary: Map<String, Value> = tokens
        .into_iter()
        .enumerate()
        .map(|(id, token)| (token, id.into()))
        .collect();
    let special = kind.special().into_iter().enumerate();
    let special = special.map(|(number, name)| {
        json!({"id": first + number, "content": name, "single_word": false, "lstrip": false,
            "rstrip": false, "normalized": false, "special": true})
    });
    json!({
        "version": "1.0",
        "truncation": null,
        "padding": null,
        "added_tokens": special.collect::<Vec<Value>>(),
        "normalizer": null,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
        "post_processor": null,
        "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
        "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
            "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false, "ignore_merges": false,
            "vocab": vocabulary, "merges": merges},
    })
}

/// How many ids a tokenizer has.
pub(super) fn size(kind: Kind) -> usize {
    let json = tokenizer(kind);
    let words = json["model"]["vocab"].as_object().map_or(0, Map::len);
    words + kind.special().len()
}

/// The 256 letters that GPT-2's byte pairs spell bytes with: a printable byte is itself, the others follow
/// U+0100 in turn.
fn alphabet() -> Vec<String> {
    let printable = |byte: &u32| matches!(byte, 33..=126 | 161..=172 | 174..=255);
    let others = (0..256).filter(|byte| !printable(byte)).count() as u32;
    let letters = (0..256).filter(printable).chain(256..256 + others);
    letters
        .filter_map(char::from_u32)
        .map(String::from)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::tokenizer::Tokenizer;
    use crate::model::tokenizer::chat::{Form, Item, Role, Turn, encode};
    use crate::model::tokenizer::template::{ChatTemplate, Said};
    use crate::world::caption::{Caption, Task};
    use crate::world::words;

    #[test]
    fn words_of_the_grammar_are_tokens_and_signs_are_spelt() {
        for kind in [Kind::Clip, Kind::T5, Kind::Qwen] {
            let text = tokenizer(kind).to_string();
            let tokenizer = tokenizers::Tokenizer::from_bytes(text).unwrap();
            assert_eq!(tokenizer.get_vocab_size(true), size(kind));
            let tokens = |text: &str| {
                let encoding = tokenizer.encode_fast(text, false).unwrap();
                assert_eq!(tokenizer.decode(encoding.get_ids(), true).unwrap(), text);
                encoding.len()
            };
            for caption in Task::ALL.into_iter().flat_map(Caption::all_of) {
                let words = caption.words();
                assert_eq!(tokens(&words), words.split(' ').count(), "{words}");
            }
            for word in FIRST {
                assert_eq!(tokens(word), 1, "{word}");
            }
            assert_eq!(tokens("recolor the circle to red"), 5);
            assert_eq!(tokens(&words::prompt("QUIZ")), 4 + 5);
            assert!(tokens("Ein Käse, 3 × 4?") > 10);
        }
    }

    #[test]
    fn image_tokens_follow_the_words_and_a_conversation_is_written_by_the_published_template() {
        let words = size(Kind::Qwen);
        let (plain, json) = (tokenizer(Kind::Qwen), tokenizer(Kind::XOmni(20)));
        assert_eq!(plain["model"], json["model"]);
        let tokenizer = Tokenizer::from_json(&json).unwrap();
        assert_eq!(tokenizer.size(), words + 20 + 3);
        for (name, id) in [
            ("<|im_end|>", words - 4),
            ("<MM-Token-0>", words),
            ("<MM-Token-19>", words + 19),
            ("<SOM>", words + 20),
            ("<EOM>", words + 21),
            ("<IMAGE>", words + 22),
        ] {
            assert_eq!(tokenizer.token(name).unwrap() as usize, id, "{name}");
        }
        let ids = tokenizer.encode("a sign<SOM>4 4<IMAGE>").unwrap();
        let around = [20, 22].map(|more| (words + more) as u32);
        assert_eq!(ids.iter().filter(|id| around.contains(id)).count(), 2);
        assert_eq!(*ids.last().unwrap(), around[1]);

        let folder = tempfile::tempdir().unwrap();
        let config = json!({"chat_template": CHAT_TEMPLATE}).to_string();
        std::fs::write(folder.path().join("tokenizer_config.json"), config).unwrap();
        let content = "<SOM>4 4<IMAGE><EOM>\ndescribe it".to_owned();
        let said = Said {
            role: Role::User,
            content: content.clone(),
        };
        let text = ChatTemplate::open(folder.path()).unwrap();
        let text = text.render(&[said]).unwrap();
        let turn = Turn {
            role: Role::User,
            items: vec![Item::Text(content)],
        };
        assert_eq!(
            tokenizer.encode(&text).unwrap(),
            encode(&tokenizer, &[turn], Form::UniWorld).unwrap()
        );
    }
}
