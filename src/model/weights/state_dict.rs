//! Finds the weights in a torch pickle that also contains other data.

use crate::model::count::counted;

/// A dictionary of tensors in a pickle: the keys that lead to it, and the number of its own tensors.
pub(super) type Place = (Vec<String>, usize);

/// The beginnings of keys whose tensors are not weights.
const BESIDE: [&str; 3] = ["optim", "lr_sched", "scheduler"];

/// Whether the value of a key may contain weights.
pub(super) fn may_hold_weights(key: &str) -> bool {
    !BESIDE
        .iter()
        .any(|start| key.to_lowercase().starts_with(start))
}

/// The place of the weights. A few other tensors, such as the state of random numbers, do not count. `None`
/// if there are no tensors at all.
///
/// # Errors
/// Fails with one sentence if several places have a similar number of tensors.
pub(super) fn choose(places: Vec<Place>) -> Result<Option<Vec<String>>, String> {
    let most = places.iter().map(|(_, count)| *count).max().unwrap_or(0);
    let large: Vec<&Place> = places
        .iter()
        .filter(|(_, count)| count * 4 >= most)
        .collect();
    match large[..] {
        [] => Ok(None),
        [(keys, _)] => Ok(Some(keys.clone())),
        _ => {
            let named: Vec<String> = large
                .iter()
                .map(|(keys, count)| match keys[..] {
                    [] => format!("its top level ({})", counted(*count, "tensor")),
                    _ => format!("`{}` ({})", keys.join("."), counted(*count, "tensor")),
                })
                .collect();
            Err(format!(
                "it contains several networks: {}",
                named.join(", ")
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find_weights(places: &[(&[&str], usize)]) -> Result<Option<Vec<String>>, String> {
        let keys = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect();
        choose(places.iter().map(|(k, count)| (keys(k), *count)).collect())
    }

    #[test]
    fn the_place_with_the_weights_is_chosen_where_it_is_one() {
        assert_eq!(find_weights(&[]), Ok(None));
        assert_eq!(find_weights(&[(&[], 1)]), Ok(Some(vec![])));
        let nested = find_weights(&[(&[], 2), (&["model_state_dict"], 92)]);
        assert_eq!(nested, Ok(Some(vec!["model_state_dict".to_owned()])));
        let two = find_weights(&[(&["model"], 92), (&["ema"], 92)]).unwrap_err();
        assert_eq!(
            two,
            "it contains several networks: `model` (92 tensors), `ema` (92 tensors)"
        );
        assert!(may_hold_weights("model_ema") && !may_hold_weights("optimizer_states"));
    }
}
