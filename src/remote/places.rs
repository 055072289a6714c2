//! Records which places have answered. If a place that has answered says "not found", this concerns one
//! request. If any other place says it, this concerns all requests.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Time between two checks whether other requests were answered.
pub(super) const PAUSE: Duration = Duration::from_millis(50);

/// The places of all clients of this program, by address and model.
static PLACES: Mutex<BTreeMap<String, Place>> = Mutex::new(BTreeMap::new());

#[derive(Debug, Default)]
struct Place {
    answered: bool,
    /// Number of requests on their way.
    asking: usize,
}

fn lock_places() -> MutexGuard<'static, BTreeMap<String, Place>> {
    PLACES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The name of a place: a model at an address.
pub(super) fn place_name(url: &str, model: &str) -> String {
    format!("{model} at {url}")
}

/// Records that a place has answered, now or in an earlier execution.
pub(super) fn has_answered(place: &str) {
    lock_places().entry(place.to_owned()).or_default().answered = true;
}

/// Whether a place has answered. `None` while requests to it are on their way and none has been answered yet.
pub(super) fn has_place_answered(place: &str) -> Option<bool> {
    let places = lock_places();
    let place = places.get(place);
    match place {
        Some(place) if place.answered => Some(true),
        Some(place) if place.asking > 0 => None,
        _ => Some(false),
    }
}

/// A request on its way, with all its attempts.
#[derive(Debug)]
pub(super) struct Asking(String);

impl Asking {
    /// Begins a request.
    pub(super) fn begin(place: &str) -> Self {
        lock_places().entry(place.to_owned()).or_default().asking += 1;
        Self(place.to_owned())
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        if let Some(place) = lock_places().get_mut(&self.0) {
            place.asking = place.asking.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_known_once_one_answered_or_all_came_back() {
        let place = place_name("http://a.example/v1/chat/completions", "m");
        assert_eq!(has_place_answered(&place), Some(false));
        let (one, two) = (Asking::begin(&place), Asking::begin(&place));
        drop(one);
        assert_eq!(has_place_answered(&place), None);
        drop(two);
        assert_eq!(has_place_answered(&place), Some(false));
        has_answered(&place);
        let _three = Asking::begin(&place);
        assert_eq!(has_place_answered(&place), Some(true));
        assert_eq!(
            has_place_answered(&place_name("http://a.example/v1/chat/completions", "n")),
            Some(false)
        );
    }
}
