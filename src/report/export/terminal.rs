//! The terminal: as wide as the window, bold and underlined where a terminal can show it.

use super::Export;
use crate::report::table::{Rank, Row};
use crate::report::{ReportError, Table};
use comfy_table::{Attribute, Cell, CellAlignment, ContentArrangement, LineStyle, presets};
use std::io::IsTerminal;

/// A table for eyes.
pub struct Terminal {
    /// Columns of characters; None leaves the table as wide as its content.
    pub width: Option<u16>,
    /// Mark best and second by bold and underline; otherwise by `*` and `'` behind the number.
    pub styled: bool,
}

impl Terminal {
    /// What standard output can show: styles only on a terminal and unless `NO_COLOR` is set, as wide as the window.
    pub fn detect() -> Self {
        let terminal = std::io::stdout().is_terminal();
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            width: terminal
                .then(|| comfy_table::Table::new().width())
                .flatten(),
            styled: terminal && !plain,
        }
    }

    fn line(&self, table: &Table, row: &Row) -> Vec<Cell> {
        let mark = table.mark(row);
        let mut cells = vec![Cell::new(format!("{}{mark}", plain(&row.label)))];
        if table.measured() {
            cells.push(Cell::new(row.items()).set_alignment(CellAlignment::Right));
        }
        for value in &row.cells {
            let number = table.text(value);
            let interval = table
                .interval(value)
                .map_or(String::new(), |interval| format!(" {interval}"));
            let sign = match (self.styled, value.rank) {
                (false, Rank::Best) => "*",
                (false, Rank::Second) => "'",
                _ => "",
            };
            let cell =
                Cell::new(format!("{number}{sign}{interval}")).set_alignment(CellAlignment::Right);
            cells.push(match (self.styled, value.rank) {
                (true, Rank::Best) => cell.add_attribute(Attribute::Bold),
                (true, Rank::Second) => cell.add_attribute(Attribute::Underlined),
                _ => cell,
            });
        }
        cells
    }
}

impl Export for Terminal {
    fn extension(&self) -> &'static str {
        "txt"
    }

    fn export(&self, tables: &[Table]) -> Result<Vec<u8>, ReportError> {
        let mut text = String::new();
        for table in tables {
            if !text.is_empty() {
                text.push('\n');
            }
            let mut grid = comfy_table::Table::new();
            grid.load_style(presets::UTF8_HORIZONTAL_ONLY.row_separator(LineStyle::none()))
                .set_content_arrangement(ContentArrangement::Dynamic);
            match self.width {
                Some(width) => grid.set_width(width),
                None => grid.force_no_tty(),
            };
            if self.styled {
                grid.enforce_styling();
            } else {
                grid.force_no_tty();
            }
            let heads = ["model"].into_iter().chain(table.measured().then_some("n"));
            let heads = heads.map(str::to_owned);
            let heads = heads.chain(table.columns.iter().map(|column| plain(column)));
            grid.set_header(
                heads
                    .enumerate()
                    .map(|(index, head)| {
                        Cell::new(head).set_alignment(if index == 0 {
                            CellAlignment::Left
                        } else {
                            CellAlignment::Right
                        })
                    })
                    .collect::<Vec<_>>(),
            );
            for row in &table.rows {
                grid.add_row(self.line(table, row));
            }
            text.push_str(&format!(
                "{}\n{}\n",
                plain(&table.caption()),
                grid.trim_fmt()
            ));
            let ranked = (table.rows.iter())
                .flat_map(|row| &row.cells)
                .any(|cell| cell.rank == Rank::Best);
            if !self.styled && ranked {
                text.push_str("* best, ' second\n");
            }
            for note in &table.notes {
                text.push_str(&format!("{}\n", plain(note)));
            }
        }
        Ok(text.into_bytes())
    }
}

/// Text without control characters, so that a model's name cannot steer the terminal.
pub fn plain(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}
