//! GenEval's six tasks as captions over the shapes and colours of the world, and scenes that fit the
//! captions.

use super::random::Random;
use super::read::Found;
use super::scene::Scene;
use super::split::{self, Split};
use super::thing::{Cell, Color, Form, Relation, Shape, Thing};
use serde::Deserialize;

/// The tasks, by their tags in GenEval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// One thing.
    SingleObject,
    /// Two things of different shapes.
    TwoObject,
    /// Several things of one shape.
    Counting,
    /// One thing with a colour.
    Colors,
    /// Two things, and the position of one relative to the other.
    Position,
    /// Two things, each with a colour.
    ColorAttr,
}

impl Task {
    /// All tasks, in GenEval's order.
    pub const ALL: [Self; 6] = [
        Self::SingleObject,
        Self::TwoObject,
        Self::Counting,
        Self::Colors,
        Self::Position,
        Self::ColorAttr,
    ];

    /// The name of the task in GenEval.
    pub fn tag(self) -> &'static str {
        match self {
            Self::SingleObject => "single_object",
            Self::TwoObject => "two_object",
            Self::Counting => "counting",
            Self::Colors => "colors",
            Self::Position => "position",
            Self::ColorAttr => "color_attr",
        }
    }
}

/// A shape, with its colour if the caption names one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Noun {
    /// The shape.
    pub shape: Shape,
    /// The colour, if the caption names it.
    pub color: Option<Color>,
}

impl Noun {
    fn plain(shape: Shape) -> Self {
        Self { shape, color: None }
    }

    fn words(self) -> String {
        match self.color {
            Some(color) => format!("{color} {}", self.shape),
            None => self.shape.name().to_owned(),
        }
    }

    fn seen(self) -> bool {
        self.color
            .is_none_or(|color| split::seen_pair(color, self.shape))
    }
}

/// The content of a caption.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Caption {
    /// One thing, or two to four things of one kind.
    Some(usize, Noun),
    /// One thing of each kind.
    Both(Noun, Noun),
    /// The first thing has this position relative to the second.
    Related(Noun, Relation, Noun),
}

const NUMBERS: [&str; 5] = ["zero", "one", "two", "three", "four"];

impl Caption {
    /// All captions of a task, in a fixed order.
    pub fn all_of(task: Task) -> Vec<Self> {
        let shapes = Shape::ALL.map(Noun::plain);
        let colored = || {
            Color::ALL.into_iter().flat_map(|color| {
                Shape::ALL.map(|shape| Noun {
                    shape,
                    color: Some(color),
                })
            })
        };
        let pairs = || {
            let pairs = shapes.into_iter().flat_map(|a| shapes.map(|b| (a, b)));
            pairs.filter(|(a, b)| a != b)
        };
        match task {
            Task::SingleObject => shapes.map(|noun| Self::Some(1, noun)).to_vec(),
            Task::TwoObject => pairs().map(|(a, b)| Self::Both(a, b)).collect(),
            Task::Counting => (2..=4)
                .flat_map(|count| shapes.map(|noun| Self::Some(count, noun)))
                .collect(),
            Task::Colors => colored().map(|noun| Self::Some(1, noun)).collect(),
            Task::Position => pairs()
                .flat_map(|(a, b)| Relation::ALL.map(|relation| Self::Related(a, relation, b)))
                .collect(),
            Task::ColorAttr => colored()
                .flat_map(|a| colored().map(move |b| (a, b)))
                .filter(|(a, b)| a.shape != b.shape && a.color != b.color)
                .map(|(a, b)| Self::Both(a, b))
                .collect(),
        }
    }

    /// The caption in the words of GenEval.
    pub fn words(self) -> String {
        match self {
            Self::Some(1, noun) => format!("a photo of a {}", noun.words()),
            Self::Some(count, noun) => {
                let number = NUMBERS.get(count).copied().unwrap_or("many");
                format!("a photo of {number} {}s", noun.words())
            }
            Self::Both(a, b) => format!("a photo of a {} and a {}", a.words(), b.words()),
            Self::Related(a, relation, b) => {
                let relation = relation.name();
                format!("a photo of a {} {relation} a {}", a.words(), b.words())
            }
        }
    }

    /// Whether a picture with these things fits the caption, by GenEval's rule. The number of things of each
    /// noun must be right, and may be larger if the caption does not count. If the caption has a relation,
    /// some two things must have it.
    pub fn shown(self, found: &[Found]) -> bool {
        let things = |noun: Noun| {
            found.iter().filter(move |thing| {
                let color = noun.color.is_none_or(|color| color == thing.color);
                color && thing.form == Some(Form::Shape(noun.shape))
            })
        };
        match self {
            Self::Some(1, noun) => things(noun).next().is_some(),
            Self::Some(count, noun) => things(noun).count() == count,
            Self::Both(a, b) => things(a).next().is_some() && things(b).next().is_some(),
            Self::Related(a, relation, b) => things(a).any(|x| {
                things(b).any(
                    |y| matches!((x.cell(), y.cell()), (Some(x), Some(y)) if relation.holds(x, y)),
                )
            }),
        }
    }

    /// The nouns, in the order of the caption.
    pub fn nouns(self) -> Vec<Noun> {
        match self {
            Self::Some(_, noun) => vec![noun],
            Self::Both(a, b) | Self::Related(a, _, b) => vec![a, b],
        }
    }

    /// Whether training sees the content of the caption.
    pub fn split(self) -> Split {
        let seen = match self {
            Self::Some(count, noun) => (noun.shape, count) != split::COUNT,
            Self::Both(..) => true,
            Self::Related(a, relation, b) => split::seen_relation(a.shape, relation, b.shape),
        };
        if seen && self.nouns().into_iter().all(Noun::seen) {
            Split::Seen
        } else {
            Split::HeldOut
        }
    }

    /// A random scene with only the things of the caption. If training sees the caption, it may also see the
    /// scene.
    pub fn scene(self, random: &mut Random) -> Scene {
        let must_be_seen = self.split() == Split::Seen;
        loop {
            let scene = self.any_scene(random);
            if !must_be_seen || split::seen(&scene) {
                return scene;
            }
        }
    }

    fn any_scene(self, random: &mut Random) -> Scene {
        let nouns = match self {
            Self::Some(count, noun) => vec![noun; count],
            _ => self.nouns(),
        };
        let cells = match self {
            Self::Related(_, relation, _) => loop {
                let cells = random.several(&Cell::whole_grid(), 2);
                if relation.holds(cells[0], cells[1]) {
                    break cells;
                }
            },
            _ => random.several(&Cell::whole_grid(), nouns.len()),
        };
        let things = nouns.into_iter().zip(cells);
        Scene {
            things: things
                .map(|(noun, cell)| Thing {
                    shape: noun.shape,
                    color: noun.color.unwrap_or_else(|| random.pick(&Color::ALL)),
                    cell,
                })
                .collect(),
        }
    }
}
