//! Lists that a table holds as texts, as JSON or Python writes them: `["a", "b"]`, `['it\'s', 'b']`.

use crate::record::Object;
use serde_json::Value;

/// Makes a list of the field's text, where it is one.
pub(super) fn read(fields: &mut Object, name: &str) {
    let Some(value) = fields.get_mut(name) else {
        return;
    };
    if let Some(list) = value.as_str().and_then(parse) {
        *value = Value::Array(list);
    }
}

/// The list that a text writes.
pub(super) fn parse(text: &str) -> Option<Vec<Value>> {
    let text = text.trim();
    if !(text.starts_with('[') && text.ends_with(']')) {
        return None;
    }
    match serde_json::from_str(text) {
        Ok(Value::Array(list)) => Some(list),
        _ => python(text),
    }
}

/// A Python list of strings and numbers.
fn python(text: &str) -> Option<Vec<Value>> {
    let inside = text.strip_prefix('[')?.strip_suffix(']')?;
    let mut rest = inside.trim_start();
    let mut list = Vec::new();
    while !rest.is_empty() {
        let (value, after) = match rest.chars().next()? {
            quote @ ('\'' | '"') => quoted(&rest[1..], quote)?,
            _ => bare(rest)?,
        };
        list.push(value);
        let after = after.trim_start();
        rest = match after.strip_prefix(',') {
            Some(more) => more.trim_start(),
            None if after.is_empty() => after,
            None => return None,
        };
    }
    Some(list)
}

/// A string up to its closing quote, and what follows it.
fn quoted(text: &str, quote: char) -> Option<(Value, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => match characters.next()?.1 {
                'n' => value.push('\n'),
                't' => value.push('\t'),
                'r' => value.push('\r'),
                code @ ('x' | 'u') => {
                    let digits = if code == 'x' { 2 } else { 4 };
                    let hex: String = characters.by_ref().take(digits).map(|(_, c)| c).collect();
                    value.push(char::from_u32(u32::from_str_radix(&hex, 16).ok()?)?);
                }
                mark @ ('\\' | '\'' | '"') => value.push(mark),
                other => value.extend(['\\', other]),
            },
            end if end == quote => return Some((value.into(), &text[at + end.len_utf8()..])),
            other => value.push(other),
        }
    }
    None
}

/// A number up to the comma.
fn bare(text: &str) -> Option<(Value, &str)> {
    let end = text.find(',').unwrap_or(text.len());
    let (number, after) = text.split_at(end);
    let number: serde_json::Number = serde_json::from_str(number.trim()).ok()?;
    Some((Value::Number(number), after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    // repr() of the lists, by Python 3.11.
    #[test]
    fn reads_what_json_and_python_write() {
        for (text, list) in [
            (r#"["a", 2]"#, json!(["a", 2])),
            (
                r#"['it\'s', "it's", 'say "x"', 3.5, -1]"#,
                json!(["it's", "it's", "say \"x\"", 3.5, -1]),
            ),
            (
                r"['a\nb', 'é', '\x00', '\\']",
                json!(["a\nb", "é", "\0", "\\"]),
            ),
            ("[ ]", json!([])),
            ("['a, b',]", json!(["a, b"])),
        ] {
            assert_eq!(parse(text).map(Value::from), Some(list), "{text}");
        }
        for text in [
            "a",
            "['a'",
            "[a]",
            "['a' 'b']",
            "[None]",
            "['a]",
            "['\\xq']",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_left(text in "\\PC{0,20}|[\\[\\]'\",\\\\xu0-9a é]{0,20}") {
            let _ = parse(&format!("[{text}]"));
            let _ = parse(&text);
        }
    }
}
