//! The classes of a prompt.

use super::quotes::quoted_spans;
use crate::config::{ConfigError, Expects, PromptClass};
use crate::record::Item;
use regex::Regex;
use serde_json::Value;

/// The tag of an item that replaces the conditions.
const TAG: &str = "class";

/// The value of that tag for a prompt that has no class.
const NONE: &str = "none";

/// The first and the last of Chinese, Japanese and Korean characters.
const IDEOGRAPHS: [(char, char); 6] = [
    ('\u{3040}', '\u{30ff}'),
    ('\u{3400}', '\u{4dbf}'),
    ('\u{4e00}', '\u{9fff}'),
    ('\u{ac00}', '\u{d7af}'),
    ('\u{f900}', '\u{faff}'),
    ('\u{20000}', '\u{323af}'),
];

/// All classes of a reward, with their words ready to be found.
pub(super) struct Classes(Vec<Class>);

struct Class {
    name: String,
    expects: Option<Expects>,
    quotes: bool,
    /// English words, as whole words. `None` if there are none.
    whole: Option<Regex>,
    /// Words with ideographs, which are found anywhere.
    anywhere: Vec<String>,
}

impl Classes {
    /// # Errors
    /// Fails if a class has more words than a regular expression can have.
    pub(super) fn new(definitions: &[PromptClass]) -> Result<Self, ConfigError> {
        let classes = definitions.iter().map(Class::new);
        classes.collect::<Result<_, _>>().map(Self)
    }

    /// The classes of an item's prompt, in the order of the definition.
    pub(super) fn of(&self, item: &Item) -> Vec<String> {
        if let Some(tag) = item.tags.get(TAG)
            && (tag == NONE || self.0.iter().any(|class| class.name == *tag))
        {
            return if tag == NONE {
                Vec::new()
            } else {
                vec![tag.clone()]
            };
        }
        let quoted = !quoted_spans(&item.prompt).is_empty();
        let holds = self.0.iter().filter(|class| class.holds(item, quoted));
        holds.map(|class| class.name.clone()).collect()
    }
}

impl Class {
    fn new(definition: &PromptClass) -> Result<Self, ConfigError> {
        let words = definition.words.iter().map(|word| word.trim().to_owned());
        let (anywhere, english): (Vec<String>, Vec<String>) =
            words.partition(|word| has_ideographs(word));
        let whole = (!english.is_empty()).then(|| whole_words(&english));
        let told = |error| ConfigError::new(format!("class `{}`: {error}", definition.name), None);
        Ok(Self {
            name: definition.name.clone(),
            expects: definition.expects,
            quotes: definition.quotes,
            whole: whole.transpose().map_err(told)?,
            anywhere,
        })
    }

    /// Whether one of its conditions holds.
    fn holds(&self, item: &Item, quoted: bool) -> bool {
        let expected = match self.expects {
            Some(Expects::Texts) => has_texts(item),
            None => false,
        };
        let whole = self.whole.as_ref();
        expected
            || (self.quotes && quoted)
            || whole.is_some_and(|words| words.is_match(&item.prompt))
            || self
                .anywhere
                .iter()
                .any(|word| item.prompt.contains(word.as_str()))
    }
}

/// Finds one of the words as a whole word, with or without an `s` at its end. An ideograph beside a word is
/// no part of it, since Chinese and Japanese have no blanks between words.
fn whole_words(words: &[String]) -> Result<Regex, regex::Error> {
    let words: Vec<String> = words.iter().map(|word| regex::escape(word)).collect();
    let ideographs = IDEOGRAPHS.map(|(first, last)| format!("{first}-{last}"));
    let outside = format!(r"[\W{}]", ideographs.concat());
    let words = words.join("|");
    Regex::new(&format!("(?:^|{outside})(?i:(?:{words})s?)(?:$|{outside})"))
}

/// Whether an item's `expect.texts` names a text.
pub(super) fn has_texts(item: &Item) -> bool {
    match item.expect.get("texts") {
        Some(Value::Array(texts)) => !texts.is_empty(),
        Some(Value::String(text)) => !text.is_empty(),
        _ => false,
    }
}

/// Whether a text has Chinese, Japanese or Korean characters.
pub(super) fn has_ideographs(text: &str) -> bool {
    text.chars().any(is_ideograph)
}

/// Whether a character is Chinese, Japanese or Korean.
pub(super) fn is_ideograph(character: char) -> bool {
    let within = |(first, last): &(char, char)| (*first..=*last).contains(&character);
    IDEOGRAPHS.iter().any(within)
}
