//! The combinations that training never sees, in captions and in pictures alike, so that a score on them
//! tests composition.

use super::random::Random;
use super::scene::Scene;
use super::thing::{Cell, Color, Relation, Shape, Thing};

/// Three of the 18 pairs of colour and shape, one a shape.
pub const PAIRS: [(Color, Shape); 3] = [
    (Color::Purple, Shape::Circle),
    (Color::Yellow, Shape::Square),
    (Color::Green, Shape::Triangle),
];

/// Two of the twelve relations between different shapes; each is also held out the other way round.
pub const RELATIONS: [(Shape, Relation, Shape); 2] = [
    (Shape::Circle, Relation::LeftOf, Shape::Triangle),
    (Shape::Square, Relation::Above, Shape::Circle),
];

/// One count of one shape.
pub const COUNT: (Shape, usize) = (Shape::Triangle, 4);

/// Whether a prompt or picture has a combination that training never sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Split {
    /// Training may see it.
    Seen,
    /// Training never sees it.
    HeldOut,
}

impl Split {
    /// As tags and reports have it.
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

/// Whether training sees this relation, said either way round.
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
    /// Things of these shapes in random colours and cells, as training may see them.
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
