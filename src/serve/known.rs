//! Items that the operator gave, by their prompts: trainers send prompts alone.

use crate::record::Item;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Items by their prompts.
#[derive(Debug, Default)]
pub struct KnownItems(HashMap<String, Arc<KnownItem>>);

/// An item with the folder that its pictures start from.
#[derive(Debug)]
pub(super) struct KnownItem {
    pub item: Item,
    pub base: PathBuf,
}

/// Two items ask the same and expect something else.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[error(
    "the items `{first}` and `{second}` have the same prompt and expect different things: {prompt:?}"
)]
#[diagnostic(help("leave one of them out: the server finds an item by its prompt alone"))]
pub struct SharedPrompt {
    /// The identifier of the first.
    pub first: String,
    /// The identifier of the second.
    pub second: String,
    /// The prompt of both.
    pub prompt: String,
}

impl KnownItems {
    /// Adds the items of a file or suite; `base` is the folder that their pictures start from.
    ///
    /// # Errors
    /// Fails if an item has the prompt of another that expects something else.
    pub fn add(
        &mut self,
        items: impl IntoIterator<Item = Item>,
        base: &Path,
    ) -> Result<(), SharedPrompt> {
        for item in items {
            match self.0.get(&item.prompt) {
                None => {
                    let base = base.to_path_buf();
                    self.0
                        .insert(item.prompt.clone(), Arc::new(KnownItem { item, base }));
                }
                Some(known) if known.item.expect == item.expect => {}
                Some(known) => {
                    return Err(SharedPrompt {
                        first: known.item.item.clone(),
                        second: item.item,
                        prompt: item.prompt,
                    });
                }
            }
        }
        Ok(())
    }

    /// How many prompts are known.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether no prompt is known.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The item with exactly this prompt.
    pub(super) fn get(&self, prompt: &str) -> Option<&Arc<KnownItem>> {
        self.0.get(prompt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn item(id: &str, prompt: &str, count: u32) -> Item {
        let item = json!({"item": id, "task": "text-to-image", "prompt": prompt, "expect": {"count": count}});
        serde_json::from_value(item).unwrap()
    }

    #[test]
    fn an_item_is_found_by_its_prompt() {
        let mut known = KnownItems::default();
        let items = [
            item("a", "a cat", 1),
            item("b", "two cats", 2),
            item("c", "a cat", 1),
        ];
        known.add(items, Path::new("base")).unwrap();
        assert_eq!(known.len(), 2);
        assert_eq!(known.get("a cat").unwrap().item.item, "a");
        assert!(known.get("A cat").is_none());
    }

    #[test]
    fn one_prompt_with_two_expectations_is_an_error() {
        let mut known = KnownItems::default();
        known.add([item("a", "a cat", 1)], Path::new("")).unwrap();
        let error = known
            .add([item("b", "a cat", 2)], Path::new(""))
            .unwrap_err();
        assert_eq!((error.first.as_str(), error.second.as_str()), ("a", "b"));
    }
}
