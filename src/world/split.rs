//! The combinations that training never sees, neither in captions nor in pictures, so that a score on them
//! tests composition.

use super::random::Random;
use super::scene::Scene;
use super::thing::{Cell, Color, Relation, Shape, Thing};

/// Three of the 18 pairs of colour and shape, one for each shape.
pub const PAIRS: [(Color, Shape); 3] = [
    (Color::Purple, Shape::Circle),
    (Color::Yellow, Shape::Square),
    (Color::Green, Shape::Triangle),
];

/// Two of the twelve relations between different shapes. Each is also held out with the things in the other
/// order.
pub const RELATIONS: [(Shape, Relation, Shape); 2] = [
    (Shape::Circle, Relation::LeftOf, Shape::Triangle),
    (Shape::Square, Relation::Above, Shape::Circle),
];

/// One number of things of one shape.
pub const COUNT: (Shape, usize) = (Shape::Triangle, 4);

/// Whether a prompt or picture has a combination that training never sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    /// It has only combinations that training may see.
    Seen,
    /// It has a combination that training never sees.
    HeldOut,
}

impl Split {
    /// The name in tags and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Seen => "seen",
            Self::HeldOut => "held out",
        }
    }
}

/// Whether training sees this colour of this shape.
pub fn seen_pair(color: Color, shape: Shape) -> bool {
    !PAIRS.contains(&(color, shape))
}

/// Whether training sees this relation, in either order of the things.
pub fn seen_relation(a: Shape, relation: Relation, b: Shape) -> bool {
    !RELATIONS.contains(&(a, relation, b)) && !RELATIONS.contains(&(b, relation.opposite(), a))
}

/// Whether training may see a scene.
pub fn seen(scene: &Scene) -> bool {
    let pairs = scene
        .things
        .iter()
        .all(|thing| seen_pair(thing.color, thing.shape));
    let relations = RELATIONS
        .iter()
        .all(|&(a, relation, b)| !scene.has_relation(a, relation, b));
    pairs && relations && scene.count(COUNT.0) != COUNT.1
}

impl Scene {
    /// Things with these shapes, in random colours and cells that training may see.
    pub fn sampled(shapes: &[Shape], random: &mut Random) -> Self {
        loop {
            let cells = random.several(&Cell::whole_grid(), shapes.len());
            let things = shapes.iter().zip(cells);
            let scene = Self {
                things: things
                    .map(|(&shape, cell)| Thing {
                        shape,
                        color: random.pick(&Color::ALL),
                        cell,
                    })
                    .collect(),
            };
            if seen(&scene) {
                return scene;
            }
        }
    }
}
