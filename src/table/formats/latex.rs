//! LaTeX with booktabs: the best number bold, the second underlined.

use crate::table::marks::MARKS;
use crate::table::{Align, Cell, Column, Document, Format, FormatError, Grid, Rank, Row, Window};

/// `table` environments; they need `\usepackage{booktabs}` and nothing else.
pub static LATEX: Format = Format {
    name: "latex",
    title: "LaTeX",
    extension: "tex",
    about: "Tables for a paper, with booktabs",
    binary: false,
    write,
};

fn write(document: &Document<'_>, _: Window) -> Result<Vec<u8>, FormatError> {
    let mut text = String::new();
    for grid in &document.grids {
        if grid.style.ranked && text.is_empty() {
            text += "% needs \\usepackage{booktabs}\n";
        }
        if !grid.style.ranked && !text.is_empty() {
            text.push('\n');
        }
        text += &environment(grid);
    }
    Ok(text.into_bytes())
}

fn environment(grid: &Grid) -> String {
    let how = if grid.style.ranked {
        ". Best in bold, second underlined."
    } else {
        ""
    };
    let mut text = format!(
        "\\begin{{table}}[t]\n  \\centering\n  \\caption{{{}{how}}}\n  \\label{{tab:{}}}\n",
        escape(&grid.caption),
        label(&grid.label)
    );
    let sides = grid.columns.iter().map(|column| match column.align {
        Align::Left => 'l',
        Align::Right => 'r',
    });
    let sides: String = sides.collect();
    text += &format!("  \\begin{{tabular}}{{{sides}}}\n    \\toprule\n");
    text += &line(grid.columns.iter().map(head));
    text += "    \\midrule\n";
    for Row { cells, apart } in &grid.rows {
        let cells = cells.iter().enumerate();
        text += &line(cells.map(|(at, cell)| printed(cell, at == 0, *apart)));
    }
    text += "    \\bottomrule\n  \\end{tabular}\n";
    let notes = grid.notes.iter().map(|note| escape(note));
    text.extend(notes.map(|note| format!("  \\par\\smallskip\\footnotesize {note}\n")));
    text + "\\end{table}\n"
}

fn line(cells: impl Iterator<Item = String>) -> String {
    let cells = cells.collect::<Vec<String>>().join(" & ");
    format!("    {} \\\\\n", started(cells))
}

fn head(column: &Column) -> String {
    match column.latex {
        Some(latex) => latex.to_owned(),
        None => escape(column.title()),
    }
}

fn printed(cell: &Cell, first: bool, apart: bool) -> String {
    let text = escape(&cell.text);
    let mut text = match cell.rank {
        Rank::Best => format!("\\textbf{{{text}}}"),
        Rank::Second => format!("\\underline{{{text}}}"),
        Rank::Other if first && apart => format!("\\emph{{{}}}", started(text)),
        Rank::Other => text,
    };
    text.extend(cell.marks.iter().map(|mark| mark.latex));
    if !cell.small.is_empty() {
        text += &format!(" {{\\scriptsize {}}}", escape(&cell.small));
    }
    text
}

/// Text in which no character means anything to TeX.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '_' | '%' | '&' | '#' | '$' | '{' | '}' => escaped.extend(['\\', character]),
            '\\' => escaped.push_str("\\textbackslash{}"),
            '~' => escaped.push_str("\\textasciitilde{}"),
            '^' => escaped.push_str("\\textasciicircum{}"),
            '<' => escaped.push_str("\\textless{}"),
            '>' => escaped.push_str("\\textgreater{}"),
            '|' => escaped.push_str("\\textbar{}"),
            '\n' | '\r' => escaped.push(' '),
            '±' => escaped.push_str("$\\pm$"),
            '−' => escaped.push_str("$-$"),
            '–' => escaped.push_str("--"),
            'Δ' => escaped.push_str("$\\Delta$"),
            other => match MARKS.iter().find(|mark| mark.sign.contains(other)) {
                Some(mark) => escaped.push_str(mark.latex),
                None => escaped.push(other),
            },
        }
    }
    escaped
}

/// A row that the command before it does not take for its own option: `\\` reads a `[` or a `*` that follows
/// it, and `\toprule` and `\midrule` read a `[`.
fn started(row: String) -> String {
    if row.trim_start().starts_with(['[', '*']) {
        format!("{{}}{row}")
    } else {
        row
    }
}

/// A label that is safe in `\ref`: letters, digits and hyphens.
fn label(text: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    text.chars().map(safe).collect()
}
