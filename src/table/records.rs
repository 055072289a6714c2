//! A table for programs: named columns of one type each, unrounded. A value may be missing in every column.

use std::borrow::Cow;

/// Columns of equal length.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Records<'a> {
    /// How many values every column has.
    pub height: usize,
    /// From left to right.
    pub columns: Vec<Values<'a>>,
}

/// One column.
#[derive(Debug, Clone, PartialEq)]
pub struct Values<'a> {
    /// The text above the column.
    pub name: String,
    /// From top to bottom.
    pub cells: Cells<'a>,
}

/// The values of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Cells<'a> {
    /// Words. An empty text is not the same as a missing one.
    Text(Vec<Option<Cow<'a, str>>>),
    /// Numbers.
    Number(Vec<Option<f64>>),
    /// Counts.
    Count(Vec<Option<u64>>),
    /// Counts that are small in every table.
    Small(Vec<Option<u32>>),
    /// Yes or no.
    Truth(Vec<Option<bool>>),
}

/// Makes records of rows, a column at a time.
#[derive(Debug)]
pub struct Builder<'r, 'a, T> {
    rows: &'r [T],
    columns: Vec<Values<'a>>,
}

impl<'a> Records<'a> {
    /// Records with one line for each of the rows, and no column yet.
    pub fn rows<T>(rows: &[T]) -> Builder<'_, 'a, T> {
        Builder {
            rows,
            columns: Vec::new(),
        }
    }
}

impl<'r, 'a, T> Builder<'r, 'a, T> {
    /// Adds a column of words.
    #[must_use]
    pub fn text<S: Into<Cow<'a, str>>>(
        self,
        name: impl Into<String>,
        get: impl Fn(&'r T) -> Option<S>,
    ) -> Self {
        self.column(name, Cells::Text, |row| get(row).map(Into::into))
    }

    /// Adds a column of words that leaves out those that are empty.
    #[must_use]
    pub fn filled<S: Into<Cow<'a, str>>>(
        self,
        name: impl Into<String>,
        get: impl Fn(&'r T) -> S,
    ) -> Self {
        self.text(name, |row| {
            Some(get(row).into()).filter(|text| !text.is_empty())
        })
    }

    /// Adds a column of numbers.
    #[must_use]
    pub fn number(self, name: impl Into<String>, get: impl Fn(&'r T) -> Option<f64>) -> Self {
        self.column(name, Cells::Number, get)
    }

    /// Adds a column of numbers that leaves out those that are infinite or none.
    #[must_use]
    pub fn finite(self, name: impl Into<String>, get: impl Fn(&'r T) -> Option<f64>) -> Self {
        self.number(name, |row| get(row).filter(|number| number.is_finite()))
    }

    /// Adds a column of counts.
    #[must_use]
    pub fn count(self, name: impl Into<String>, get: impl Fn(&'r T) -> Option<usize>) -> Self {
        self.column(name, Cells::Count, |row| get(row).map(|count| count as u64))
    }

    /// Adds a column of small counts.
    #[must_use]
    pub fn small(self, name: impl Into<String>, get: impl Fn(&'r T) -> Option<u32>) -> Self {
        self.column(name, Cells::Small, get)
    }

    /// Adds a column of yes and no.
    #[must_use]
    pub fn truth(self, name: impl Into<String>, get: impl Fn(&'r T) -> Option<bool>) -> Self {
        self.column(name, Cells::Truth, get)
    }

    /// The records with the columns so far.
    pub fn build(self) -> Records<'a> {
        Records {
            height: self.rows.len(),
            columns: self.columns,
        }
    }

    fn column<V>(
        mut self,
        name: impl Into<String>,
        kind: fn(Vec<Option<V>>) -> Cells<'a>,
        get: impl Fn(&'r T) -> Option<V>,
    ) -> Self {
        self.columns.push(Values {
            name: name.into(),
            cells: kind(self.rows.iter().map(get).collect()),
        });
        self
    }
}
