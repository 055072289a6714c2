//! How the numbers of a comparison are printed.

use super::Difference;
use crate::text::decimal::signed;

/// Percent where all scores lie within 0 and 1, else three decimals.
#[derive(Debug, Clone, Copy)]
pub struct Numbers {
    percent: bool,
}

impl Numbers {
    /// For the scores of these differences.
    pub fn from_differences<'a>(differences: impl IntoIterator<Item = &'a Difference>) -> Self {
        Self::spanning(differences.into_iter().flat_map(|d| [d.before, d.after]))
    }

    /// For these values.
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

    /// The unit behind a heading.
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

    /// A difference in words: points of percent, or points of the score.
    pub fn points(self, value: f64) -> String {
        if self.percent {
            format!("{:.1} points", value.abs() * 100.0)
        } else {
            format!("{:.3}", value.abs())
        }
    }

    /// The 95 % interval of a difference; `–` where there is none.
    pub fn interval(self, difference: &Difference) -> String {
        match (difference.low, difference.high) {
            (Some(low), Some(high)) => format!("[{}, {}]", self.signed(low), self.signed(high)),
            _ => "–".to_owned(),
        }
    }
}

/// A probability.
pub fn p(value: f64) -> String {
    match value {
        value if value < 0.0001 => "<0.0001".to_owned(),
        value if value < 0.01 => format!("{value:.4}"),
        value => format!("{value:.2}"),
    }
}

/// A number that may be missing.
pub(super) fn maybe(value: Option<f64>, show: impl Fn(f64) -> String) -> String {
    value.map_or("–".to_owned(), show)
}

/// Items won, tied and lost.
pub fn counts(difference: &Difference) -> String {
    let (won, tied, lost) = (difference.won, difference.tied, difference.lost);
    format!("{won} / {tied} / {lost}")
}

/// The names of the two runs: the models' titles, with the runs' where these are the same.
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

/// What the overall number's power is, in a sentence. `None` if nothing differs.
pub(super) fn power(difference: &Difference, numbers: Numbers, power: f64) -> Option<String> {
    let chance = power * 100.0;
    let least = difference.detectable?;
    let mut text = format!(
        "{} items like these show a difference of {} with a chance of {chance:.0} %",
        difference.n,
        numbers.points(least)
    );
    if let Some(needed) = difference.needed.filter(|_| difference.difference != 0.0) {
        text += &format!("; one as large as that seen takes {needed} items");
    }
    Some(text + ".")
}
