//! What is wrong with a JSON text, in words that name the cause if another language wrote it.

/// Words of Python and JavaScript that JSON does not have, with what they are.
const WORDS: [(&str, &str); 9] = [
    ("NaN", "not a JSON number"),
    ("nan", "not a JSON number"),
    ("Infinity", "not a JSON number"),
    ("inf", "not a JSON number"),
    ("True", "from Python; JSON has `true`"),
    ("False", "from Python; JSON has `false`"),
    ("None", "from Python; JSON has `null`"),
    ("undefined", "from JavaScript; JSON has `null`"),
    ("'", "not a quotation mark of JSON, which uses `\"`"),
];

/// The reader's message about a text of one line, with the column if it helps.
pub fn describe(text: &[u8], error: &serde_json::Error) -> String {
    let message = error.to_string();
    match word(text, error) {
        Some((word, what)) => format!("`{word}` is {what} (at column {})", error.column()),
        None => message.replace(" at line 1 column ", " at column "),
    }
}

/// The word at which reading a text of one line stopped, and what it is. `None` if it is not one of the known
/// words.
pub fn word(text: &[u8], error: &serde_json::Error) -> Option<(&'static str, &'static str)> {
    let at = error
        .column()
        .checked_sub(1)
        .filter(|_| error.is_syntax())?;
    let letters = |bytes: &[u8]| {
        bytes
            .iter()
            .rev()
            .take_while(|byte| byte.is_ascii_alphabetic())
            .count()
    };
    let start = at - letters(text.get(..at)?);
    let rest = text.get(start..)?;
    let known = WORDS
        .iter()
        .find(|(word, _)| rest.starts_with(word.as_bytes()));
    known.copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn describe_text(text: &str) -> String {
        let error = serde_json::from_str::<serde_json::Value>(text).unwrap_err();
        describe(text.as_bytes(), &error)
    }

    #[test]
    fn words_of_other_languages_are_named() {
        for (text, word) in [
            (r#"{"a": NaN}"#, "`NaN` is not a JSON number"),
            (r#"{"a": [1, Infinity]}"#, "`Infinity` is not a JSON number"),
            (r#"{"a": -Infinity}"#, "`Infinity` is not a JSON number"),
            (r#"{"a": nan}"#, "`nan` is not a JSON number"),
            (r#"{"a": None}"#, "`None` is from Python"),
            (r#"{"a": True, "b": 1}"#, "`True` is from Python"),
            ("{'a': 1}", "`'` is not a quotation mark"),
        ] {
            assert!(
                describe_text(text).contains(word),
                "{text}: {}",
                describe_text(text)
            );
        }
        assert_eq!(describe_text(r#"{"a": }"#), "expected value at column 7");
        assert!(describe_text("{\"a\": \"NaN").contains("EOF"));
    }
}
