//! Edits: an instruction, the scene before the edit and a scene after it.

use super::random::Random;
use super::read::Found;
use super::scene::Scene;
use super::split;
use super::thing::{Cell, Color, Form, Relation, Shape, Thing};

/// The kinds of edits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Adds a thing.
    Add,
    /// Removes a thing.
    Remove,
    /// Changes the colour of a thing.
    Recolor,
    /// Replaces a thing with another shape.
    Replace,
    /// Moves a thing to another cell.
    Move,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 5] = [
        Self::Add,
        Self::Remove,
        Self::Recolor,
        Self::Replace,
        Self::Move,
    ];

    /// The name in tags.
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

/// An edit of a scene with one to three things. Their shapes differ, so that a shape names a thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The kind of the edit.
    pub kind: Kind,
    /// The words of the instruction.
    pub instruction: String,
    /// The scene of the input picture.
    pub before: Scene,
    /// One of the scenes that fit the instruction.
    pub after: Scene,
    /// The thing that is only in the scene before.
    pub gone: Option<Thing>,
    /// The thing that is only in the scene after. For an addition, the cell is one of several possible ones.
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

    /// The things that do not change.
    pub fn kept(&self) -> impl Iterator<Item = &Thing> {
        self.before
            .things
            .iter()
            .filter(|thing| self.gone != Some(**thing))
    }

    /// Whether a picture with these things fits the instruction: the new thing is there, and the old thing is
    /// not. Unless it is an addition, the new thing must be in its cell.
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

    /// Whether all things that should not change are still in their cells.
    pub fn preserved(&self, found: &[Found]) -> bool {
        self.kept().all(|thing| holds(found, thing))
    }

    /// The cells that may change: those of the edit, and for an addition all free cells.
    pub fn region(&self) -> Vec<Cell> {
        if self.kind == Kind::Add {
            return self.before.free_cells();
        }
        let changed = self.gone.iter().chain(&self.new);
        changed.map(|thing| thing.cell).collect()
    }

    fn attempt(kind: Kind, random: &mut Random) -> Option<Self> {
        // An addition and a replacement need a shape that is not in the scene yet.
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
                    cell: random.pick(&before.free_cells()),
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

    /// The edit. `None` if it changes nothing, or if two things would share a cell.
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

/// Whether a thing is among the found ones, in its cell.
fn holds(found: &[Found], thing: &Thing) -> bool {
    found.iter().any(|found| {
        found.form == Some(Form::Shape(thing.shape))
            && found.color == thing.color
            && found.cell() == Some(thing.cell)
    })
}
