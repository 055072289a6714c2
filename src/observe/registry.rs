//! Looks up kinds of observers by name.

use super::kind::Made;
use super::{BuildError, Means, OBSERVERS, ObserverKind};
use crate::config::{Settings, nearest};

/// The kind of this name.
pub fn find(name: &str) -> Option<&'static ObserverKind> {
    OBSERVERS.iter().find(|kind| kind.name == name)
}

/// The names of all kinds.
pub fn names() -> impl Iterator<Item = &'static str> {
    OBSERVERS.iter().map(|kind| kind.name)
}

/// The kind of this name.
///
/// # Errors
/// Fails if there is none.
pub fn kind(name: &str) -> Result<&'static ObserverKind, BuildError> {
    find(name).ok_or_else(|| {
        let near = nearest(name, names())
            .map(|near| format!("did you mean `{near}`? "))
            .unwrap_or_default();
        let known: Vec<&str> = names().collect();
        BuildError::Unknown {
            name: name.into(),
            help: format!(
                "{near}the observers are {}; `unigauge grade` grades evidence of other programs",
                known.join(", ")
            ),
        }
    })
}

/// Makes an observer.
///
/// # Errors
/// Fails if there is no such observer, its settings have mistakes, or an asset, a checkpoint or the device
/// cannot be obtained.
pub fn build(name: &str, settings: &Settings, means: &Means<'_>) -> Made {
    (kind(name)?.open)(settings, means)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_in_order_and_each_kind_says_what_it_is() {
        assert!(OBSERVERS.is_sorted_by(|a, b| a.name < b.name));
        for kind in OBSERVERS {
            assert!(!kind.about.is_empty() && !kind.about.ends_with('.'));
        }
    }

    #[test]
    fn each_setting_says_what_it_is() {
        for kind in OBSERVERS {
            let schema = (kind.schema)().to_value();
            let settings = schema["properties"].as_object();
            for (name, setting) in settings.into_iter().flatten() {
                let described = setting.get("description").is_some();
                assert!(described, "{}: `{name}` has no description", kind.name);
            }
        }
    }
}
