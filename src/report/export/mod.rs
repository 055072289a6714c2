//! One small file per table format, behind one trait.

mod csv;
mod grid;
mod html;
mod json;
mod latex;
mod lm_eval;
mod long;
mod markdown;
mod parquet;
mod terminal;

pub use csv::Csv;
pub use grid::{Grid, records_csv};
pub(crate) use grid::{aligned, grid};
pub use html::Html;
pub(super) use html::element as html_table;
pub(crate) use html::escape as escape_html;
pub use json::Json;
pub use latex::Latex;
pub(crate) use latex::{escape as escape_latex, label as latex_label, started as started_latex};
pub use lm_eval::{LmEval, sanitized};
pub use markdown::Markdown;
pub(crate) use markdown::escape as escape_markdown;
pub use parquet::Parquet;
pub use terminal::Terminal;
pub(crate) use terminal::plain;

use super::{ReportError, Table};

/// A format that tables can be written in.
pub trait Export {
    /// The name a user writes, which is also the file's extension.
    fn extension(&self) -> &'static str;

    /// All tables as one file, in order.
    fn export(&self, tables: &[Table]) -> Result<Vec<u8>, ReportError>;
}

/// The formats that go into a report folder.
pub fn files() -> [Box<dyn Export>; 6] {
    [
        Box::new(Markdown),
        Box::new(Latex),
        Box::new(Html),
        Box::new(Csv),
        Box::new(Parquet),
        Box::new(Json),
    ]
}
