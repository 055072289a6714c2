//! Markdown: pipe tables with the best number bold and the second underlined.

use crate::table::{Align, Cell, Column, Document, Format, FormatError, Grid, Rank, Row, Window};

/// Pipe tables as GitHub reads them.
pub static MARKDOWN: Format = Format {
    name: "markdown",
    title: "Markdown",
    extension: "md",
    about: "Pipe tables, for README files and comments",
    binary: false,
    write,
};

fn write(document: &Document<'_>, _: Window) -> Result<Vec<u8>, FormatError> {
    let grids = document.grids.iter().map(table);
    Ok(grids.collect::<Vec<String>>().join("\n").into_bytes())
}

/// The grid with its caption and its notes.
pub fn table(grid: &Grid) -> String {
    let mut text = format!("**{}**\n\n{}", escape(&grid.caption), body(grid));
    if !grid.notes.is_empty() {
        text.push('\n');
    }
    let notes = grid.notes.iter();
    text.extend(notes.map(|note| format!("{}  \n", escape(note))));
    text
}

/// The rows below their heads.
pub fn body(grid: &Grid) -> String {
    let mut text = "|".to_owned();
    text.extend(grid.columns.iter().map(head));
    text += "\n|";
    text.extend(grid.columns.iter().map(|column| match column.align {
        Align::Left => ":---|",
        Align::Right => "---:|",
    }));
    text.push('\n');
    text.extend(grid.rows.iter().map(line));
    text
}

fn head(column: &Column) -> String {
    match &column.head {
        Some(head) => format!(" {} |", escape(head)),
        None => " |".to_owned(),
    }
}

fn line(row: &Row) -> String {
    let mut text = "|".to_owned();
    for (at, cell) in row.cells.iter().enumerate() {
        text += &format!(" {} |", printed(cell, row.apart && at == 0));
    }
    text.push('\n');
    text
}

fn printed(cell: &Cell, apart: bool) -> String {
    let text = escape(&cell.text);
    let mut text = match cell.rank {
        Rank::Best => format!("**{text}**"),
        Rank::Second => format!("<u>{text}</u>"),
        Rank::Other if apart => format!("*{text}*"),
        Rank::Other => text,
    };
    text += &cell.signs();
    if !cell.small.is_empty() {
        text += &format!(" {}", cell.small);
    }
    text
}

/// Makes text inert: characters that Markdown or HTML would read as markup are escaped, line breaks become
/// spaces.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '|' | '*' | '_' | '`' | '[' | ']' | '\\' | '~' => escaped.extend(['\\', character]),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '\n' | '\r' => escaped.push(' '),
            other => escaped.push(other),
        }
    }
    escaped
}
