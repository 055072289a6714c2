//! The name that a misspelt one was meant to be.

/// The candidate that `name` was most likely meant to be, by edit distance with transpositions: at most a
/// third of its letters may differ, or the candidate merely continues where `name` stops.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = (name.chars().count() / 3).max(1);
    let lower = name.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| {
            let distance = strsim::damerau_levenshtein(&lower, &candidate.to_lowercase());
            let prefix = lower.len() >= 3 && candidate.to_lowercase().starts_with(&lower);
            (if prefix { distance.min(1) } else { distance }, candidate)
        })
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}
