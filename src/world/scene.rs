//! Which things are where.

use super::thing::{Cell, Relation, Shape, Thing};

/// The things of a picture, in no order that matters. No two share a cell.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scene {
    /// The things.
    pub things: Vec<Thing>,
}

impl Scene {
    /// The cells that nothing is in.
    pub fn free(&self) -> Vec<Cell> {
        let mut cells = Cell::whole_grid();
        cells.retain(|cell| self.things.iter().all(|thing| thing.cell != *cell));
        cells
    }

    /// How many things have this shape.
    pub fn count(&self, shape: Shape) -> usize {
        self.things
            .iter()
            .filter(|thing| thing.shape == shape)
            .count()
    }

    /// Whether some `a` lies so to some `b`.
    pub fn has_relation(&self, a: Shape, relation: Relation, b: Shape) -> bool {
        let all = |shape: Shape| {
            let things = self.things.iter();
            things.filter(move |thing| thing.shape == shape)
        };
        all(a).any(|x| all(b).any(|y| x.cell != y.cell && relation.holds(x.cell, y.cell)))
    }
}
