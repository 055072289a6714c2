//! GenEval's six tasks in the miniature world: with what training sees, and with what it never sees.

use super::description::{Make, PromptGeneratorDescription};
use super::mini::{SEED, tags};
use crate::record::{Item, Object, Task};
use crate::world::caption::{self, Caption, Noun};
use crate::world::random::Random;
use crate::world::split::Split;
use serde_json::json;

/// Items of each task over what training sees.
const PER_TASK: usize = 72;
/// Items of each task over what training never sees.
const PER_HELD_OUT: usize = 36;

/// Captions that training may see.
pub(super) static GENEVAL: PromptGeneratorDescription = PromptGeneratorDescription {
    name: "mini-geneval",
    about: "GenEval's six tasks with what training sees of the miniature world: 72 prompts for each task.",
    make: Make::Items(seen),
    official: None,
};

/// Captions that training never sees.
pub(super) static COMPOSITION: PromptGeneratorDescription = PromptGeneratorDescription {
    name: "mini-composition",
    about: "The same tasks with combinations that are held out of all training.",
    make: Make::Items(held_out),
    official: None,
};

/// GenEval's six tasks with what training sees of the world's shapes and colours. All captions of a task come
/// about equally often. The `expect` is GenEval's metadata.
fn seen() -> Vec<Item> {
    captions(Split::Seen, PER_TASK, &mut Random::new(SEED, 0))
}

/// The same tasks with the combinations that training never sees, where a task has some.
fn held_out() -> Vec<Item> {
    captions(Split::HeldOut, PER_HELD_OUT, &mut Random::new(SEED, 2))
}

fn captions(split: Split, per_task: usize, random: &mut Random) -> Vec<Item> {
    let mut items = Vec::new();
    for task in caption::Task::ALL {
        let mut all = Caption::all_of(task);
        all.retain(|caption| caption.split() == split);
        let order = random.several(&all, all.len());
        for (index, caption) in order.into_iter().cycle().take(per_task).enumerate() {
            let id = format!("{}-{index:02}", task.tag());
            items.push(caption_item(id, task, caption));
        }
    }
    items
}

/// A caption of a task as an item; the `expect` is GenEval's metadata.
pub fn caption_item(id: String, task: caption::Task, caption: Caption) -> Item {
    Item {
        item: id,
        task: Task::TextToImage,
        prompt: caption.words(),
        images: Vec::new(),
        expect: metadata(task, caption),
        tags: tags([("tag", task.tag())]),
        extra: Object::new(),
    }
}

/// GenEval's metadata of a caption.
fn metadata(task: caption::Task, caption: Caption) -> Object {
    let clause = |noun: Noun, count: usize| {
        let mut clause = Object::new();
        clause.insert("class".into(), noun.shape.name().into());
        clause.insert("count".into(), count.into());
        if let Some(color) = noun.color {
            clause.insert("color".into(), color.name().into());
        }
        clause
    };
    let mut include: Vec<Object> = Vec::new();
    let mut metadata = Object::new();
    metadata.insert("tag".into(), task.tag().into());
    match caption {
        Caption::Some(count, noun) => include.push(clause(noun, count)),
        Caption::Both(a, b) => include.extend([clause(a, 1), clause(b, 1)]),
        // GenEval says where the first is by the clause of the second, which comes before it.
        Caption::Related(a, relation, b) => {
            let mut placed = clause(a, 1);
            placed.insert("position".into(), json!([relation.name(), 0]));
            include.extend([clause(b, 1), placed]);
        }
    }
    metadata.insert("include".into(), json!(include));
    if let (caption::Task::Counting, Caption::Some(count, noun)) = (task, caption) {
        let exclude = json!([{"class": noun.shape.name(), "count": count + 1}]);
        metadata.insert("exclude".into(), exclude);
    }
    metadata.insert("prompt".into(), caption.words().into());
    metadata
}
