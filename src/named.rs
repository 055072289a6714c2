//! Kinds of things that definition files name, such as item formats: one description of each thing beside its
//! code, and one list of each kind.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, EnumAccess, Error, VariantAccess, Visitor};
use serde::ser::{Serialize, Serializer};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

/// The description of one thing of a kind.
pub trait Described: 'static {
    /// The name of the kind in JSON schemas, such as `Format`.
    const KIND: &'static str;
    /// What the kind is, in a sentence.
    const ABOUT: &'static str;

    /// The descriptions of all things of the kind, in the order in which messages and schemas list them.
    fn all() -> &'static [&'static Self];

    /// The name in definition files; no two things of a kind share it.
    fn name(&self) -> &'static str;

    /// What the thing is, in a sentence or two.
    fn about(&self) -> &'static str;
}

/// A thing of a kind, as a definition file names it. It reads, writes and describes itself in a schema as an
/// enumeration of names does.
pub struct Named<T: Described + ?Sized>(&'static T);

impl<T: Described + ?Sized> Named<T> {
    /// The thing that is described so.
    pub const fn new(description: &'static T) -> Self {
        Self(description)
    }

    /// The thing of this name. `None` if no thing of the kind has it.
    pub fn find(name: &str) -> Option<Self> {
        let mut all = T::all().iter();
        all.find(|known| known.name() == name).copied().map(Self)
    }
}

impl<T: Described + ?Sized> Deref for Named<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0
    }
}

impl<T: Described + ?Sized> Clone for Named<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Described + ?Sized> Copy for Named<T> {}

impl<T: Described + ?Sized> PartialEq for Named<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0.name() == other.0.name()
    }
}

impl<T: Described + ?Sized> Eq for Named<T> {}

impl<T: Described + ?Sized> fmt::Debug for Named<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl<T: Described + ?Sized> fmt::Display for Named<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0.name())
    }
}

impl<T: Described + ?Sized> Serialize for Named<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.name())
    }
}

impl<'de, T: Described + ?Sized> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_enum(T::KIND, &[], VariantVisitor(PhantomData))
    }
}

/// Reads a name as a variant of an enumeration that has no content.
struct VariantVisitor<T: ?Sized>(PhantomData<fn(&T)>);

impl<'de, T: Described + ?Sized> Visitor<'de> for VariantVisitor<T> {
    type Value = Named<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "enum {}", T::KIND)
    }

    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<Named<T>, A::Error> {
        let (KnownName(named), content) = access.variant()?;
        content.unit_variant()?;
        Ok(named)
    }
}

/// The name alone: its error points at the name.
struct KnownName<T: Described + ?Sized>(Named<T>);

impl<'de, T: Described + ?Sized> Deserialize<'de> for KnownName<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_identifier(NameVisitor(PhantomData))
    }
}

struct NameVisitor<T: ?Sized>(PhantomData<fn(&T)>);

impl<T: Described + ?Sized> Visitor<'_> for NameVisitor<T> {
    type Value = KnownName<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("variant identifier")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<KnownName<T>, E> {
        let known = || {
            let names = T::all().iter().map(|known| format!("`{}`", known.name()));
            names.collect::<Vec<_>>().join(", ")
        };
        Named::find(name).map(KnownName).ok_or_else(|| {
            // The words of serde's own error about enumerations, which messages are made from.
            E::custom(format!(
                "unknown variant `{name}`, expected one of {}",
                known()
            ))
        })
    }
}

impl<T: Described + ?Sized> JsonSchema for Named<T> {
    fn schema_name() -> Cow<'static, str> {
        T::KIND.into()
    }

    fn schema_id() -> Cow<'static, str> {
        format!("{}::{}", module_path!(), T::KIND).into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let all = T::all().iter();
        let names: Vec<Value> = all
            .map(|known| json!({"type": "string", "const": known.name(), "description": known.about()}))
            .collect();
        json_schema!({"oneOf": names, "description": T::ABOUT})
    }
}

/// Checks a list in the tests of its room: every name leads to its own description, which says something.
#[cfg(test)]
pub(crate) fn check_list<T: Described + ?Sized>() {
    assert!(!T::all().is_empty());
    for known in T::all() {
        let found = Named::<T>::find(known.name()).unwrap();
        assert_eq!(found.about(), known.about(), "two are `{}`", known.name());
        assert!(known.about().ends_with('.'), "{}", known.name());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    struct Fruit(&'static str);

    impl Described for Fruit {
        const KIND: &'static str = "Fruit";
        const ABOUT: &'static str = "What grows on a tree.";

        fn all() -> &'static [&'static Self] {
            &[&Fruit("apple"), &Fruit("pear")]
        }

        fn name(&self) -> &'static str {
            self.0
        }

        fn about(&self) -> &'static str {
            "A fruit."
        }
    }

    /// What grows on a tree.
    #[derive(Debug, Deserialize, JsonSchema)]
    #[serde(rename_all = "lowercase")]
    #[schemars(rename = "Fruit")]
    enum Derived {
        /// A fruit.
        Apple,
        /// A fruit.
        Pear,
    }

    #[derive(Debug, Deserialize)]
    struct Basket<T> {
        #[serde(rename = "fruit")]
        _fruit: T,
    }

    #[test]
    fn a_name_is_read_as_a_derived_enumeration_reads_it() {
        for text in ["\"plum\"", "3", "{ apple = 1 }", "[]"] {
            let text = format!("fruit = {text}");
            let ours = toml::from_str::<Basket<Named<Fruit>>>(&text).unwrap_err();
            let derived = toml::from_str::<Basket<Derived>>(&text).unwrap_err();
            assert_eq!(ours.span(), derived.span(), "{text}");
            let words = derived
                .message()
                .replace("`apple` or `pear`", "one of `apple`, `pear`");
            assert_eq!(ours.message(), words, "{text}");
        }
        let read = serde_json::from_str::<Named<Fruit>>("\"pear\"").unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), "\"pear\"");
        assert_eq!(format!("{read} {read:?}"), "pear pear");
    }

    #[test]
    fn a_kind_has_the_schema_of_a_derived_enumeration() {
        let ours = schemars::schema_for!(Named<Fruit>);
        let derived = schemars::schema_for!(Derived);
        assert_eq!(ours.to_value().to_string(), derived.to_value().to_string());
    }
}
