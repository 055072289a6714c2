//! Which things are where.

use super::random::Random;
use super::split;
use super::thing::{Cell, Color, Relation, Shape, Thing};

/// The things of a picture, in no order that matters. No two share a cell.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scene {
    pub things: Vec<Thing>,
}

impl Scene {
    /// The cells that nothing stands in.
    pub fn free(&self) -> Vec<Cell> {
        let mut cells = Cell::all();
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
        let of = |shape: Shape| self.things.iter().filter(move |thing| thing.shape == shape);
        of(a).any(|x| of(b).any(|y| x.cell != y.cell && relation.holds(x.cell, y.cell)))
    }

    /// Things of these shapes in random colours and cells, as training may see them.
    pub fn sampled(shapes: &[Shape], random: &mut Random) -> Self {
        loop {
            let cells = random.several(&Cell::all(), shapes.len());
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
            if split::seen(&scene) {
                return scene;
            }
        }
    }
}
