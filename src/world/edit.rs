//! An edit: an instruction, the scene before it and a scene after it.

use super::random::Random;
use super::read::Found;
use super::scene::Scene;
use super::split;
use super::thing::{Cell, Color, Form, Relation, Shape, Thing};

/// What an instruction asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A thing more.
    Add,
    /// A thing less.
    Remove,
    /// A thing in another colour.
    Recolor,
    /// Another shape in a thing's place.
    Replace,
    /// A thing in another cell.
    Move,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Add,
        Self::Remove,
        Self::Recolor,
        Self::Replace,
        Self::Move,
    ];

    /// As tags have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Remove => "remove",
            Self::Recolor => "recolor",
            Self::Replace => "replace",
            Self::Move => "move",
        }
    }
}

/// An edit of a scene of one to three things of different shapes, so that a shape names a thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// What the edit does.
    pub kind: Kind,
    /// The words that ask for it.
    pub instruction: String,
    /// The scene of the input picture.
    pub before: Scene,
    /// One of the scenes that follow the instruction.
    pub after: Scene,
    /// What is there only before.
    pub gone: Option<Thing>,
    /// What is there only after. Of an addition, the cell is one of those that would do.
    pub new: Option<Thing>,
}

impl Edit {
    /// A random edit whose scenes training may see.
    pub fn sampled(kind: Kind, random: &mut Random) -> Self {
        loop {
            if let Some(edit) = Self::attempt(kind, random)
                && split::seen(&edit.after)
            {
                return edit;
            }
        }
    }

    /// The things that stay as they are.
    pub fn kept(&self) -> impl Iterator<Item = &Thing> {
        self.before
            .things
            .iter()
            .filter(|thing| self.gone != Some(**thing))
    }

    /// Whether a picture of these things does what the instruction asks: what is new is there, in its cell
    /// unless it is an addition, and what is gone is not.
    pub fn followed(&self, found: &[Found]) -> bool {
        let anywhere = |thing: &Thing| {
            found.iter().any(|found| {
                found.form == Some(Form::Shape(thing.shape)) && found.color == thing.color
            })
        };
        let new = self.new.is_none_or(|thing| match self.kind {
            Kind::Add => anywhere(&thing),
            _ => holds(found, &thing),
        });
        new && !self.gone.is_some_and(|thing| holds(found, &thing))
    }

    /// Whether everything that should stay is where it was.
    pub fn preserved(&self, found: &[Found]) -> bool {
        self.kept().all(|thing| holds(found, thing))
    }

    /// The cells that may change: those that do, and for an addition every free one.
    pub fn region(&self) -> Vec<Cell> {
        if self.kind == Kind::Add {
            return self.before.free();
        }
        let changed = self.gone.iter().chain(&self.new);
        changed.map(|thing| thing.cell).collect()
    }

    fn attempt(kind: Kind, random: &mut Random) -> Option<Self> {
        // An addition and a replacement need a shape that is not there yet.
        let most = match kind {
            Kind::Add | Kind::Replace => 2,
            Kind::Remove | Kind::Recolor | Kind::Move => 3,
        };
        let count = 1 + random.below(most);
        let shapes = random.several(&Shape::ALL, count);
        let before = Scene::sampled(&shapes, random);
        let thing = random.pick(&before.things);
        let unused: Vec<Shape> = Shape::ALL
            .into_iter()
            .filter(|shape| !shapes.contains(shape))
            .collect();
        let shape = thing.shape;
        let (instruction, gone, new) = match kind {
            Kind::Add => {
                let new = Thing {
                    shape: random.pick(&unused),
                    color: random.pick(&Color::ALL),
                    cell: random.pick(&before.free()),
                };
                let words = format!("add a {} {}", new.color, new.shape);
                (words, None, Some(new))
            }
            Kind::Remove => (format!("remove the {shape}"), Some(thing), None),
            Kind::Recolor => {
                let color = random.pick(&Color::ALL);
                let words = format!("recolor the {shape} to {color}");
                (words, Some(thing), Some(Thing { color, ..thing }))
            }
            Kind::Replace => {
                let other = random.pick(&unused);
                let words = format!("replace the {shape} with a {other}");
                let new = Thing {
                    shape: other,
                    ..thing
                };
                (words, Some(thing), Some(new))
            }
            Kind::Move => {
                let relation = random.pick(&Relation::ALL);
                let cell = thing.cell.step(relation)?;
                let direction = match relation {
                    Relation::LeftOf => "left",
                    Relation::RightOf => "right",
                    Relation::Above => "up",
                    Relation::Below => "down",
                };
                let words = format!("move the {shape} {direction}");
                (words, Some(thing), Some(Thing { cell, ..thing }))
            }
        };
        Self::checked(kind, instruction, before, gone, new)
    }

    /// The edit, unless it changes nothing or puts a thing upon another.
    fn checked(
        kind: Kind,
        instruction: String,
        before: Scene,
        gone: Option<Thing>,
        new: Option<Thing>,
    ) -> Option<Self> {
        if gone == new {
            return None;
        }
        let mut after = before.clone();
        after.things.retain(|thing| gone != Some(*thing));
        if let Some(new) = new {
            if after.things.iter().any(|thing| thing.cell == new.cell) {
                return None;
            }
            after.things.push(new);
        }
        Some(Self {
            kind,
            instruction,
            before,
            after,
            gone,
            new,
        })
    }
}

/// Whether a thing is among those found, in its cell.
fn holds(found: &[Found], thing: &Thing) -> bool {
    found.iter().any(|found| {
        found.form == Some(Form::Shape(thing.shape))
            && found.color == thing.color
            && found.cell() == Some(thing.cell)
    })
}
