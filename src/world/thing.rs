//! Shapes, colours, letters and cells.

use super::{CELL, GRID};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The shapes, which are the classes of the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    /// A disc.
    Circle,
    /// A square.
    Square,
    /// A triangle on its base.
    Triangle,
}

impl Shape {
    /// All values.
    pub const ALL: [Self; 3] = [Self::Circle, Self::Square, Self::Triangle];

    /// The word for it in captions.
    pub fn name(self) -> &'static str {
        match self {
            Self::Circle => "circle",
            Self::Square => "square",
            Self::Triangle => "triangle",
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Colours, by their names in GenEval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Color {
    /// Red.
    Red,
    /// Green.
    Green,
    /// Blue.
    Blue,
    /// Yellow.
    Yellow,
    /// Purple.
    Purple,
    /// White.
    White,
}

impl Color {
    /// All values.
    pub const ALL: [Self; 6] = [
        Self::Red,
        Self::Green,
        Self::Blue,
        Self::Yellow,
        Self::Purple,
        Self::White,
    ];

    /// The word for it in captions.
    pub fn name(self) -> &'static str {
        match self {
            Self::Red => "red",
            Self::Green => "green",
            Self::Blue => "blue",
            Self::Yellow => "yellow",
            Self::Purple => "purple",
            Self::White => "white",
        }
    }

    /// The colour in 8-bit sRGB.
    pub fn rgb(self) -> [u8; 3] {
        match self {
            Self::Red => [220, 40, 40],
            Self::Green => [40, 170, 60],
            Self::Blue => [40, 80, 220],
            Self::Yellow => [235, 210, 50],
            Self::Purple => [150, 60, 190],
            Self::White => [245, 245, 245],
        }
    }
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The forms of things in cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Form {
    /// A shape.
    Shape(Shape),
    /// A letter, by its index in the alphabet (A = 0).
    Letter(u8),
}

/// A place on the grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Cell {
    /// The row, from 0 at the top.
    pub row: u8,
    /// The column, from 0 at the left.
    pub column: u8,
}

impl Cell {
    /// All cells, row by row.
    pub fn whole_grid() -> Vec<Self> {
        let side = 0..GRID as u8;
        side.clone()
            .flat_map(|row| side.clone().map(move |column| Self { row, column }))
            .collect()
    }

    /// The upper left corner, in pixels: x, y.
    pub fn corner(self) -> [u32; 2] {
        [u32::from(self.column) * CELL, u32::from(self.row) * CELL]
    }

    /// The next cell in this direction, if the grid has it.
    pub fn step(self, relation: Relation) -> Option<Self> {
        let (down, right) = match relation {
            Relation::LeftOf => (0, -1),
            Relation::RightOf => (0, 1),
            Relation::Above => (-1, 0),
            Relation::Below => (1, 0),
        };
        let row = self.row.checked_add_signed(down)?;
        let column = self.column.checked_add_signed(right)?;
        let inside = usize::from(row.max(column)) < GRID;
        inside.then_some(Self { row, column })
    }
}

/// The position of one thing relative to another, with GenEval's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Relation {
    /// The first thing has the smaller column.
    LeftOf,
    /// The first thing has the larger column.
    RightOf,
    /// The first thing has the smaller row.
    Above,
    /// The first thing has the larger row.
    Below,
}

/// GenEval's tolerance, which is 0.1 of both sizes, for two things of 6.4 pixels.
const SLACK: f64 = 0.1 * 2.0 * 2.0 * HALF;
/// Half of the width and height of a shape, in pixels.
pub(super) const HALF: f64 = 3.2;

impl Relation {
    /// All values.
    pub const ALL: [Self; 4] = [Self::LeftOf, Self::RightOf, Self::Above, Self::Below];

    /// The words for it in captions.
    pub fn name(self) -> &'static str {
        match self {
            Self::LeftOf => "left of",
            Self::RightOf => "right of",
            Self::Above => "above",
            Self::Below => "below",
        }
    }

    /// The position of the second thing relative to the first.
    pub fn opposite(self) -> Self {
        match self {
            Self::LeftOf => Self::RightOf,
            Self::RightOf => Self::LeftOf,
            Self::Above => Self::Below,
            Self::Below => Self::Above,
        }
    }

    /// Whether `a` has this position relative to `b` by GenEval's rule: the offset along the axis minus the
    /// tolerance is larger than half of the whole offset.
    pub fn holds(self, a: Cell, b: Cell) -> bool {
        let offset = |a: u8, b: u8| f64::from(CELL) * (f64::from(a) - f64::from(b));
        let (x, y) = (offset(a.column, b.column), offset(a.row, b.row));
        let along = match self {
            Self::LeftOf => -x,
            Self::RightOf => x,
            Self::Above => -y,
            Self::Below => y,
        };
        along - SLACK > 0.5 * x.hypot(y)
    }
}

/// One thing of a scene.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Thing {
    /// Its shape.
    pub shape: Shape,
    /// Its colour.
    pub color: Color,
    /// Its cell.
    #[serde(flatten)]
    pub cell: Cell,
}
