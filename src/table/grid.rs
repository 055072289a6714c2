//! A table for eyes: what is in which cell, and nothing of how a format writes it.

use super::marks::Mark;
use serde::Serialize;

/// A printed table. Every row has as many cells as the grid has columns, and its first cell names the row.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Grid {
    /// How the formats set this kind of table.
    pub style: Style,
    /// The line above the table.
    pub caption: String,
    /// What LaTeX refers to the table by, and HTML knows it by.
    pub label: String,
    /// From left to right; the first holds the names of the rows.
    pub columns: Vec<Column>,
    /// From top to bottom.
    pub rows: Vec<Row>,
    /// The lines below the table.
    pub notes: Vec<String>,
}

/// How the formats set a kind of table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Style {
    /// The class of the HTML element.
    pub class: &'static str,
    /// Whether the rows compete, so that the caption in LaTeX says how the best and the second number are
    /// marked.
    pub ranked: bool,
    /// Whether a terminal without bold letters explains its signs for the best and the second number.
    pub legend: bool,
    /// Whether HTML carries unrounded numbers, with which a script sorts the rows, and the meanings of marks.
    pub sortable: bool,
}

impl Style {
    /// Two numbers beside each other, with their difference.
    pub const PAIRS: Self = Self {
        class: "pairs",
        ranked: false,
        legend: false,
        sortable: false,
    };
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The text above the column. `None` if there is none.
    pub head: Option<String>,
    /// The head as LaTeX prints it, where it is not the text itself.
    pub latex: Option<&'static str>,
    /// The side that the cells are set to. A terminal sets every column but the first to the right.
    pub align: Align,
}

/// The side that the cells of a column are set to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// One row.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Row {
    /// In the order of the columns.
    pub cells: Vec<Cell>,
    /// Whether the row is set apart from the others, as the control of a study is.
    pub apart: bool,
}

/// One cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// The text, as it is read; each format makes it inert.
    pub text: String,
    /// What follows the text in small letters, such as an interval.
    pub small: String,
    /// The rank of the number in its column.
    pub rank: Rank,
    /// The marks after the text.
    pub marks: Vec<Mark>,
    /// The unrounded number, where the cell has one.
    pub value: Option<f64>,
}

/// The place of a number in its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rank {
    /// No number of the column is better.
    Best,
    /// Only the best number is better.
    Second,
    /// The number is neither of both, or does not compete.
    Other,
}

impl Column {
    /// A column of words.
    pub fn words(head: impl Into<String>) -> Self {
        Self {
            head: Some(head.into()),
            latex: None,
            align: Align::Left,
        }
    }

    /// A column of numbers.
    pub fn numbers(head: impl Into<String>) -> Self {
        Self {
            align: Align::Right,
            ..Self::words(head)
        }
    }

    /// A column of words below nothing.
    pub fn unnamed() -> Self {
        Self {
            head: None,
            latex: None,
            align: Align::Left,
        }
    }

    /// The first column of words, the others of numbers.
    pub fn named<T: Into<String>>(heads: impl IntoIterator<Item = T>) -> Vec<Self> {
        let column = |(at, head)| {
            if at == 0 {
                Self::words(head)
            } else {
                Self::numbers(head)
            }
        };
        heads.into_iter().enumerate().map(column).collect()
    }

    /// The text above the column. Empty if there is none.
    pub fn title(&self) -> &str {
        self.head.as_deref().unwrap_or_default()
    }
}

impl Cell {
    /// A text that competes with no other.
    pub fn plain(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            small: String::new(),
            rank: Rank::Other,
            marks: Vec::new(),
            value: None,
        }
    }

    /// The marks in one piece.
    pub fn signs(&self) -> String {
        self.marks.iter().map(|mark| mark.sign).collect()
    }
}

impl Row {
    /// A row of plain texts.
    pub fn plain<T: Into<String>>(texts: impl IntoIterator<Item = T>) -> Self {
        Self {
            cells: texts.into_iter().map(Cell::plain).collect(),
            apart: false,
        }
    }
}

impl Grid {
    /// Whether a number of the grid is the best of its column.
    pub fn has_best(&self) -> bool {
        let mut cells = self.rows.iter().flat_map(|row| &row.cells);
        cells.any(|cell| cell.rank == Rank::Best)
    }
}
