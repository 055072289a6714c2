//! What networks are trained on: pictures of the miniature world without what is held out.

use super::TrainError;
use crate::world::caption::{Caption, Task};
use crate::world::draw;
use crate::world::edit::{Edit, Kind};
use crate::world::random::Random;
use crate::world::scene::Scene;
use crate::world::split::Split;
use crate::world::thing::Color;
use crate::world::words;
use candle_core::{Device, Tensor};
use image::RgbImage;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// How often a picture is empty, and how often it is a sign. All others are scenes.
const EMPTY: f64 = 0.04;
/// The share of signs among captioned pictures.
pub const SIGN: f64 = 0.35;

static CAPTIONS: LazyLock<Vec<Caption>> = LazyLock::new(|| {
    let captions = Task::ALL.into_iter().flat_map(Caption::all_of);
    captions
        .filter(|caption| caption.split() == Split::Seen)
        .collect()
});

static WORDS: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let words = words::WORDS.into_iter().enumerate();
    words
        .filter(|(index, _)| words::split(*index) == Split::Seen)
        .map(|(_, word)| word)
        .collect()
});

/// The stream of random numbers that training samples come from.
pub const TRAINING: u64 = 1;
/// The stream of random numbers that the samples of checks come from.
pub const CHECKS: u64 = 3;

/// The stream of a batch.
pub fn stream(kind: u64, number: u64) -> u64 {
    kind + (number << 8)
}

/// The seed of a step's noise.
pub fn noise(seed: u64, step: u64) -> u64 {
    const NOISE: u64 = 2;
    seed.wrapping_mul(1_000_003) ^ (step << 8) ^ NOISE
}

/// A picture with its caption.
pub struct Captioned {
    /// The words of the caption.
    pub caption: String,
    /// A picture that the words are true of.
    pub picture: RgbImage,
}

/// The proportions of GenEval's tasks among captions. A task that is not named counts as 1.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "BTreeMap<Task, usize>")]
pub struct Tasks(Vec<Task>);

impl TryFrom<BTreeMap<Task, usize>> for Tasks {
    type Error = &'static str;

    fn try_from(shares: BTreeMap<Task, usize>) -> Result<Self, Self::Error> {
        let times = |task| shares.get(&task).copied().unwrap_or(1);
        let tasks = Task::ALL.into_iter();
        let tasks: Vec<Task> = tasks.flat_map(|task| vec![task; times(task)]).collect();
        if tasks.is_empty() {
            Err("at least one of `tasks` must be more than 0")
        } else {
            Ok(Self(tasks))
        }
    }
}

impl Tasks {
    /// One of the tasks, as often as they should come.
    pub fn pick(&self, random: &mut Random) -> Task {
        random.pick(&self.0)
    }
}

impl Default for Tasks {
    fn default() -> Self {
        Self(Task::ALL.to_vec())
    }
}

/// A caption or, with a probability, the wording of a sign, with a picture of it, as training may see them.
pub fn captioned(signs: f64, tasks: &Tasks, random: &mut Random) -> Captioned {
    if random.chance(signs) {
        let word = word(random);
        return Captioned {
            caption: words::prompt(word),
            picture: words::sign(word, random.pick(&Color::ALL), random),
        };
    }
    let caption = caption_of(tasks, random);
    Captioned {
        caption: caption.words(),
        picture: draw::scene(&caption.scene(random)),
    }
}

/// A word of a sign that training may see.
pub fn word(random: &mut Random) -> &'static str {
    random.pick(&WORDS)
}

/// A caption that training may see. All tasks come about equally often.
pub fn caption(random: &mut Random) -> Caption {
    caption_of(&Tasks::default(), random)
}

fn caption_of(tasks: &Tasks, random: &mut Random) -> Caption {
    loop {
        let task = tasks.pick(random);
        let caption = random.pick(&Caption::all_of(task));
        if caption.split() == Split::Seen {
            return caption;
        }
    }
}

/// A picture that training may see: nothing, a sign, or a scene of one to four things.
pub fn picture(random: &mut Random) -> RgbImage {
    let content = Content::sampled(random);
    content.draw(random)
}

/// What a picture shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Nothing at all.
    Nothing,
    /// A sign: its word and its colour.
    Sign(&'static str, Color),
    /// Things.
    Scene(Scene),
}

impl Content {
    /// Something that training may see.
    pub fn sampled(random: &mut Random) -> Self {
        if random.chance(EMPTY) {
            Self::Nothing
        } else if random.chance(SIGN) {
            let word = word(random);
            Self::Sign(word, random.pick(&Color::ALL))
        } else if random.chance(0.5) {
            Self::Scene(random.pick(&CAPTIONS).scene(random))
        } else {
            Self::Scene(Edit::sampled(random.pick(&Kind::ALL), random).after)
        }
    }

    /// Its picture. The place of a sign is random.
    pub fn draw(&self, random: &mut Random) -> RgbImage {
        match self {
            Self::Nothing => draw::blank(),
            Self::Sign(word, color) => words::sign(word, *color, random),
            Self::Scene(scene) => draw::scene(scene),
        }
    }
}

/// So many samples of one form. The first sample sets the form. `sample` returns a sample with its form.
///
/// # Errors
/// Fails when `sample` fails.
pub fn alike<T, F: PartialEq>(
    count: usize,
    mut sample: impl FnMut() -> Result<(F, T), TrainError>,
) -> Result<Vec<T>, TrainError> {
    let (form, first) = sample()?;
    let mut all = vec![first];
    while all.len() < count {
        let (other, next) = sample()?;
        if other == form {
            all.push(next);
        }
    }
    Ok(all)
}

/// Pictures as a batch [B, 3, H, W] in −1 … 1.
///
/// # Errors
/// Fails if the pictures have different sizes.
pub fn batch(pictures: &[RgbImage], device: &Device) -> candle_core::Result<Tensor> {
    let Some((width, height)) = pictures.first().map(RgbImage::dimensions) else {
        candle_core::bail!("a batch needs a picture");
    };
    let (width, height) = (width as usize, height as usize);
    let mut values = Vec::with_capacity(pictures.len() * 3 * width * height);
    for picture in pictures {
        let raw = picture.as_raw();
        for channel in 0..3 {
            let plane = raw.iter().skip(channel).step_by(3);
            values.extend(plane.map(|value| f32::from(*value) / 127.5 - 1.0));
        }
    }
    Tensor::from_vec(values, (pictures.len(), 3, height, width), device)
}

/// A batch in −1 … 1 as pictures.
///
/// # Errors
/// Fails if it is not [B, 3, H, W].
pub fn pictures(batch: &Tensor) -> candle_core::Result<Vec<RgbImage>> {
    let (count, _, height, width) = batch.dims4()?;
    let pixels = ((batch.clamp(-1f32, 1f32)? + 1.0)? * 127.5)?;
    let pixels = pixels.permute((0, 2, 3, 1))?.contiguous()?;
    let picture = |number: usize| {
        let values: Vec<f32> = pixels.get(number)?.flatten_all()?.to_vec1()?;
        let raw = values
            .into_iter()
            .map(|value| value.round() as u8)
            .collect();
        RgbImage::from_raw(width as u32, height as u32, raw)
            .ok_or_else(|| candle_core::Error::Msg("a picture has three channels".into()))
    };
    (0..count).map(picture).collect()
}
