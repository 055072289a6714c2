//! Pictures of the miniature world that are shown with noise: to be restored, and to be read.

use super::description::{Keep, Make, PromptGeneratorDescription};
use super::mini::{SEED, tags};
use crate::image::encode_png;
use crate::image::noise::{Ladder, noised};
use crate::model::noise::{Generator, randn};
use crate::record::{Item, Object, Task};
use crate::world::draw;
use crate::world::random::Random;
use crate::world::scene::Scene;
use crate::world::thing::Shape;
use candle_core::DType;
use image::RgbImage;
use serde_json::json;

/// Scenes of each number of things.
const PER_COUNT: usize = 20;
/// The number of steps of the noise in training.
const LEVELS: usize = 90;
/// The stream of random numbers of these scenes.
const STREAM: u64 = 10;

/// The prompt, in few tokens of the vocabulary of the miniature world.
const RESTORE_PROMPT: &str = "remove the noise";

/// Pictures that are to be cleaned.
pub(super) static RESTORE: PromptGeneratorDescription = PromptGeneratorDescription {
    name: "mini-scenes-restore",
    about: "60 pictures of one to three things of the miniature world, to be cleaned of noise.",
    make: Make::ItemsWithPictures(|keep| scenes(keep, Task::Edit, RESTORE_PROMPT)),
    official: None,
};

/// Pictures that are to be described.
pub(super) static READ: PromptGeneratorDescription = PromptGeneratorDescription {
    name: "mini-scenes-read",
    about: "The same 60 pictures, to be described.",
    make: Make::ItemsWithPictures(|keep| scenes(keep, Task::Understand, "describe it")),
    official: None,
};

/// The scenes as items; `expect.scene` has the things, which the generator `world` draws.
///
/// # Errors
/// Fails if a picture cannot be kept.
fn scenes(keep: &Keep<'_>, task: Task, prompt: &str) -> Result<Vec<Item>, String> {
    let mut random = Random::new(SEED, STREAM);
    let mut items = Vec::new();
    for (count, word) in (1..).zip(["one", "two", "three"]) {
        for index in 0..PER_COUNT {
            let shapes: Vec<Shape> = (0..count).map(|_| random.pick(&Shape::ALL)).collect();
            let scene = Scene::sampled(&shapes, &mut random);
            let picture = encode_png(&draw::scene(&scene)).map_err(|error| error.to_string())?;
            let mut expect = Object::new();
            expect.insert("scene".into(), json!(scene.things));
            items.push(Item {
                item: format!("{word}-{index:02}"),
                task,
                prompt: prompt.to_owned(),
                images: vec![keep(&picture)?],
                expect,
                tags: tags([("set", "mini"), ("things", word)]),
                extra: Object::new(),
            });
        }
    }
    Ok(items)
}

/// A picture with noise for training: the instruction, the picture with noise, and the clean one. Levels are
/// uniform from 0 to 0.9.
pub(super) fn sampled(random: &mut Random) -> (String, RgbImage, RgbImage) {
    let count = 1 + random.below(3);
    let shapes: Vec<Shape> = (0..count).map(|_| random.pick(&Shape::ALL)).collect();
    let clean = draw::scene(&Scene::sampled(&shapes, random));
    let level = 0.9 * random.below(LEVELS + 1) as f64 / LEVELS as f64;
    let mut generator = Generator::new(random.below(1 << 31) as u64);
    let field = randn(&mut generator, clean.as_raw().len(), DType::F32);
    let noisy = noised(&clean, &field, Ladder::Mix, level);
    (RESTORE_PROMPT.to_owned(), noisy, clean)
}
