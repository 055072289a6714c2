//! The terminal: as wide as the window, bold and underlined where it can show that.

use crate::table::{Align, Cell, Document, Format, FormatError, Grid, Rank, Row, Window};
use comfy_table::{Attribute, CellAlignment, ContentArrangement, LineStyle, Table, presets};

/// Tables for eyes.
pub static TERMINAL: Format = Format {
    name: "terminal",
    title: "text",
    extension: "txt",
    about: "Lines of characters, as wide as the window",
    binary: false,
    write,
};

fn write(document: &Document<'_>, window: Window) -> Result<Vec<u8>, FormatError> {
    let grids = document.grids.iter().map(|grid| table(grid, window));
    Ok(grids.collect::<Vec<String>>().join("\n").into_bytes())
}

/// The grid with its caption and its notes.
pub fn table(grid: &Grid, window: Window) -> String {
    let mut text = format!("{}\n{}\n", plain(&grid.caption), body(grid, window));
    if grid.style.legend && grid.has_best() && !window.styled {
        text += "* best, ' second\n";
    }
    for note in &grid.notes {
        text += &format!("{}\n", plain(note));
    }
    text
}

/// The rows in aligned columns, below the heads if there are any. There are no rules, no caption and no
/// notes, and nothing is fitted into a window, so that other programs can read the lines.
pub fn list(grid: &Grid) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).force_no_tty();
    if grid.columns.iter().any(|column| !column.title().is_empty()) {
        let heads = grid.columns.iter().map(|column| plain(column.title()));
        table.set_header(heads.map(comfy_table::Cell::new));
    }
    for row in &grid.rows {
        table.add_row(row.cells.iter().map(|cell| printed(cell, false)));
    }
    for (at, (drawn, column)) in table.column_iter_mut().zip(&grid.columns).enumerate() {
        drawn.set_padding((u16::from(at > 0), 1));
        drawn.set_cell_alignment(match column.align {
            Align::Left => CellAlignment::Left,
            Align::Right => CellAlignment::Right,
        });
    }
    table.trim_fmt()
}

/// The rows below their heads.
fn body(grid: &Grid, window: Window) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::UTF8_HORIZONTAL_ONLY.row_separator(LineStyle::none()))
        .set_content_arrangement(ContentArrangement::Dynamic);
    if let Some(width) = window.width {
        table.set_width(width);
    }
    if window.styled {
        table.enforce_styling();
    } else {
        table.force_no_tty();
    }
    let heads = grid.columns.iter().map(|column| plain(column.title()));
    table.set_header(aligned(heads.map(comfy_table::Cell::new)));
    for row in &grid.rows {
        table.add_row(line(row, window.styled));
    }
    table.trim_fmt()
}

fn line(row: &Row, styled: bool) -> Vec<comfy_table::Cell> {
    aligned(row.cells.iter().map(|cell| printed(cell, styled)))
}

/// The first cell to the left, the others to the right.
fn aligned(cells: impl Iterator<Item = comfy_table::Cell>) -> Vec<comfy_table::Cell> {
    let aligned = |(at, cell): (usize, comfy_table::Cell)| {
        cell.set_alignment(if at == 0 {
            CellAlignment::Left
        } else {
            CellAlignment::Right
        })
    };
    cells.enumerate().map(aligned).collect()
}

fn printed(cell: &Cell, styled: bool) -> comfy_table::Cell {
    let sign = match (styled, cell.rank) {
        (false, Rank::Best) => "*",
        (false, Rank::Second) => "'",
        _ => "",
    };
    let mut text = format!("{}{}{sign}", cell.text, cell.signs());
    if !cell.small.is_empty() {
        text += &format!(" {}", cell.small);
    }
    let printed = comfy_table::Cell::new(plain(&text));
    match (styled, cell.rank) {
        (true, Rank::Best) => printed.add_attribute(Attribute::Bold),
        (true, Rank::Second) => printed.add_attribute(Attribute::Underlined),
        _ => printed,
    }
}

/// Text without control characters, so that the name of a model cannot steer the terminal.
pub fn plain(text: &str) -> String {
    let inert = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().map(inert).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Column;

    #[test]
    fn a_list_sets_each_column_to_its_side_and_draws_no_rules() {
        let grid = Grid {
            columns: vec![Column::numbers("step"), Column::unnamed()],
            rows: vec![Row::plain(["7", "differs"]), Row::plain(["10", ""])],
            ..Grid::default()
        };
        assert_eq!(list(&grid), "step\n   7  differs\n  10");
        assert_eq!(list(&Grid::default()), "");
    }
}
