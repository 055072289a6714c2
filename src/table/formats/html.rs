//! HTML: `<table>` elements to paste anywhere; the report page sorts them by their `data-value`.

use crate::table::{Align, Cell, Column, Document, Format, FormatError, Grid, Rank, Row, Window};

/// Elements without style: a class on the table, `best` and `second` on cells.
pub static HTML: Format = Format {
    name: "html",
    title: "HTML",
    extension: "html",
    about: "Elements for a page",
    binary: false,
    write,
};

fn write(document: &Document<'_>, _: Window) -> Result<Vec<u8>, FormatError> {
    let mut text = String::new();
    for grid in &document.grids {
        if !grid.style.ranked && !text.is_empty() {
            text.push('\n');
        }
        text += &element(grid);
    }
    Ok(text.into_bytes())
}

/// One grid as an element.
pub fn element(grid: &Grid) -> String {
    let suite = if grid.style.sortable {
        format!(" data-suite=\"{}\"", escape(&grid.label))
    } else {
        String::new()
    };
    let mut text = format!(
        "<table class=\"{}\"{suite}>\n<caption>{}</caption>\n<thead><tr>",
        grid.style.class,
        escape(&grid.caption)
    );
    text.extend(grid.columns.iter().map(|column| head(grid, column)));
    text += "</tr></thead>\n<tbody>\n";
    text.extend(grid.rows.iter().map(|row| line(grid, row)));
    text += "</tbody>\n";
    if !grid.notes.is_empty() {
        let notes: Vec<String> = grid.notes.iter().map(|note| escape(note)).collect();
        let (width, notes) = (grid.columns.len(), notes.join("<br>"));
        text += &format!("<tfoot><tr><td colspan=\"{width}\">{notes}</td></tr></tfoot>\n");
    }
    text + "</table>\n"
}

fn head(grid: &Grid, column: &Column) -> String {
    let head = escape(column.title());
    let key = if grid.style.sortable {
        format!(" data-key=\"{head}\"")
    } else {
        String::new()
    };
    let class = if grid.style.ranked && column.align == Align::Right {
        " class=\"number\""
    } else {
        ""
    };
    format!("<th scope=\"col\"{key}{class}>{head}</th>")
}

fn line(grid: &Grid, row: &Row) -> String {
    let class = if row.apart { " class=\"control\"" } else { "" };
    let cells = row.cells.iter().zip(&grid.columns).enumerate();
    let cells = cells.map(|(at, (cell, column))| {
        if at == 0 {
            name(cell, grid.style.sortable)
        } else {
            number(cell, column.align, grid.style.sortable)
        }
    });
    format!("<tr{class}>{}</tr>\n", cells.collect::<String>())
}

fn name(cell: &Cell, sortable: bool) -> String {
    let text = escape(&cell.text);
    let mut element = "<th scope=\"row\"".to_owned();
    if sortable {
        element += &format!(" data-value=\"{text}\"");
    }
    element += &format!(">{text}");
    for mark in &cell.marks {
        element += &if sortable {
            format!("<abbr title=\"{}\">{mark}</abbr>", mark.meaning)
        } else {
            mark.to_string()
        };
    }
    element + "</th>"
}

fn number(cell: &Cell, align: Align, sortable: bool) -> String {
    let mut classes = Vec::new();
    classes.extend((align == Align::Right).then_some("number"));
    classes.extend(match cell.rank {
        Rank::Best if sortable => Some("best"),
        Rank::Second if sortable => Some("second"),
        _ => None,
    });
    let mut element = "<td".to_owned();
    if !classes.is_empty() {
        element += &format!(" class=\"{}\"", classes.join(" "));
    }
    if sortable {
        let value = cell.value.map_or(String::new(), |value| value.to_string());
        element += &format!(" data-value=\"{value}\"");
    }
    let text = escape(&cell.text);
    element += &match cell.rank {
        Rank::Best => format!("><b>{text}</b>"),
        Rank::Second => format!("><u>{text}</u>"),
        Rank::Other => format!(">{text}"),
    };
    if !cell.small.is_empty() {
        element += &format!(" <small>{}</small>", escape(&cell.small));
    }
    element + "</td>"
}

/// Text that is inert in HTML content and in double-quoted attributes.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}
