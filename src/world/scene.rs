//! Scenes, which have things in cells.

use super::thing::{Cell, Relation, Shape, Thing};

/// The things of a picture. Their order does not matter, and no two things share a cell.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scene {
    /// The things.
    pub things: Vec<Thing>,
}

impl Scene {
    /// The cells without a thing.
    pub fn free_cells(&self) -> Vec<Cell> {
        let mut cells = Cell::whole_grid();
        cells.retain(|cell| self.things.iter().all(|thing| thing.cell != *cell));
        cells
    }

    /// The number of things with this shape.
    pub fn count(&self, shape: Shape) -> usize {
        self.things
            .iter()
            .filter(|thing| thing.shape == shape)
            .count()
    }

    /// Whether some `a` has this position relative to some `b`.
    pub fn has_relation(&self, a: Shape, relation: Relation, b: Shape) -> bool {
        let all = |shape: Shape| {
            let things = self.things.iter();
            things.filter(move |thing| thing.shape == shape)
        };
        all(a).any(|x| all(b).any(|y| x.cell != y.cell && relation.holds(x.cell, y.cell)))
    }
}
