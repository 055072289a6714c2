//! What shapes the numbers of a reward, as one hash.

use crate::config::RewardDefinition;
use crate::grade::by_name::rule_description;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// Increases when the mix makes other numbers of the same evidence.
const VERSION: u32 = 1;

/// The keys of a definition that are prose.
const PROSE: [&str; 4] = ["title", "description", "source", "notes"];

/// The hash of a definition without its prose, of the versions of its rules, and of the mix.
pub(super) fn of(definition: &RewardDefinition) -> String {
    let mut written = serde_json::to_value(definition).unwrap_or_default();
    if let Value::Object(keys) = &mut written {
        for key in PROSE {
            keys.remove(key);
        }
    }
    let named = definition
        .components
        .iter()
        .filter_map(|c| c.rule.as_deref());
    let rules: Map<String, Value> = named
        .filter_map(|name| Some((name.to_owned(), rule_description(name).ok()?.version.into())))
        .collect();
    let whole = sorted(json!({"mix": VERSION, "reward": written, "rules": rules}));
    let digest = Sha256::digest(whole.to_string().as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The same with the keys of every object in order.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(object) => {
            let mut pairs: Vec<(String, Value)> = object.into_iter().collect();
            pairs.sort_by(|(a, _), (b, _)| a.cmp(b));
            Value::Object(
                pairs
                    .into_iter()
                    .map(|(key, value)| (key, sorted(value)))
                    .collect(),
            )
        }
        Value::Array(list) => Value::Array(list.into_iter().map(sorted).collect()),
        other => other,
    }
}
