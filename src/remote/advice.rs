//! The setting to change if a server refuses a field of the request.

use super::said::Said;

/// Words of a server that does not know a field, or does not accept its value.
const REFUSALS: [&str; 18] = [
    "unsupported",
    "not supported",
    "isn't supported",
    "no longer supported",
    "not support",
    "unknown",
    "unrecognized",
    "unrecognised",
    "unexpected",
    "not permitted",
    "not allowed",
    "not accepted",
    "deprecated",
    "instead",
    "extra_forbidden",
    "additional properties",
    "cannot be used",
    "invalid field",
];

/// The names of the field for the longest answer, each with the name that other servers use.
const TOKEN_FIELDS: [(&str, &str); 2] = [
    ("max_tokens", "max_completion_tokens"),
    ("max_completion_tokens", "max_tokens"),
];

/// What to do about an error that names a field of the request. `sent` contains the fields of the request.
pub(super) fn advice(said: &Said, sent: &[&str]) -> Option<String> {
    let words = format!("{} {}", said.message, said.param).to_lowercase();
    let coded = said.has("unsupported_parameter") || said.has("unsupported_value");
    if !coded && !REFUSALS.iter().any(|refusal| words.contains(refusal)) {
        return None;
    }
    let named = |field: &str| {
        let mut places = words.match_indices(field);
        let part = |c: char| c.is_alphanumeric() || c == '_';
        places.any(|(at, _)| {
            let (before, behind) = (&words[..at], &words[at + field.len()..]);
            !before.ends_with(part) && !behind.starts_with(part)
        })
    };
    let token = TOKEN_FIELDS
        .into_iter()
        .find(|(field, _)| sent.contains(field));
    if let Some((field, other)) = token
        && (named(field) || named(other))
    {
        return Some(format!("set `token_field = \"{other}\"`"));
    }
    let refused = sent.iter().find(|field| {
        // These are not settings: every chat has them.
        !matches!(
            **field,
            "model" | "messages" | "prompt" | "image" | "image[]"
        ) && named(field)
    })?;
    Some(match *refused {
        "seed" => "set `send_seed = false`, or leave `seed` out of `extra`".into(),
        "temperature" => "leave `temperature` out, or set a value that the server accepts".into(),
        "stream" => "set `stream` under `extra` to the value that the server requires".into(),
        field => format!("check `{field}` in the settings, which the server does not accept"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn advice_for(error: &serde_json::Value, sent: &[&str]) -> String {
        let body = json!({"error": error}).to_string();
        advice(&Said::of_body(body.as_bytes()), sent).unwrap_or_default()
    }

    #[test]
    fn every_wording_names_the_setting() {
        for error in [
            json!(
                "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
            ),
            json!({"message": "Unrecognized request argument supplied: max_tokens"}),
            json!({"message": "this model wants max_completion_tokens instead"}),
            json!({"message": "Invalid parameter", "param": "max_tokens", "code": "unsupported_parameter"}),
            json!({"message": "Unknown name \"max_tokens\": Cannot find field."}),
            json!({"message": "`max_tokens` is deprecated"}),
        ] {
            let advice = advice_for(&error, &["model", "messages", "max_tokens"]);
            assert!(
                advice.contains("token_field = \"max_completion_tokens\""),
                "{error}: {advice}"
            );
        }
        let error = json!("Extra inputs are not permitted: max_completion_tokens");
        let advice = advice_for(&error, &["model", "max_completion_tokens"]);
        assert!(advice.contains("token_field = \"max_tokens\""), "{advice}");
        let error = json!("Unsupported value: 'temperature' does not support 0.0 with this model.");
        assert!(advice_for(&error, &["temperature", "max_tokens"]).contains("`temperature`"));
        let error = json!("unknown field `seed`");
        assert!(advice_for(&error, &["seed"]).contains("send_seed = false"));
        assert!(
            advice_for(&json!("unknown parameter: 'quality'"), &["quality"]).contains("`quality`")
        );
    }

    #[test]
    fn other_errors_name_none() {
        for words in [
            "max_tokens is too large: 100000. This model supports at most 16384 completion tokens.",
            "'max_tokens' or 'max_completion_tokens' is too large: 8192.",
            "this prompt has 40960 tokens and the window 32768",
            "Unknown model: m",
        ] {
            assert_eq!(
                advice_for(&json!(words), &["model", "messages", "max_tokens", "seed"]),
                "",
                "{words}"
            );
        }
    }
}
