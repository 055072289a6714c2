//! One file for each format, and the list of all formats. A new format needs its file and its lines here.

pub mod csv;
pub mod html;
pub mod json;
pub mod latex;
pub mod markdown;
pub mod parquet;
pub mod terminal;

pub use csv::CSV;
pub use html::HTML;
pub use json::JSON;
pub use latex::LATEX;
pub use markdown::MARKDOWN;
pub use parquet::PARQUET;
pub use terminal::TERMINAL;

use super::Format;
use std::path::Path;

/// All formats, in the order in which help names them.
pub static FORMATS: &[&Format] = &[&TERMINAL, &MARKDOWN, &LATEX, &HTML, &CSV, &PARQUET, &JSON];

/// The format with this name on the command line.
pub fn named(name: &str) -> Option<&'static Format> {
    let mut formats = FORMATS.iter().copied();
    formats.find(|format| format.name == name)
}

/// The format that the extension of a file's name says.
pub fn of_file(path: &Path) -> Option<&'static Format> {
    let extension = path.extension()?.to_str()?;
    let mut formats = FORMATS.iter().copied();
    formats.find(|format| format.extension == extension)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_format_has_its_own_name_and_extension() {
        let distinct = |of: fn(&Format) -> &str| -> usize {
            let names: BTreeSet<&str> = FORMATS.iter().copied().map(of).collect();
            names.len()
        };
        assert_eq!(distinct(|format| format.name), FORMATS.len());
        assert_eq!(distinct(|format| format.extension), FORMATS.len());
        assert_eq!(of_file(Path::new("a/b.tex")), Some(&LATEX));
        assert_eq!(of_file(Path::new("tex")), None);
    }
}
