//! The `world` generator: draws what an item of the miniature world asks for, exactly or with mistakes. Exact
//! pictures give the highest possible score in that world, and pictures with mistakes must have a lower
//! score.

use super::error::{BuildError, GenerateError};
use super::generator::{Answer, Generated, Generator, Request};
use super::kind::{Resources, SimpleGenerator};
use crate::cancel::Cancel;
use crate::world::caption::{Caption, Task};
use crate::world::random::Random;
use crate::world::scene::Scene;
use crate::world::thing::{Cell, Color, Shape, Thing};
use crate::world::words;
use crate::world::{GRID, draw};
use image::RgbImage;
use serde::{Deserialize, Serialize};

/// Settings of the `world` generator.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct WorldSettings {
    /// The probability of a mistake, 0 to 1: each shape may get another form, colour and place, and each
    /// letter may become another letter.
    pub mistakes: f64,
}

/// Draws with the mistakes that the settings ask for.
pub(super) struct World(WorldSettings);

impl World {
    /// A generator with these settings.
    ///
    /// # Errors
    /// Fails if `mistakes` is not a probability.
    pub(super) fn new(settings: WorldSettings) -> Result<Self, GenerateError> {
        if (0.0..=1.0).contains(&settings.mistakes) {
            return Ok(Self(settings));
        }
        Err(GenerateError::fatal(
            format!(
                "`mistakes` is {}, which is not a probability",
                settings.mistakes
            ),
            "give a number from 0 to 1",
        ))
    }

    fn scene(&self, mut scene: Scene, random: &mut Random) -> RgbImage {
        for place in 0..scene.things.len() {
            if random.chance(self.0.mistakes) {
                let mut cells = scene.free_cells();
                cells.push(scene.things[place].cell);
                scene.things[place] = Thing {
                    shape: random.pick(&Shape::ALL),
                    color: random.pick(&Color::ALL),
                    cell: random.pick::<Cell>(&cells),
                };
            }
        }
        draw::scene(&scene)
    }

    fn sign(&self, word: &str, random: &mut Random) -> RgbImage {
        let letters = word.chars().map(|letter| {
            if random.chance(self.0.mistakes) {
                char::from(b'A' + random.below(26) as u8)
            } else {
                letter
            }
        });
        let word: String = letters.collect();
        words::sign(&word, random.pick(&Color::ALL), random)
    }
}

impl SimpleGenerator for World {
    const NAME: &'static str = "world";
    const ABOUT: &'static str =
        "draws what an item of the miniature world asks for, exactly or with mistakes";
    type Settings = WorldSettings;

    fn open(settings: WorldSettings, _: &Resources) -> Result<Self, BuildError> {
        Ok(Self::new(settings)?)
    }

    fn check_settings(settings: WorldSettings) -> Result<(), BuildError> {
        Ok(Self::new(settings).map(drop)?)
    }
}

impl Generator for World {
    fn generate(
        &mut self,
        request: &Request<'_>,
        _cancel: &Cancel,
    ) -> Result<Generated, GenerateError> {
        let random = &mut Random::new(request.seed, 0);
        let expect = &request.item.expect;
        let prompt = &request.item.prompt;
        let picture = if let Some(things) = expect.get("scene") {
            let things = Vec::<Thing>::deserialize(things).map_err(|error| {
                GenerateError::item("scene", format!("the item's `expect.scene`: {error}"))
            })?;
            let inside = |thing: &Thing| usize::from(thing.cell.row.max(thing.cell.column)) < GRID;
            if !things.iter().all(inside) {
                let message = format!(
                    "the item's `expect.scene`: rows and columns are 0 to {}",
                    GRID - 1
                );
                return Err(GenerateError::item("scene", message));
            }
            self.scene(Scene { things }, random)
        } else if let Some(word) = sign_of(prompt) {
            self.sign(word, random)
        } else if let Some(caption) = caption_of(prompt) {
            self.scene(caption.scene(random), random)
        } else {
            return Err(GenerateError::item(
                "prompt",
                format!(
                    "the miniature world does not know {prompt:?}; use its own suites: mini-geneval, mini-composition, mini-edit, mini-text"
                ),
            ));
        };
        Ok(Answer::Pixels(picture).into())
    }
}

fn sign_of(prompt: &str) -> Option<&'static str> {
    let mut words = words::WORDS.into_iter();
    words.find(|word| words::prompt(word) == prompt)
}

fn caption_of(prompt: &str) -> Option<Caption> {
    let mut captions = Task::ALL.into_iter().flat_map(Caption::all_of);
    captions.find(|caption| caption.words() == prompt)
}
