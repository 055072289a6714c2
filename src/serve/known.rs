//! Items that the operator gave, by their prompts: trainers send prompts alone.

use crate::record::{Item, Object, Tags, Task};
use serde_json::Value;
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

/// Why items cannot be found by their prompts.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum KnownItemsError {
    /// Two items ask the same and expect something else.
    #[error(
        "the items `{first}` and `{second}` have the same prompt and expect different things: {prompt:?}"
    )]
    #[diagnostic(help("leave one of them out: the server finds an item by its prompt alone"))]
    SharedPrompt {
        /// The identifier of the first.
        first: String,
        /// The identifier of the second.
        second: String,
        /// The prompt of both.
        prompt: String,
    },
    /// A file cannot be read.
    #[error("{}: {reason}", path.display())]
    #[diagnostic(help("check the path of `--items`"))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// A line is no item.
    #[error("{}:{line}: {reason}", path.display())]
    #[diagnostic(help("each line is an object with the key `prompt` and what it expects"))]
    Line {
        /// The file.
        path: PathBuf,
        /// The number of the line, from 1.
        line: usize,
        /// What it lacks.
        reason: String,
    },
}

impl KnownItems {
    /// Adds the items of a suite; `base` is the folder that their pictures start from. Items that differ in
    /// their pictures alone become one without pictures: requests must send them.
    ///
    /// # Errors
    /// Fails if an item has the prompt of another that expects something else.
    pub fn add(
        &mut self,
        items: impl IntoIterator<Item = Item>,
        base: &Path,
    ) -> Result<(), KnownItemsError> {
        for item in items {
            let Some(known) = self.0.get_mut(&item.prompt) else {
                let base = base.to_path_buf();
                let prompt = item.prompt.clone();
                self.0.insert(prompt, Arc::new(KnownItem { item, base }));
                continue;
            };
            let class = |item: &Item| item.tags.get("class").cloned();
            if known.item.expect != item.expect || class(&known.item) != class(&item) {
                return Err(KnownItemsError::SharedPrompt {
                    first: known.item.item.clone(),
                    second: item.item,
                    prompt: item.prompt,
                });
            }
            let pictures = |item: &Item| (item.images.clone(), item.extra.clone());
            if pictures(&known.item) != pictures(&item) || known.base != base {
                let mut common = known.item.clone();
                common.images.clear();
                // Some of it names pictures.
                common.extra.clear();
                let base = known.base.clone();
                *known = Arc::new(KnownItem { item: common, base });
            }
        }
        Ok(())
    }

    /// Adds the lines of a JSON lines file: those of `items.jsonl`, or objects with a prompt whose other keys
    /// are what it expects, such as GenEval's metadata.
    ///
    /// # Errors
    /// Fails if the file cannot be read, a line is no such object, or two lines with one prompt expect
    /// different things.
    pub fn add_lines(&mut self, path: &Path) -> Result<(), KnownItemsError> {
        let text = std::fs::read_to_string(path);
        let text = text.map_err(|error| KnownItemsError::Unreadable {
            path: path.to_path_buf(),
            reason: error.to_string(),
        })?;
        let lines = (1..).zip(text.lines());
        let lines = lines.filter(|(_, line)| !line.trim().is_empty());
        let items = lines.map(|(number, line)| {
            item(line, number).map_err(|reason| KnownItemsError::Line {
                path: path.to_path_buf(),
                line: number,
                reason,
            })
        });
        let items: Vec<Item> = items.collect::<Result<_, _>>()?;
        self.add(items, path.parent().unwrap_or(Path::new("")))
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

/// An item of `items.jsonl`, or a prompt with its metadata: other keys are what it expects.
///
/// # Errors
/// Says what the line lacks.
fn item(line: &str, number: usize) -> Result<Item, String> {
    let mut object: Object = serde_json::from_str(line).map_err(|error| error.to_string())?;
    if object.contains_key("item") && object.contains_key("task") {
        return serde_json::from_value(object.into()).map_err(|error| error.to_string());
    }
    let Some(Value::String(prompt)) = object.shift_remove("prompt") else {
        return Err("there is no text `prompt`".into());
    };
    let tag = object.get("tag").and_then(Value::as_str);
    let tag = tag.map(|tag| ("tag".to_owned(), tag.to_owned()));
    Ok(Item {
        item: format!("line-{number}"),
        task: Task::TextToImage,
        prompt,
        images: Vec::new(),
        tags: tag.into_iter().collect::<Tags>(),
        expect: object,
        extra: Object::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn asked(id: &str, prompt: &str, count: u32) -> Item {
        let item = json!({"item": id, "task": "text-to-image", "prompt": prompt, "expect": {"count": count}});
        serde_json::from_value(item).unwrap()
    }

    #[test]
    fn an_item_is_found_by_its_prompt() {
        let mut known = KnownItems::default();
        let items = [
            asked("a", "a cat", 1),
            asked("b", "two cats", 2),
            asked("c", "a cat", 1),
        ];
        known.add(items, Path::new("base")).unwrap();
        assert_eq!(known.len(), 2);
        assert_eq!(known.get("a cat").unwrap().item.item, "a");
        assert!(known.get("A cat").is_none());
    }

    #[test]
    fn one_prompt_with_two_expectations_is_an_error() {
        let mut known = KnownItems::default();
        known.add([asked("a", "a cat", 1)], Path::new("")).unwrap();
        let error = known
            .add([asked("b", "a cat", 2)], Path::new(""))
            .unwrap_err();
        let told = error.to_string();
        assert!(told.starts_with("the items `a` and `b` have"), "{told}");
        let mut other = asked("c", "a cat", 1);
        other.tags = [("class".to_owned(), "text".to_owned())]
            .into_iter()
            .collect();
        assert!(known.add([other], Path::new("")).is_err());
    }

    #[test]
    fn edits_with_one_prompt_have_no_picture_of_another() {
        let mut known = KnownItems::default();
        let edit = |id: &str, image: &str| {
            let item =
                json!({"item": id, "task": "edit", "prompt": "make it red", "images": [image]});
            serde_json::from_value::<Item>(item).unwrap()
        };
        known.add([edit("a", "a.png")], Path::new("base")).unwrap();
        assert_eq!(known.get("make it red").unwrap().item.images, ["a.png"]);
        known.add([edit("b", "b.png")], Path::new("base")).unwrap();
        assert!(known.get("make it red").unwrap().item.images.is_empty());
    }

    #[test]
    fn the_metadata_of_geneval_become_an_item() {
        let line = r#"{"tag": "counting", "include": [{"class": "cup", "count": 2}], "prompt": "two cups"}"#;
        let item = item(line, 5).unwrap();
        assert_eq!(
            (item.item.as_str(), item.prompt.as_str()),
            ("line-5", "two cups")
        );
        assert_eq!(item.expect["include"][0]["count"], 2);
        assert_eq!(item.tags.get("tag").map(String::as_str), Some("counting"));
    }

    #[test]
    fn a_line_of_items_stays_what_it_is() {
        let line = r#"{"item": "a", "task": "text-to-image", "prompt": "p", "expect": {"x": 1}}"#;
        assert_eq!(item(line, 1).unwrap().expect["x"], 1);
        assert!(item(r#"{"tag": "counting"}"#, 1).is_err());
        assert!(item("[1]", 1).is_err());
    }

    #[test]
    fn a_mistake_in_a_file_has_its_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("items.jsonl");
        std::fs::write(&path, "{\"prompt\": \"a\"}\n\n{\"prompt\": 1}\n").unwrap();
        let error = KnownItems::default().add_lines(&path).unwrap_err();
        let told = error.to_string();
        assert!(
            told.ends_with("items.jsonl:3: there is no text `prompt`"),
            "{told}"
        );
        let absent = KnownItems::default().add_lines(&dir.path().join("absent.jsonl"));
        assert!(matches!(absent, Err(KnownItemsError::Unreadable { .. })));
    }
}
