//! What items and grades of GEdit-Bench say: the groups, the language and the scores.

use crate::record::{Grade, Item};

/// The groups, in the order of the official script.
pub(super) const GROUPS: [&str; 11] = [
    "background_change",
    "color_alter",
    "material_alter",
    "motion_change",
    "ps_human",
    "style_change",
    "subject-add",
    "subject-remove",
    "subject-replace",
    "text_change",
    "tone_transfer",
];

/// A value of the item's `expect`, or else its tag.
pub(super) fn expected_or_tag<'a>(item: &'a Item, key: &str) -> Option<&'a str> {
    let own = item.expect.get(key).and_then(|value| value.as_str());
    own.or_else(|| item.tags.get(key).map(String::as_str))
}

/// Whether the item is in the intersection set. `None` if the data does not say.
pub(super) fn is_in_intersection(item: &Item) -> Option<bool> {
    item.expect.get("intersection_exist")?.as_bool()
}

/// SC, PQ and O of a grade. `None` without a score.
pub(super) fn scores_of(grade: &Grade) -> Option<[f64; 3]> {
    Some([
        *grade.parts.get("sc")?,
        *grade.parts.get("pq")?,
        grade.score?,
    ])
}
