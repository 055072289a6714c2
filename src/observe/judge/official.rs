//! The official wording of a benchmark's prompts, read from the file that its authors publish.

use super::definition::{Format, Official, PromptSet};
use super::error::JudgeError;
use std::collections::BTreeMap;
use std::path::Path;

impl Official {
    /// The set, with its words replaced by those of an official file.
    ///
    /// # Errors
    /// Fails if the file cannot be read, or if it does not contain the words at the expected places.
    pub(super) fn apply(&self, mut set: PromptSet, path: &Path) -> Result<PromptSet, JudgeError> {
        let source =
            std::fs::read_to_string(path).map_err(|error| JudgeError::file(path, &error))?;
        let wrong = |what: String| {
            JudgeError::settings(
                format!("{}: {what}", path.display()),
                "check that it is the file that the benchmark's authors publish",
            )
        };
        match self.format {
            Format::Json => {
                let texts: BTreeMap<String, String> =
                    serde_json::from_str(&source).map_err(|error| wrong(error.to_string()))?;
                if let Some(call) = set.calls.first_mut() {
                    call.texts = texts;
                }
            }
            Format::Python => {
                for texts in &self.calls {
                    let found = |marks: &[String]| {
                        let parts: Result<Vec<String>, String> =
                            marks.iter().map(|mark| literal(&source, mark)).collect();
                        parts.map(|parts| parts.join("\n"))
                    };
                    let calls = set.calls.iter_mut().filter(|call| call.role == texts.role);
                    for call in calls {
                        call.text = Some(found(&texts.text).map_err(wrong)?);
                        call.system = if texts.system.is_empty() {
                            None
                        } else {
                            Some(found(&texts.system).map_err(wrong)?)
                        };
                    }
                }
            }
        }
        if let Some(fill) = &self.fill {
            set.fill = fill.clone();
        }
        Ok(set)
    }
}

/// The value of the string literal that follows a piece of a Python source.
fn literal(source: &str, mark: &str) -> Result<String, String> {
    let at = source
        .find(mark)
        .ok_or_else(|| format!("there is no `{mark}` in it"))?;
    let rest = &source[at + mark.len()..];
    let (format, rest) = match rest.strip_prefix('f') {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    let quotes = ["\"\"\"", "'''", "\"", "'"];
    let quote = quotes.into_iter().find(|quote| rest.starts_with(quote));
    let quote = quote.ok_or_else(|| format!("there is no string after `{mark}`"))?;
    let mut rest = &rest[quote.len()..];
    let mut value = String::new();
    loop {
        if let Some(after) = rest.strip_prefix('\\') {
            let escaped = after.chars().next();
            value.push_str(&match escaped {
                Some('n') => "\n".into(),
                Some('t') => "\t".into(),
                Some('\n') => String::new(),
                Some(plain @ ('\\' | '"' | '\'')) => plain.to_string(),
                Some(other) => format!("\\{other}"),
                None => String::new(),
            });
            rest = &after[escaped.map_or(0, char::len_utf8)..];
        } else if rest.starts_with(quote) {
            break;
        } else {
            let next = rest
                .chars()
                .next()
                .ok_or_else(|| format!("the string after `{mark}` has no end"))?;
            value.push(next);
            rest = &rest[next.len_utf8()..];
        }
    }
    Ok(if format {
        value.replace("{{", "{").replace("}}", "}")
    } else {
        value
    })
}

#[cfg(test)]
mod tests {
    use super::literal;

    #[test]
    fn a_string_ends_at_its_own_quotes_and_escapes_are_undone() {
        let source =
            "a = \"one \\\"two\\\"\"\nb = f\"\"\"x \"y\" {{z}} {v['k']}\\n\"\"\"\nc = 'open";
        assert_eq!(literal(source, "a = ").unwrap(), "one \"two\"");
        assert_eq!(literal(source, "b = ").unwrap(), "x \"y\" {z} {v['k']}\n");
        assert!(literal(source, "c = ").unwrap_err().contains("no end"));
        assert!(literal(source, "d = ").unwrap_err().contains("`d = `"));
    }
}
