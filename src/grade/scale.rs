//! Scores of a judge that are outside the scale that it was asked to use.

use regex::Regex;
use std::sync::LazyLock;

/// The least and the greatest score of a scale.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    /// The least score.
    pub least: f64,
    /// The greatest score.
    pub most: f64,
    /// Whether the scores are whole numbers.
    pub whole: bool,
}

impl Scale {
    /// The note on scores outside the scale.
    pub(super) fn note_outside(&self, scores: impl IntoIterator<Item = f64>) -> Option<String> {
        let within = |score: f64| (self.least..=self.most).contains(&score);
        let any = scores.into_iter().any(|score| !within(score));
        any.then(|| format!("a score of the judge lies beyond its scale of {self}"))
    }

    /// The note on a score that is written at the start of a text. There is also one for a score with a
    /// fraction where whole numbers are asked for, and for a score that is not out of the scale's greatest
    /// (`4/10`). A text without a number has no note.
    pub(super) fn oddity(&self, written: &str) -> Option<String> {
        static NUMBER: LazyLock<Option<Regex>> = LazyLock::new(|| {
            Regex::new(r"^[\s\x1C-\x1F*_]*([-\u{2212}+]?\d+(?:\.\d+)?)(?:\s*(?:/|out of)\s*(\d+))?")
                .ok()
        });
        let found = NUMBER.as_ref()?.captures(written)?;
        let score: f64 = found[1].replace('\u{2212}', "-").parse().ok()?;
        let of: Option<f64> = found.get(2).and_then(|of| of.as_str().parse().ok());
        if of.is_some_and(|of| of != self.most) {
            return Some(format!("a score of the judge is not out of {}", self.most));
        }
        let whole = || {
            (self.whole && score.fract() != 0.0)
                .then(|| "a score of the judge is not a whole number".to_owned())
        };
        self.note_outside([score]).or_else(whole)
    }
}

impl std::fmt::Display for Scale {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} to {}", self.least, self.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_scores_off_the_scale_are_odd() {
        let scale = Scale {
            least: 1.0,
            most: 5.0,
            whole: true,
        };
        for good in ["1", " 5", "**4**", "3 (fine)", "4/5", "4.0", "none", ""] {
            assert_eq!(scale.oddity(good), None, "{good}");
        }
        let beyond = Some("a score of the judge lies beyond its scale of 1 to 5".to_owned());
        for bad in ["0", "6", "-3", "85%", "5.5", "92"] {
            assert_eq!(scale.oddity(bad), beyond, "{bad}");
        }
        let fraction = scale.oddity("4.5").unwrap();
        assert_eq!(fraction, "a score of the judge is not a whole number");
        for other in ["4/10", "8 out of 10"] {
            let other = scale.oddity(other).unwrap();
            assert_eq!(other, "a score of the judge is not out of 5");
        }
        assert_eq!(scale.note_outside([1.0, 5.0]), None);
        assert_eq!(scale.note_outside([3.0, -1.0]), beyond);
    }
}
