//! What a comparison needs of grades.

use super::rule::Rule;
use crate::record::{Grade, Item, ItemOutcome, OutputOutcome, Overall, Tags};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::path::Path;

/// The number of bytes of the hash of what was asked. They are enough to show a change, and few enough for a
/// file in a repository.
const ASKED_BYTES: usize = 6;

/// The outcomes of all items, in their order, with `repeats` outputs each. An output without a grade has no
/// score. Items also have the tags of `group_by` that the rule knows for them.
pub fn outcomes(
    rule: &dyn Rule,
    items: &[Item],
    group_by: &[String],
    grades: &[Grade],
    repeats: u32,
) -> Vec<ItemOutcome> {
    let mut of_items: HashMap<&str, Vec<&Grade>> = HashMap::new();
    for grade in grades {
        of_items.entry(&grade.item).or_default().push(grade);
    }
    let mut wanted = group_by.to_vec();
    if let Overall::MacroBy(tag) = rule.overall() {
        wanted.push(tag);
    }
    let outcome = |item: &Item| {
        let mut outputs = vec![OutputOutcome::default(); repeats as usize];
        for grade in of_items.get(item.item.as_str()).into_iter().flatten() {
            if let Some(output) = outputs.get_mut(grade.repeat as usize) {
                *output = OutputOutcome {
                    sums: rule.fraction(grade),
                    score: grade.score,
                    correct: grade.correct.filter(|_| grade.score.is_some()),
                    parts: grade
                        .parts
                        .iter()
                        .map(|(name, value)| (name.clone(), *value))
                        .collect(),
                };
            }
        }
        ItemOutcome {
            item: item.item.clone(),
            asked: asked_hash(item),
            tags: tags(rule, item, &wanted),
            outputs,
        }
    };
    items.iter().map(outcome).collect()
}

/// The item's own tags, and those of `wanted` that the rule knows for it.
fn tags(rule: &dyn Rule, item: &Item, wanted: &[String]) -> Tags {
    let own = item.tags.iter();
    let own = own.map(|(name, value)| (name.clone(), value.clone()));
    let known = wanted.iter().filter(|name| item.tags.get(name).is_none());
    let known = known.filter_map(|name| Some((name.clone(), rule.tag(item, name)?.to_owned())));
    own.chain(known).collect()
}

/// A hash of the prompt and the names of its pictures.
pub fn asked_hash(item: &Item) -> String {
    let name = |path: &String| Path::new(path).file_name().map(ToOwned::to_owned);
    let mut hash = Sha256::new();
    hash.update(&item.prompt);
    for picture in item.images.iter().filter_map(name) {
        hash.update([0]);
        hash.update(picture.as_encoded_bytes());
    }
    let digest = hash.finalize();
    let bytes = digest.iter().take(ASKED_BYTES);
    bytes.map(|byte| format!("{byte:02x}")).collect()
}
