//! Which places have answered: "not found" from one that has is about one request, from one that never did about all.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How often one looks whether others were answered.
pub const PAUSE: Duration = Duration::from_millis(50);

/// Of all clients of this program, by address and model.
static PLACES: Mutex<BTreeMap<String, Place>> = Mutex::new(BTreeMap::new());

#[derive(Debug, Default)]
struct Place {
    answered: bool,
    /// Requests on their way.
    asking: usize,
}

fn places() -> MutexGuard<'static, BTreeMap<String, Place>> {
    PLACES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The name of a place: whom a model is asked of.
pub fn name(url: &str, model: &str) -> String {
    format!("{model} at {url}")
}

/// Takes down that a place has answered, now or in an earlier execution.
pub fn has_answered(place: &str) {
    places().entry(place.to_owned()).or_default().answered = true;
}

/// Whether a place has answered; None while requests to it are on their way and none was answered yet.
pub fn answers(place: &str) -> Option<bool> {
    let places = places();
    let place = places.get(place);
    match place {
        Some(place) if place.answered => Some(true),
        Some(place) if place.asking > 0 => None,
        _ => Some(false),
    }
}

/// A request on its way, with all its attempts.
#[derive(Debug)]
pub struct Asking(String);

impl Asking {
    pub fn begin(place: &str) -> Self {
        places().entry(place.to_owned()).or_default().asking += 1;
        Self(place.to_owned())
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        if let Some(place) = places().get_mut(&self.0) {
            place.asking = place.asking.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_known_once_one_answered_or_all_came_back() {
        let place = name("http://a.example/v1/chat/completions", "m");
        assert_eq!(answers(&place), Some(false));
        let (one, two) = (Asking::begin(&place), Asking::begin(&place));
        drop(one);
        assert_eq!(answers(&place), None);
        drop(two);
        assert_eq!(answers(&place), Some(false));
        has_answered(&place);
        let _three = Asking::begin(&place);
        assert_eq!(answers(&place), Some(true));
        assert_eq!(
            answers(&name("http://a.example/v1/chat/completions", "n")),
            Some(false)
        );
    }
}
