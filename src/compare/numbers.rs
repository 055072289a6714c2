//! How the numbers of a comparison are printed.

use super::Difference;
use crate::text::count::counted;
use crate::text::decimal::signed;

/// Prints numbers in percent if all of them are between 0 and 1, and otherwise with three decimals.
#[derive(Debug, Clone, Copy)]
pub struct Numbers {
    percent: bool,
}

impl Numbers {
    /// Fits the scores of these differences.
    pub fn from_differences<'a>(differences: impl IntoIterator<Item = &'a Difference>) -> Self {
        Self::spanning(differences.into_iter().flat_map(|d| [d.before, d.after]))
    }

    /// Fits these values.
    pub fn spanning(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values = values.into_iter();
        Self {
            percent: values.all(|value| (0.0..=1.0).contains(&value)),
        }
    }

    /// Whether numbers are printed as percent.
    pub fn percent(self) -> bool {
        self.percent
    }

    /// A value in the unit that is printed.
    pub fn scaled(self, value: f64) -> f64 {
        if self.percent { value * 100.0 } else { value }
    }

    /// The unit for the end of a heading. It is empty if there is none.
    pub fn unit(self) -> &'static str {
        if self.percent { ", %" } else { "" }
    }

    /// A score.
    pub fn score(self, value: f64) -> String {
        if self.percent {
            format!("{:.1}", value * 100.0)
        } else {
            format!("{value:.3}")
        }
    }

    /// A difference, with its sign.
    pub fn signed(self, value: f64) -> String {
        if self.percent {
            signed(value * 100.0, 1)
        } else {
            signed(value, 3)
        }
    }

    /// The size of a difference: points of percent, or points of the score.
    pub fn points(self, value: f64) -> String {
        if self.percent {
            format!("{:.1} points", value.abs() * 100.0)
        } else {
            format!("{:.3}", value.abs())
        }
    }

    /// The 95 % interval of a difference. `–` if there is none.
    pub fn interval(self, difference: &Difference) -> String {
        match (difference.low, difference.high) {
            (Some(low), Some(high)) => format!("[{}, {}]", self.signed(low), self.signed(high)),
            _ => "–".to_owned(),
        }
    }
}

/// A probability as text.
pub fn p(value: f64) -> String {
    match value {
        value if value < 0.0001 => "<0.0001".to_owned(),
        value if value < 0.01 => format!("{value:.4}"),
        value => format!("{value:.2}"),
    }
}

/// A number as text, or `–` if it is missing.
pub fn or_dash(value: Option<f64>, show: impl Fn(f64) -> String) -> String {
    value.map_or("–".to_owned(), show)
}

/// The numbers of items won, tied and lost.
pub fn counts(difference: &Difference) -> String {
    let (won, tied, lost) = (difference.won, difference.tied, difference.lost);
    format!("{won} / {tied} / {lost}")
}

/// The names of two runs: the titles of the models, with the names of the runs if the titles are the same.
pub(super) fn names(
    before: &crate::record::RunFacts,
    after: &crate::record::RunFacts,
) -> [String; 2] {
    let same = before.model_title == after.model_title;
    [before, after].map(|run| {
        if same {
            format!("{} ({})", run.model_title, run.run)
        } else {
            run.model_title.clone()
        }
    })
}

/// A sentence on the smallest difference that the items show with the wished power. `None` if nothing
/// differs.
pub(super) fn power(difference: &Difference, numbers: Numbers, power: f64) -> Option<String> {
    let chance = power * 100.0;
    let least = difference.detectable?;
    let (items, show) = if difference.n == 1 {
        ("1 item like this".to_owned(), "shows")
    } else {
        (format!("{} items like these", difference.n), "show")
    };
    let mut text = format!(
        "{items} {show} a difference of {} with a chance of {chance:.0} %",
        numbers.points(least)
    );
    if let Some(needed) = difference.needed.filter(|_| difference.difference != 0.0) {
        text += &format!(
            "; one as large as that seen takes {}",
            counted(needed, "item")
        );
    }
    Some(text + ".")
}
