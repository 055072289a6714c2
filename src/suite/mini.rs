//! The items of the miniature world: GenEval's tasks, edits and signs.

use super::pictures::Pictures;
use crate::image::encode_png;
use crate::record::{Item, Object, Tags, Task};
use crate::world::caption::{self, Caption, Noun};
use crate::world::edit::{Edit, Kind};
use crate::world::random::Random;
use crate::world::scene::Scene;
use crate::world::split::Split;
use crate::world::thing::Thing;
use crate::world::{CELL, SIDE, draw, words};
use image::{Rgb, RgbImage};
use serde_json::{Value, json};

/// Items of each of GenEval's tasks.
const PER_TASK: usize = 72;
/// The same of those with held out combinations.
const PER_HELD_OUT: usize = 36;
/// Items of each kind of edit.
const PER_KIND: usize = 40;
/// What the suites' choices come from.
const SEED: u64 = 20_260_101;

/// GenEval's six tasks over what training sees of the world's shapes and colours, each caption of a task about as often. The
/// `expect` is GenEval's metadata.
pub(super) fn geneval() -> Vec<Item> {
    captions(Split::Seen, PER_TASK, &mut Random::new(SEED, 0))
}

/// The same tasks over the combinations that training never sees, where a task has such.
pub(super) fn composition() -> Vec<Item> {
    captions(Split::HeldOut, PER_HELD_OUT, &mut Random::new(SEED, 2))
}

fn captions(split: Split, per_task: usize, random: &mut Random) -> Vec<Item> {
    let mut items = Vec::new();
    for task in caption::Task::ALL {
        let mut all = Caption::all(task);
        all.retain(|caption| caption.split() == split);
        let order = random.several(&all, all.len());
        for (index, caption) in order.into_iter().cycle().take(per_task).enumerate() {
            items.push(Item {
                item: format!("{}-{index:02}", task.tag()),
                task: Task::TextToImage,
                prompt: caption.words(),
                images: Vec::new(),
                expect: metadata(task, caption),
                tags: tags([("tag", task.tag())]),
                extra: Object::new(),
            });
        }
    }
    items
}

/// Edits of every kind; inputs and regions are written as pictures.
///
/// # Errors
/// When a picture cannot be written.
pub(super) fn edits(pictures: &Pictures) -> Result<Vec<Item>, String> {
    let mut random = Random::new(SEED, 1);
    let mut items = Vec::new();
    for kind in Kind::ALL {
        for index in 0..PER_KIND {
            let edit = Edit::sampled(kind, &mut random);
            let encoded = |error: crate::image::ImageError| error.to_string();
            let input = encode_png(&draw::scene(&edit.before)).map_err(encoded)?;
            let mask = encode_png(&region(&edit)).map_err(encoded)?;
            let mut expect = expect(&edit);
            expect.insert("mask".into(), kept(pictures, &mask)?.into());
            items.push(Item {
                item: format!("{}-{index:02}", kind.name()),
                task: Task::Edit,
                prompt: edit.instruction.clone(),
                images: vec![kept(pictures, &input)?],
                expect,
                tags: tags([("edit_type", kind.name()), ("area", area(&edit))]),
                extra: Object::new(),
            });
        }
    }
    Ok(items)
}

fn kept(pictures: &Pictures, bytes: &[u8]) -> Result<String, String> {
    pictures.keep(bytes).map_err(|wrong| wrong.message)
}

/// One sign for each word.
pub(super) fn signs() -> Vec<Item> {
    let words = words::WORDS.iter().enumerate();
    words
        .map(|(index, word)| {
            let texts = json!({"texts": [word], "answers": [word], "language": "en"});
            let split: Split = words::split(index);
            let length = word.len().to_string();
            Item {
                item: format!("{index:02}"),
                task: Task::TextToImage,
                prompt: words::prompt(word),
                images: Vec::new(),
                expect: texts.as_object().cloned().unwrap_or_default(),
                tags: tags([("length", length.as_str()), ("split", split.name())]),
                extra: Object::new(),
            }
        })
        .collect()
}

fn tags<const N: usize>(pairs: [(&str, &str); N]) -> Tags {
    Tags::from_iter(pairs.map(|(key, value)| (key.to_owned(), value.to_owned())))
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

/// What the rule `object-edit` looks for, and the scene that the generator `world` draws.
fn expect(edit: &Edit) -> Object {
    let kept: Vec<Value> = edit.kept().map(|thing| clause(*thing, true)).collect();
    let placed = edit.kind != Kind::Add;
    let mut expect = Object::new();
    expect.insert("edit_type".into(), edit.kind.name().into());
    expect.insert("kept".into(), kept.into());
    let gone = edit.gone.map(|thing| clause(thing, true));
    expect.insert("gone".into(), json!(gone));
    let new = edit.new.map(|thing| clause(thing, placed));
    expect.insert("new".into(), json!(new));
    let Scene { things } = &edit.after;
    expect.insert("scene".into(), json!(things));
    expect
}

/// A thing, and the box of its cell where its place matters.
fn clause(thing: Thing, placed: bool) -> Value {
    let [x, y] = thing.cell.corner();
    let last = CELL - 1;
    let mut clause = json!({"class": thing.shape, "color": thing.color});
    if placed {
        clause["box"] = json!([x, y, x + last, y + last]);
    }
    clause
}

/// How much of the picture an edit changes.
fn area(edit: &Edit) -> &'static str {
    let (before, after) = (draw::scene(&edit.before), draw::scene(&edit.after));
    let pixels = before.pixels().zip(after.pixels());
    let changed = pixels.filter(|(before, after)| before != after).count();
    match changed as f64 / f64::from(SIDE * SIDE) {
        ..0.05 => "up to 5 %",
        0.05..0.08 => "5 to 8 %",
        _ => "above 8 %",
    }
}

/// White where an edit may change pixels, black elsewhere.
fn region(edit: &Edit) -> RgbImage {
    let cells = edit.region();
    let cell = |place: u32| (place / CELL) as u8;
    RgbImage::from_fn(SIDE, SIDE, |x, y| {
        let mut cells = cells.iter();
        let inside = cells.any(|at| at.column == cell(x) && at.row == cell(y));
        Rgb([if inside { u8::MAX } else { 0 }; 3])
    })
}
