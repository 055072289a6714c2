//! Names with values that need little memory, since there may be a million records.

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Index;
use std::sync::Arc;

/// Names and values, sorted by name, which are cheap to clone. In files, they are a JSON object.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pairs<V>(Arc<[(String, V)]>);

/// What the report groups by.
pub type Tags = Pairs<String>;
/// Named numbers: seconds by phase, parts of a score.
pub type Numbers = Pairs<f64>;

impl<V> Pairs<V> {
    /// The value of a name.
    pub fn get(&self, name: &str) -> Option<&V> {
        let at = self
            .0
            .binary_search_by(|(known, _)| known.as_str().cmp(name))
            .ok()?;
        Some(&self.0[at].1)
    }

    /// Whether there is no name.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Names and values, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &V)> {
        self.0.iter().map(|(name, value)| (name, value))
    }

    /// Names, sorted.
    pub fn keys(&self) -> impl Iterator<Item = &String> {
        self.0.iter().map(|(name, _)| name)
    }
}

impl<V> Default for Pairs<V> {
    fn default() -> Self {
        Self(Arc::new([]))
    }
}

impl<V: JsonSchema> JsonSchema for Pairs<V> {
    fn inline_schema() -> bool {
        BTreeMap::<String, V>::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        BTreeMap::<String, V>::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        BTreeMap::<String, V>::json_schema(generator)
    }
}

impl<V> Index<&str> for Pairs<V> {
    type Output = V;

    /// # Panics
    /// Panics if there is no such name. [`Pairs::get`] does not.
    fn index(&self, name: &str) -> &V {
        self.get(name)
            .unwrap_or_else(|| panic!("there is no `{name}`"))
    }
}

impl<V> FromIterator<(String, V)> for Pairs<V> {
    /// The last value of a name counts.
    fn from_iter<I: IntoIterator<Item = (String, V)>>(pairs: I) -> Self {
        BTreeMap::from_iter(pairs).into()
    }
}

impl<V> From<BTreeMap<String, V>> for Pairs<V> {
    fn from(sorted: BTreeMap<String, V>) -> Self {
        if sorted.is_empty() {
            Self::default()
        } else {
            Self(sorted.into_iter().collect())
        }
    }
}

impl<V: Serialize> Serialize for Pairs<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de, V: DeserializeOwned> Deserialize<'de> for Pairs<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read<V>(PhantomData<V>);

        impl<'de, V: DeserializeOwned> Visitor<'de> for Read<V> {
            type Value = Pairs<V>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs<V>, A::Error> {
                let mut pairs = Vec::with_capacity(map.size_hint().unwrap_or(0).min(64));
                while let Some(pair) = map.next_entry::<String, V>()? {
                    pairs.push(pair);
                }
                if pairs.is_sorted_by(|(a, _), (b, _)| a < b) {
                    return Ok(Pairs(pairs.into()));
                }
                Ok(pairs.into_iter().collect())
            }
        }

        deserializer.deserialize_map(Read(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_sorted_and_the_last_of_a_repeated_name_counts() {
        let tags: Tags = serde_json::from_str(r#"{"b":"1","a":"2","b":"3"}"#).unwrap();
        assert_eq!(
            serde_json::to_string(&tags).unwrap(),
            r#"{"a":"2","b":"3"}"#
        );
        assert_eq!(tags.get("b").map(String::as_str), Some("3"));
        assert_eq!(tags.get("c"), None);
    }
}
