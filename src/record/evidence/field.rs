//! A key of an evidence object that another program may have written.

use serde::de::{Deserialize, Deserializer, Error as _, Visitor};
use serde::ser::{Error as _, Serialize, Serializer};
use serde_json::Value;
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

static NULL: Value = Value::Null;

/// The value of a key. One value of a wrong type does not spoil the object that it is in.
///
/// It is read from a [`Value`], not from text: a wrong value in a text cannot be skipped.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Field<T> {
    /// The object has no such key.
    #[default]
    Absent,
    /// The key is null.
    Null,
    /// The value.
    Given(T),
    /// The value has another type. The text says which one was expected.
    Wrong(String),
}

impl<T> Field<T> {
    /// The value, or null.
    pub fn or_null(value: Option<T>) -> Self {
        value.map_or(Self::Null, Self::Given)
    }

    /// The value, or no key.
    pub fn or_absent(value: Option<T>) -> Self {
        value.map_or(Self::Absent, Self::Given)
    }

    /// Whether the object has no such key.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// The value, if there is one of the expected type.
    pub fn get(&self) -> Option<&T> {
        match self {
            Self::Given(value) => Some(value),
            _ => None,
        }
    }

    /// The same as [`Self::get`], by value.
    pub fn into_option(self) -> Option<T> {
        match self {
            Self::Given(value) => Some(value),
            _ => None,
        }
    }
}

impl<'a, T: Deserialize<'a>> Field<T> {
    /// The value of a key that must be there.
    ///
    /// # Errors
    /// Fails if the key is missing, or if its value has another type. The error has serde's words.
    pub fn required(self, key: &'static str) -> Result<T, String> {
        let told = |error: serde_json::Error| error.to_string();
        match self {
            Self::Given(value) => Ok(value),
            Self::Wrong(why) => Err(why),
            Self::Absent => Err(told(serde_json::Error::missing_field(key))),
            Self::Null => T::deserialize(&NULL).map_err(told),
        }
    }

    /// The value of a key that may be missing or null.
    ///
    /// # Errors
    /// Fails if the value has another type. The error has serde's words.
    pub fn optional(self) -> Result<Option<T>, String> {
        match self {
            Self::Given(value) => Ok(Some(value)),
            Self::Wrong(why) => Err(why),
            Self::Absent | Self::Null => Ok(None),
        }
    }
}

impl<'a> Field<Text<'a>> {
    /// The text. Empty if there is none.
    pub fn text(&self) -> &str {
        self.get().map_or("", Text::as_str)
    }
}

impl<T> From<T> for Field<T> {
    fn from(value: T) -> Self {
        Self::Given(value)
    }
}

impl<T: Serialize> Serialize for Field<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Absent | Self::Null => serializer.serialize_none(),
            Self::Given(value) => value.serialize(serializer),
            Self::Wrong(why) => Err(S::Error::custom(why)),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Read<T> {
            type Value = Field<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value or null")
            }

            fn visit_none<E>(self) -> Result<Field<T>, E> {
                Ok(Field::Null)
            }

            fn visit_unit<E>(self) -> Result<Field<T>, E> {
                Ok(Field::Null)
            }

            fn visit_some<D: Deserializer<'de>>(self, value: D) -> Result<Field<T>, D::Error> {
                let read = T::deserialize(value);
                Ok(read.map_or_else(|error| Field::Wrong(error.to_string()), Field::Given))
            }
        }

        deserializer.deserialize_option(Read(PhantomData))
    }
}

/// A text that is borrowed from the record if possible.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Text<'a>(pub Cow<'a, str>);

impl Text<'_> {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Self(Cow::Owned(text))
    }
}

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;

        impl<'de> Visitor<'de> for Read {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(text.into())
            }

            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(text.to_owned().into())
            }
        }

        deserializer.deserialize_str(Read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use serde_json::json;

    #[derive(Debug, Default, Deserialize)]
    #[serde(default)]
    struct Seen<'a> {
        #[serde(borrow)]
        name: Field<Text<'a>>,
        score: Field<f64>,
    }

    #[test]
    fn a_wrong_value_is_told_as_serde_tells_it_and_spoils_nothing_else() {
        let value = json!({"name": 5, "score": 1, "other": [1]});
        let seen = Seen::deserialize(&value).unwrap();
        assert_eq!(seen.score, Field::Given(1.0));
        assert_eq!(seen.name.text(), "");
        assert_eq!(
            seen.name.required("name").unwrap_err(),
            "invalid type: integer `5`, expected a string"
        );
        let value = json!({"name": null});
        let seen = Seen::deserialize(&value).unwrap();
        assert_eq!(seen.name.clone().optional(), Ok(None));
        assert_eq!(
            seen.name.required("name").unwrap_err(),
            "invalid type: null, expected a string"
        );
        assert_eq!(
            seen.score.required("score").unwrap_err(),
            "missing field `score`"
        );
    }

    #[test]
    fn texts_are_borrowed_from_the_record() {
        let value = json!({"name": "dog"});
        let seen = Seen::deserialize(&value).unwrap();
        assert!(matches!(seen.name.get(), Some(Text(Cow::Borrowed("dog")))));
    }
}
