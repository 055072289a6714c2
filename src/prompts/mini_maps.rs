//! Perception as drawing in the miniature world: maps of scenes whose things hide each other in part.

use super::description::{Keep, Make, PromptGeneratorDescription};
use super::mini::{SEED, tags};
use crate::image::cv::{Channels, canny};
use crate::image::edit::Mask;
use crate::image::encode_png;
use crate::record::{Item, Object, Task};
use crate::world::SIDE;
use crate::world::overlap::{Layer, Overlap};
use crate::world::random::Random;
use crate::world::split::seen_pair;
use crate::world::thing::Shape;
use image::{Rgb, RgbImage};
use serde_json::{Value, json};

/// Scenes of each task.
const PER_TASK: usize = 24;
/// The stream of random numbers of these scenes.
const STREAM: u64 = 11;
/// The colours of background, circle, square and triangle in maps of segments.
const PALETTE: [[u8; 3]; 4] = [[0, 0, 0], [255, 0, 0], [0, 255, 0], [0, 0, 255]];
/// Canny's bounds.
const BOUNDS: [u32; 2] = [100, 200];
/// The colour of a box that is drawn on the picture. No thing has it.
const MARK: [u8; 3] = [0, 255, 255];

/// Maps of the miniature world.
pub(super) static MAPS: PromptGeneratorDescription = PromptGeneratorDescription {
    name: "mini-maps",
    about: "24 pictures of the miniature world for each of five kinds of maps: edges, canny, segment, depth and box.",
    make: Make::ItemsWithPictures(maps),
    official: None,
};

/// A kind of map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Edges,
    Canny,
    Segment,
    Depth,
    Box,
}

impl Kind {
    const ALL: [Self; 5] = [
        Self::Edges,
        Self::Canny,
        Self::Segment,
        Self::Depth,
        Self::Box,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Edges => "edges",
            Self::Canny => "canny",
            Self::Segment => "segment",
            Self::Depth => "depth",
            Self::Box => "box",
        }
    }

    /// The prompt, in few tokens of the vocabulary of the miniature world. A box is drawn over what is visible
    /// of the nearest thing.
    fn prompt(self, scene: &Overlap) -> String {
        match self {
            Self::Edges => "edges of it".to_owned(),
            Self::Canny => "canny of it".to_owned(),
            Self::Segment => {
                "segments of it, circles red, squares green, triangles blue".to_owned()
            }
            Self::Depth => "depth of it".to_owned(),
            Self::Box => match scene.layers.last() {
                Some(Layer { shape, color, .. }) => format!("box of the {color} {shape}"),
                None => String::new(),
            },
        }
    }

    /// The exact map.
    fn target(self, scene: &Overlap) -> RgbImage {
        let nearest = scene.layers.len() as u8;
        match self {
            Self::Edges => boundary(&scene.painted(|number| [number; 3])),
            Self::Canny => lines(&canny(&scene.picture(), Channels::Rgb, BOUNDS)),
            Self::Segment => scene.painted(|number| class_color(scene, number)),
            Self::Depth => scene
                .painted(|number| [(255 * u32::from(number) / u32::from(nearest.max(1))) as u8; 3]),
            Self::Box => boxed(&scene.picture(), scene.visible_box(nearest), MARK),
        }
    }
}

/// A picture of a random kind of map for training: its instruction, the picture, and the map. It has only
/// pairs of colour and shape that training may see.
pub(super) fn sampled(random: &mut Random) -> (String, RgbImage, RgbImage) {
    let kind = random.pick(&Kind::ALL);
    loop {
        let scene = Overlap::sampled(random);
        let seen = |layer: &Layer| seen_pair(layer.color, layer.shape);
        if scene.layers.iter().all(seen) {
            return (kind.prompt(&scene), scene.picture(), kind.target(&scene));
        }
    }
}

/// The items of all kinds.
///
/// # Errors
/// Fails if a picture cannot be kept.
fn maps(keep: &Keep<'_>) -> Result<Vec<Item>, String> {
    let mut random = Random::new(SEED, STREAM);
    let mut items = Vec::new();
    for kind in Kind::ALL {
        for index in 0..PER_TASK {
            let scene = Overlap::sampled(&mut random);
            let things = scene.layers.len().to_string();
            items.push(Item {
                item: format!("{}-{index:02}", kind.name()),
                task: Task::Edit,
                prompt: kind.prompt(&scene),
                images: vec![kept(&scene.picture(), keep)?],
                expect: expect(kind, &scene, keep)?,
                tags: tags([("kind", kind.name()), ("things", things.as_str())]),
                extra: Object::new(),
            });
        }
    }
    Ok(items)
}

fn kept(picture: &RgbImage, keep: &Keep<'_>) -> Result<String, String> {
    keep(&encode_png(picture).map_err(|error| error.to_string())?)
}

/// What the observer `maps` compares with.
fn expect(kind: Kind, scene: &Overlap, keep: &Keep<'_>) -> Result<Object, String> {
    let nearest = scene.layers.len() as u8;
    let seen_as = match kind {
        Kind::Box => "mask",
        kind => kind.name(),
    };
    let reference = match kind {
        Kind::Canny => "canny".to_owned(),
        kind => kept(&kind.target(scene), keep)?,
    };
    let mut expect = Object::new();
    let mut put = |key: &str, value: Value| expect.insert(key.to_owned(), value);
    put("kind", seen_as.into());
    put("reference", reference.into());
    match kind {
        Kind::Canny | Kind::Edges => {}
        Kind::Segment => {
            put("palette", json!(PALETTE));
        }
        Kind::Depth => {
            put("layers", json!(nearest + 1));
            let instances = scene.painted(|number| [number; 3]);
            put("instances", kept(&instances, keep)?.into());
        }
        Kind::Box => {
            let mask = boxed(
                &RgbImage::new(SIDE, SIDE),
                scene.visible_box(nearest),
                [u8::MAX; 3],
            );
            put("mask", kept(&mask, keep)?.into());
            put("mark", json!(MARK));
        }
    }
    Ok(expect)
}

/// The colour of a thing's class.
fn class_color(scene: &Overlap, number: u8) -> [u8; 3] {
    let layer = usize::from(number)
        .checked_sub(1)
        .and_then(|place| scene.layers.get(place));
    let class = layer.map_or(0, |layer| match layer.shape {
        Shape::Circle => 1,
        Shape::Square => 2,
        Shape::Triangle => 3,
    });
    PALETTE[class]
}

/// White lines on black.
fn lines(mask: &Mask) -> RgbImage {
    RgbImage::from_fn(mask.width() as u32, mask.height() as u32, |x, y| {
        let white = mask.pixels()[y as usize * mask.width() + x as usize];
        Rgb([if white { u8::MAX } else { 0 }; 3])
    })
}

/// White where the right or the lower neighbour has another colour.
fn boundary(map: &RgbImage) -> RgbImage {
    let (width, height) = map.dimensions();
    RgbImage::from_fn(width, height, |x, y| {
        let own = map.get_pixel(x, y);
        let right = x + 1 < width && map.get_pixel(x + 1, y) != own;
        let below = y + 1 < height && map.get_pixel(x, y + 1) != own;
        Rgb([if right || below { u8::MAX } else { 0 }; 3])
    })
}

/// A picture with a filled box.
fn boxed(picture: &RgbImage, bounds: [u32; 4], color: [u8; 3]) -> RgbImage {
    let [left, top, right, bottom] = bounds;
    let mut out = picture.clone();
    for (x, y, pixel) in out.enumerate_pixels_mut() {
        if (left..=right).contains(&x) && (top..=bottom).contains(&y) {
            *pixel = Rgb(color);
        }
    }
    out
}
