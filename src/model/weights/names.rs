//! The names of stored tensors as a network requests them: without the prefixes of training wrappers, and
//! without adapters.

use std::collections::BTreeMap;

/// Parts of names that PyTorch adds when it compiles, shards or checkpoints a network. No network has such a
/// part itself.
const WRAPPERS: [&str; 4] = [
    "_orig_mod",
    "_fsdp_wrapped_module",
    "_checkpoint_wrapped_module",
    "_forward_module",
];

/// The prefix of all names after training on several devices.
const PARALLEL: &str = "module.";

/// The prefixes of parts of an adapter's names.
const ADAPTERS: [&str; 9] = [
    "lora_", "lora.", "hada_", "lokr_", "oft_", "dora_", "ia3_", "vera_", "loha_",
];

/// Stored names by the names without such prefixes. Names stay as they are if two would become equal.
pub(super) fn unwrapped<'a>(names: impl Iterator<Item = &'a String>) -> BTreeMap<String, String> {
    let stored: Vec<&String> = names.collect();
    let mut plain: Vec<String> = stored.iter().map(|name| without_marks(name)).collect();
    while !plain.is_empty() && plain.iter().all(|name| name.starts_with(PARALLEL)) {
        for name in &mut plain {
            *name = without_marks(&name[PARALLEL.len()..]);
        }
    }
    let count = plain.len();
    let pairs = plain
        .into_iter()
        .zip(stored.iter().map(|name| (*name).clone()));
    let by_plain: BTreeMap<String, String> = pairs.collect();
    if by_plain.len() == count {
        by_plain
    } else {
        stored
            .into_iter()
            .map(|name| (name.clone(), name.clone()))
            .collect()
    }
}

fn without_marks(name: &str) -> String {
    let parts = name.split('.').filter(|part| !WRAPPERS.contains(part));
    parts.collect::<Vec<_>>().join(".")
}

/// The common prefixes of all names, each with its dot: `a.`, `a.b.` for `a.b.c` and `a.b.d`.
pub(super) fn common_places<'a>(mut names: impl Iterator<Item = &'a String>) -> Vec<String> {
    let Some(first) = names.next() else {
        return Vec::new();
    };
    let mut common = first.as_str();
    for name in names {
        let same = common.bytes().zip(name.bytes());
        let length = same.take_while(|(a, b)| a == b).count();
        common = common.get(..length).unwrap_or("");
    }
    let dots = common.match_indices('.');
    dots.map(|(dot, _)| common[..=dot].to_owned()).collect()
}

/// Whether a tensor belongs to an adapter, which changes a weight of another checkpoint and is not a weight
/// itself.
pub(super) fn is_adapter(name: &str) -> bool {
    let begins = |part: &str| ADAPTERS.iter().any(|start| part.starts_with(start));
    let mut parts = name.match_indices('.').map(|(dot, _)| &name[dot + 1..]);
    begins(name) || parts.any(begins)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(names: &[&str]) -> Vec<String> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        unwrapped(names.iter()).into_keys().collect()
    }

    #[test]
    fn marks_of_wrappers_are_left_out() {
        assert_eq!(plain(&["module.a.b", "module.c"]), ["a.b", "c"]);
        assert_eq!(plain(&["module._orig_mod.module.a"]), ["a"]);
        assert_eq!(plain(&["a._fsdp_wrapped_module.b", "c"]), ["a.b", "c"]);
        // A part of a network may be called so.
        assert_eq!(plain(&["module.a", "b"]), ["b", "module.a"]);
        assert_eq!(plain(&["_orig_mod.a", "a"]), ["_orig_mod.a", "a"]);
    }

    #[test]
    fn places_end_at_dots_and_adapters_are_told() {
        let names = [
            "model.layers.0.w".to_owned(),
            "model.layernorm.w".to_owned(),
        ];
        assert_eq!(common_places(names.iter()), ["model."]);
        assert!(is_adapter("base_model.model.q_proj.lora_A.weight"));
        assert!(is_adapter("lora_unet_double_blocks_0.alpha"));
        assert!(is_adapter("transformer.x.lora.down.weight"));
        assert!(!is_adapter("encoder.flora_a.weight") && !is_adapter("proj.weight"));
    }
}
