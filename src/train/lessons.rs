//! What the language model of the miniature world is taught: an answer to words, or to words and a picture.

use super::{TrainError, samples};
use crate::model::tokenizer::Tokenizer;
use crate::world::caption::{Caption, Noun};
use crate::world::edit::{Edit, Kind};
use crate::world::random::Random;
use crate::world::scene::Scene;
use crate::world::thing::{Cell, Color, Shape, Thing};
use crate::world::{draw, words};
use image::RgbImage;

/// Kinds of lessons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Subject {
    /// The parts of a caption.
    Caption,
    /// Everything in a picture.
    Describe,
    /// A question about a picture.
    Question,
    /// What a picture shows after an edit.
    Edit,
    /// The word of a sign, from words or from a picture.
    Sign,
}

impl Subject {
    /// What [`Lesson::of_pictures`] asks.
    pub(super) const OF_PICTURES: [Self; 3] = [Self::Describe, Self::Question, Self::Sign];

    /// All of them.
    pub(super) const ALL: [Self; 5] = [
        Self::Caption,
        Self::Describe,
        Self::Question,
        Self::Edit,
        Self::Sign,
    ];

    /// The name in the curve.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Caption => "caption",
            Self::Describe => "describe",
            Self::Question => "question",
            Self::Edit => "edit",
            Self::Sign => "sign",
        }
    }
}

/// What is shown to a language model.
#[derive(Debug, Clone)]
pub(super) enum Shown {
    /// Things.
    Scene(Scene),
    /// A sign with a word.
    Sign(RgbImage),
}

/// One lesson.
#[derive(Debug, Clone)]
pub(super) struct Lesson {
    /// What the lesson is about.
    pub subject: Subject,
    /// What is asked.
    pub words: String,
    /// The picture that is asked about.
    pub shown: Option<Shown>,
    /// The answer; it begins with a blank.
    pub answer: String,
    /// Whether nothing else would be right.
    pub certain: bool,
}

impl Lesson {
    /// A random lesson that training may see.
    pub(super) fn sampled(random: &mut Random) -> Self {
        let subject = match random.below(20) {
            0..3 => Subject::Caption,
            3..6 => Subject::Describe,
            6..8 => Subject::Question,
            8..16 => Subject::Edit,
            _ => Subject::Sign,
        };
        match subject {
            Subject::Caption => caption(random),
            Subject::Describe => describe(random),
            Subject::Question => question(random),
            Subject::Edit => edit(random),
            Subject::Sign => {
                let word = samples::word(random);
                let read = random.chance(0.5);
                sign(word, read, random)
            }
        }
    }

    /// A random lesson about a picture that training may see.
    fn of_picture(random: &mut Random) -> Self {
        match random.below(10) {
            0..5 => describe(random),
            5..8 => question(random),
            _ => {
                let word = samples::word(random);
                sign(word, true, random)
            }
        }
    }

    /// So many lessons about pictures whose words have one length in tokens, with the tokens of their
    /// answers.
    ///
    /// # Errors
    /// Fails if the vocabulary lacks a word.
    pub(super) fn of_pictures(
        count: usize,
        tokens: &Tokenizer,
        random: &mut Random,
    ) -> Result<(Vec<Self>, Vec<Vec<u32>>), TrainError> {
        let lessons = samples::alike(count, || {
            let lesson = Self::of_picture(random);
            Ok((tokens.encode(&lesson.words)?.len(), lesson))
        })?;
        let answers = lessons.iter().map(|lesson| tokens.encode(&lesson.answer));
        let answers = answers.collect::<Result<_, _>>()?;
        Ok((lessons, answers))
    }

    /// The picture that belongs to it.
    pub(super) fn picture(&self) -> Option<RgbImage> {
        self.shown.as_ref().map(|shown| match shown {
            Shown::Scene(scene) => draw::scene(scene),
            Shown::Sign(picture) => picture.clone(),
        })
    }
}

const NUMBERS: [&str; 5] = ["none", "one", "two", "three", "four"];

fn number(count: usize) -> &'static str {
    NUMBERS.get(count).copied().unwrap_or("many")
}

fn caption(random: &mut Random) -> Lesson {
    let caption = samples::caption(random);
    let noun = |noun: Noun| match noun.color {
        Some(color) => format!(" {color} {}", noun.shape),
        None => format!(" {}", noun.shape),
    };
    let answer = match caption {
        Caption::Some(count, named) => vec![noun(named); count].join(","),
        Caption::Both(a, b) => format!("{},{}", noun(a), noun(b)),
        Caption::Related(a, relation, b) => {
            let (there, back) = (relation.name(), relation.opposite().name());
            format!("{0} {there}{1},{1} {back}{0}", noun(a), noun(b))
        }
    };
    Lesson {
        subject: Subject::Caption,
        words: caption.words(),
        shown: None,
        answer,
        certain: true,
    }
}

/// A scene that training may see: one of a caption, or one before an edit.
fn scene(random: &mut Random) -> Scene {
    if random.chance(0.5) {
        samples::caption(random).scene(random)
    } else {
        Edit::sampled(random.pick(&Kind::ALL), random).before
    }
}

/// Everything in a scene in reading order, with row and column.
fn listed(scene: &Scene) -> String {
    let mut things = scene.things.clone();
    things.sort_by_key(|thing| thing.cell);
    let said = things
        .iter()
        .map(|Thing { shape, color, cell }| format!(" {color} {shape}{}", place_in_words(*cell)));
    if things.is_empty() {
        " nothing".to_owned()
    } else {
        said.collect::<Vec<String>>().join(",")
    }
}

fn place_in_words(cell: Cell) -> String {
    let [row, column] = [cell.row, cell.column].map(|at| number(usize::from(at) + 1));
    format!(" row {row} column {column}")
}

fn describe(random: &mut Random) -> Lesson {
    let scene = scene(random);
    Lesson {
        subject: Subject::Describe,
        words: "describe it".into(),
        answer: listed(&scene),
        shown: Some(Shown::Scene(scene)),
        certain: true,
    }
}

fn question(random: &mut Random) -> Lesson {
    let scene = scene(random);
    let shape = random.pick(&Shape::ALL);
    let mut named = scene.things.iter().filter(|thing| thing.shape == shape);
    let (first, more) = (named.next(), named.count());
    let (words, answer) = match (first, random.below(3)) {
        (Some(thing), 0) if more == 0 => (
            format!("what color is the {shape}"),
            format!(" {}", thing.color),
        ),
        (Some(thing), 1) if more == 0 => {
            (format!("where is the {shape}"), place_in_words(thing.cell))
        }
        _ => (
            format!("how many {shape}s"),
            format!(" {}", number(scene.count(shape))),
        ),
    };
    Lesson {
        subject: Subject::Question,
        words,
        answer,
        shown: Some(Shown::Scene(scene)),
        certain: true,
    }
}

fn edit(random: &mut Random) -> Lesson {
    let edit = Edit::sampled(random.pick(&Kind::ALL), random);
    Lesson {
        subject: Subject::Edit,
        words: edit.instruction.clone(),
        answer: listed(&edit.after),
        // The answer does not say where something is added.
        certain: edit.kind != Kind::Add,
        shown: Some(Shown::Scene(edit.before)),
    }
}

fn sign(word: &str, read: bool, random: &mut Random) -> Lesson {
    let picture = words::sign(word, random.pick(&Color::ALL), random);
    Lesson {
        subject: Subject::Sign,
        words: if read {
            "describe it".into()
        } else {
            words::prompt(word)
        },
        shown: read.then_some(Shown::Sign(picture)),
        answer: format!(" {word}"),
        certain: true,
    }
}
