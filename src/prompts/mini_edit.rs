//! Edits in the miniature world.

use super::description::{Keep, Make, PromptGeneratorDescription};
use super::mini::{SEED, tags};
use crate::image::encode_png;
use crate::record::{Item, Object, Task};
use crate::world::edit::{Edit, Kind};
use crate::world::random::Random;
use crate::world::scene::Scene;
use crate::world::thing::Thing;
use crate::world::{CELL, SIDE, draw};
use image::{Rgb, RgbImage};
use serde_json::{Value, json};

/// Items of each kind of edit.
const PER_KIND: usize = 40;

/// Edits of every kind.
pub(super) static EDITS: PromptGeneratorDescription = PromptGeneratorDescription {
    name: "mini-edit",
    about: "40 edits of each of five kinds in the miniature world, with their input pictures and regions.",
    make: Make::ItemsWithPictures(edits),
    official: None,
};

/// Edits of every kind; inputs and regions are written as pictures.
///
/// # Errors
/// Fails if a picture cannot be written.
fn edits(keep: &Keep<'_>) -> Result<Vec<Item>, String> {
    let mut random = Random::new(SEED, 1);
    let mut items = Vec::new();
    for kind in Kind::ALL {
        for index in 0..PER_KIND {
            let edit = Edit::sampled(kind, &mut random);
            let encoded = |error: crate::image::ImageError| error.to_string();
            let input = encode_png(&draw::scene(&edit.before)).map_err(encoded)?;
            let mask = encode_png(&region(&edit)).map_err(encoded)?;
            let mut expect = expect(&edit);
            expect.insert("mask".into(), keep(&mask)?.into());
            items.push(Item {
                item: format!("{}-{index:02}", kind.name()),
                task: Task::Edit,
                prompt: edit.instruction.clone(),
                images: vec![keep(&input)?],
                expect,
                tags: tags([("edit_type", kind.name()), ("area", area(&edit))]),
                extra: Object::new(),
            });
        }
    }
    Ok(items)
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
