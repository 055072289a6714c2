//! The texts that an item asks for, and how words are left out of them.

use super::random::SplitMix64;
use crate::record::Item;
use serde_json::Value;

/// Pairs of double quotation marks in prompts.
const QUOTES: [(char, char); 4] = [('"', '"'), ('“', '”'), ('「', '」'), ('『', '』')];

/// The texts to draw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// The texts, each of which is a block. No text is blank.
    pub texts: Vec<String>,
    /// Whether the texts are Chinese, so that characters are left out instead of words.
    pub chinese: bool,
}

impl Target {
    /// The texts of `expect.texts`, or else of `expect.answers`, or else those in double quotation marks in
    /// the prompt, or else the whole prompt.
    pub(super) fn from_item(item: &Item) -> Self {
        let texts = strings(item.expect.get("texts"))
            .or_else(|| strings(item.expect.get("answers")))
            .or_else(|| Some(quoted(&item.prompt)).filter(|texts| !texts.is_empty()))
            .unwrap_or_else(|| vec![item.prompt.clone()]);
        let texts: Vec<String> = texts
            .into_iter()
            .filter(|text| !text.trim().is_empty())
            .collect();
        let language = item
            .expect
            .get("language")
            .and_then(Value::as_str)
            .or_else(|| item.tags.get("language").map(String::as_str));
        let chinese = match language {
            Some(language) => language.starts_with("zh") || language == "cn",
            None => texts.iter().any(|text| text.chars().any(is_cjk)),
        };
        Self { texts, chinese }
    }

    /// Leaves out each word or Chinese character with the given probability. Returns the number of those left
    /// out, and the number of all.
    pub(super) fn drop_units(&mut self, probability: f64, seed: u64) -> (usize, usize) {
        let mut random = SplitMix64::new(seed, 1);
        let (mut dropped, mut all) = (0, 0);
        let mut keep = || {
            all += 1;
            let keep = random.unit() >= probability;
            dropped += usize::from(!keep);
            keep
        };
        for text in &mut self.texts {
            *text = if self.chinese {
                text.chars()
                    .filter(|&character| character.is_whitespace() || keep())
                    .collect()
            } else {
                let lines = text.lines().map(|line| {
                    let words: Vec<&str> = line.split_whitespace().filter(|_| keep()).collect();
                    words.join(" ")
                });
                lines.collect::<Vec<_>>().join("\n")
            };
        }
        self.texts.retain(|text| !text.trim().is_empty());
        (dropped, all)
    }
}

/// A string, or the strings of an array.
fn strings(value: Option<&Value>) -> Option<Vec<String>> {
    match value? {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Array(values) => {
            let texts = values.iter().filter_map(Value::as_str).map(str::to_owned);
            Some(texts.collect())
        }
        _ => None,
    }
}

fn quoted(prompt: &str) -> Vec<String> {
    let mut texts = Vec::new();
    let mut rest = prompt;
    while let Some((start, open, close)) = rest
        .char_indices()
        .find_map(|(at, c)| QUOTES.iter().find(|q| q.0 == c).map(|q| (at, q.0, q.1)))
    {
        let inside = &rest[start + open.len_utf8()..];
        let Some(end) = inside.find(close) else {
            // A single mark, as in 5" nails.
            rest = inside;
            continue;
        };
        if !inside[..end].trim().is_empty() {
            texts.push(inside[..end].trim().to_owned());
        }
        rest = &inside[end + close.len_utf8()..];
    }
    texts
}

/// Whether only a CJK font has this character, and lines may break next to it: ideographs, kana, hangul,
/// full-width forms and CJK punctuation.
pub(super) fn is_cjk(character: char) -> bool {
    matches!(u32::from(character),
        0x1100..=0x11ff | 0x2e80..=0x303f | 0x3040..=0x33ff | 0x3400..=0x4dbf | 0x4e00..=0x9fff
        | 0xac00..=0xd7af | 0xf900..=0xfaff | 0xfe30..=0xfe4f | 0xff00..=0xffef | 0x20000..=0x3ffff)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn target(prompt: &str, expect: Value) -> Target {
        Target::from_item(
            &serde_json::from_value(json!({
                "item": "1", "task": "text-to-image", "prompt": prompt, "expect": expect
            }))
            .unwrap(),
        )
    }

    #[test]
    fn texts_come_from_the_best_source() {
        let prompt = r#"A door that says "PUSH" and, below, “pull”, by a 5" nail"#;
        let both = json!({"texts": ["OPEN", " ", "CLOSED"], "answers": ["x"]});
        assert_eq!(target(prompt, both).texts, ["OPEN", "CLOSED"]);
        assert_eq!(
            target(prompt, json!({"answers": ["x", "y"]})).texts,
            ["x", "y"]
        );
        assert_eq!(target(prompt, json!({"answers": "x"})).texts, ["x"]);
        assert_eq!(target(prompt, json!({})).texts, ["PUSH", "pull"]);
        assert_eq!(target("a cat", json!({})).texts, ["a cat"]);
        assert_eq!(
            target("门上写着“推”和「拉」", json!({})).texts,
            ["推", "拉"]
        );
        assert!(target("a cat", json!({"texts": []})).texts.is_empty());
    }

    #[test]
    fn the_language_is_told_or_seen() {
        assert!(target("你好", json!({})).chinese);
        assert!(!target("hello", json!({})).chinese);
        assert!(target("2024", json!({"language": "zh"})).chinese);
        assert!(target("2024", json!({"language": "cn"})).chinese);
        assert!(!target("你好", json!({"language": "en"})).chinese);
    }

    #[test]
    fn dropping_takes_the_fraction_asked_for_and_nests() {
        let words: Vec<String> = (0..4000).map(|n| format!("w{n}")).collect();
        let full = target("x", json!({"texts": [words.join(" ")]}));
        let kept = |probability: f64, seed: u64| {
            let mut target = full.clone();
            let (dropped, all) = target.drop_units(probability, seed);
            assert_eq!(all, 4000);
            let kept: Vec<String> = target
                .texts
                .iter()
                .flat_map(|text| text.split(' ').map(str::to_owned))
                .collect();
            assert_eq!(kept.len() + dropped, 4000);
            kept
        };
        assert_eq!(kept(0.0, 5).len(), 4000);
        assert_eq!(kept(1.0, 5).len(), 0);
        // By the binomial distribution, 3000 of 4000 words are kept on average at 0.25, with a standard
        // deviation of 27. The test allows five standard deviations.
        assert!((kept(0.25, 5).len() as i64 - 3000).abs() < 137);
        let few = kept(0.5, 5);
        let many = kept(0.25, 5);
        assert!(few.iter().all(|word| many.contains(word)));
        assert_ne!(kept(0.25, 5), kept(0.25, 6));
    }

    #[test]
    fn chinese_drops_characters_and_keeps_lines() {
        let mut zh = target("x", json!({"texts": ["你好\n世界"], "language": "zh"}));
        assert_eq!(zh.drop_units(0.0, 1), (0, 4));
        assert_eq!(zh.texts, ["你好\n世界"]);
        let mut en = target("x", json!({"texts": ["one  two\nthree"], "language": "en"}));
        assert_eq!(en.drop_units(0.0, 1), (0, 3));
        assert_eq!(en.texts, ["one two\nthree"]);
    }
}
