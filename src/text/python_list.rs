//! Lists of strings as Python prints them: `['a', "it's", 'new\nline']`, the way that tables made with pandas carry them.

/// The strings of such a list.
///
/// # Errors
/// What is wrong with it.
pub fn strings(text: &str) -> Result<Vec<String>, String> {
    let inside = text
        .trim()
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .ok_or_else(|| "a list in brackets was expected".to_owned())?;
    let mut strings = Vec::new();
    let mut rest = inside.trim_start();
    while !rest.is_empty() {
        let (string, after) = quoted(rest)?;
        strings.push(string);
        rest = match after.trim_start() {
            "" => "",
            after => after
                .strip_prefix(',')
                .ok_or_else(|| format!("a comma was expected before {}", near(after)))?
                .trim_start(),
        };
    }
    Ok(strings)
}

/// A string in quotation marks, and what follows it.
fn quoted(text: &str) -> Result<(String, &str), String> {
    let mark = text
        .chars()
        .next()
        .filter(|c| matches!(c, '\'' | '"'))
        .ok_or_else(|| format!("a quoted string was expected at {}", near(text)))?;
    let mut string = String::new();
    let mut rest = &text[1..];
    loop {
        let next = rest
            .chars()
            .next()
            .ok_or_else(|| format!("the string {} does not end", near(text)))?;
        rest = &rest[next.len_utf8()..];
        match next {
            '\\' => {
                let (character, after) = escaped(rest)?;
                string.push(character);
                rest = after;
            }
            _ if next == mark => return Ok((string, rest)),
            _ => string.push(next),
        }
    }
}

/// What stands behind a backslash, and what follows it.
fn escaped(text: &str) -> Result<(char, &str), String> {
    let wrong = || format!("an escape is not understood: \\{}", near(text));
    let kind = text.chars().next().ok_or_else(wrong)?;
    let rest = &text[kind.len_utf8()..];
    let digits = match kind {
        'n' => return Ok(('\n', rest)),
        'r' => return Ok(('\r', rest)),
        't' => return Ok(('\t', rest)),
        'a' => return Ok(('\u{7}', rest)),
        'b' => return Ok(('\u{8}', rest)),
        'f' => return Ok(('\u{c}', rest)),
        'v' => return Ok(('\u{b}', rest)),
        '\\' | '\'' | '"' => return Ok((kind, rest)),
        'x' => 2,
        'u' => 4,
        'U' => 8,
        '0'..='7' => return Err(wrong()),
        // No escape: Python keeps the backslash.
        _ => return Ok(('\\', text)),
    };
    let (code, rest) = rest.split_at_checked(digits).ok_or_else(wrong)?;
    let character = u32::from_str_radix(code, 16).ok().and_then(char::from_u32);
    Ok((character.ok_or_else(wrong)?, rest))
}

fn near(text: &str) -> String {
    text.chars().take(20).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Printed by Python 3.11: `repr(['5G', "it's", 'a "b"', 'it\'s "both"', 'x\ny', '\x85', 'é字', '', '\\times'])`.
    #[test]
    fn reads_what_python_prints() {
        let printed =
            r#"['5G', "it's", 'a "b"', 'it\'s "both"', 'x\ny', '\x85', 'é字', '', '\\times']"#;
        let expected = [
            "5G",
            "it's",
            "a \"b\"",
            "it's \"both\"",
            "x\ny",
            "\u{85}",
            "é字",
            "",
            "\\times",
        ];
        assert_eq!(strings(printed).unwrap(), expected);
        assert_eq!(strings(" [] ").unwrap(), Vec::<String>::new());
    }

    #[test]
    fn what_is_no_list_of_strings_is_refused() {
        for text in [
            "",
            "a",
            "['a",
            "['a]",
            "['a' 'b']",
            "[1]",
            "['\\1']",
            "['\\u12']",
            "[,]",
            "['\\ud800']",
        ] {
            strings(text).unwrap_err();
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_and_quoted_texts_read_back(text in "(?s).{0,30}", strange in "[\\['\\],\"\\\\nxu0-9é]{0,20}") {
            let _ = strings(&strange);
            let quoted = text.replace('\\', "\\\\").replace('\'', "\\'");
            prop_assert_eq!(strings(&format!("['{quoted}', ]")).unwrap(), [text]);
        }
    }
}
