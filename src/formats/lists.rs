//! Lists that a table holds as texts, as JSON or Python writes them: `["a", "b"]`, `['it\'s', 'b']`.

use crate::python;
use crate::python::value::Value as Literal;
use crate::record::Object;
use serde_json::Value;

/// Turns a field's text into the list that it writes, if it writes one.
pub fn read(fields: &mut Object, name: &str) {
    let Some(value) = fields.get_mut(name) else {
        return;
    };
    if let Some(list) = value.as_str().and_then(parse) {
        *value = Value::Array(list);
    }
}

/// The list that a text writes.
pub fn parse(text: &str) -> Option<Vec<Value>> {
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
    let Some(Literal::List(list)) = python::literal::parse(text) else {
        return None;
    };
    let plain = |literal| match literal {
        Literal::Str(text) => Some(Value::from(text)),
        Literal::Int(digits) => serde_json::from_str(&digits).ok().map(Value::Number),
        Literal::Float(number) => serde_json::Number::from_f64(number).map(Value::Number),
        _ => None,
    };
    list.into_iter().map(plain).collect()
}

/// The strings of a list as Python prints it, the way that tables made with pandas carry them.
///
/// # Errors
/// Fails with what is wrong with the list.
pub fn strings(text: &str) -> Result<Vec<String>, String> {
    let Some(Literal::List(list)) = python::literal::parse(text.trim()) else {
        return Err("a list in brackets was expected".into());
    };
    let string = |literal| match literal {
        Literal::Str(text) => Ok(text),
        other => Err(format!("{} is not a string", other.repr())),
    };
    list.into_iter().map(string).collect()
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
        for text in ["a", "['a'", "[a]", "[None]", "['a]", "['\\xq']"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    /// Printed by Python 3.11: `repr(['5G', "it's", 'a "b"', 'it\'s "both"', 'x\ny', '\x85', 'é字', '',
    /// '\\times'])`.
    #[test]
    fn reads_the_strings_that_python_prints() {
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
    fn what_is_no_list_of_strings_is_told() {
        for text in ["", "a", "['a", "['a]", "[1]", "['\\u12']", "[,]"] {
            strings(text).unwrap_err();
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
