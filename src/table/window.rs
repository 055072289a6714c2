//! What standard output can show.

use std::io::IsTerminal;

/// The window that a table for a terminal is fitted into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Window {
    /// The width in characters. `None` leaves the table as wide as its content.
    pub width: Option<u16>,
    /// Whether bold and underlined letters mark the best and the second number; otherwise `*` and `'` after
    /// the number do.
    pub styled: bool,
}

impl Window {
    /// The window of standard output: letters are styled only on a terminal and unless `NO_COLOR` is set.
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

    /// The same window with plain letters.
    #[must_use]
    pub fn unstyled(self) -> Self {
        Self {
            styled: false,
            ..self
        }
    }
}
