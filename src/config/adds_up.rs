//! Checks whether the overall number of a published row follows from its columns, using the printed digits.

use super::published_file::{OverallOf, PublishedFile, PublishedRow};
use crate::text::decimal::{Decimal, quotient, text};

/// An overall number that does not follow from any rounding of its columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// The overall number, as printed.
    pub printed: String,
    /// The number that the columns give, with as many digits.
    pub recomputed: String,
    /// How they give it, such as "the mean of its columns".
    pub how: &'static str,
}

impl OverallOf {
    /// The computation in words.
    pub fn describe(&self) -> &'static str {
        match self {
            Self::Mean | Self::MeanOf(_) => "the mean of its columns",
            Self::Sum => "the sum of its columns",
            Self::Weights(_) => "the weighted mean of its columns",
        }
    }
}

/// The weight of a column as a whole number, and its printed value.
type Term = (i128, f64);

impl PublishedFile {
    /// Number of printed digits after the point in a row.
    pub fn decimals(&self, row: &PublishedRow) -> u32 {
        let values = row.groups.values().chain([&row.overall]);
        let most = values
            .filter_map(|value| Some(Decimal::from_f64(*value)?.decimals()))
            .max();
        let stated = row.decimals.or(self.decimals);
        stated.or(most).unwrap_or_default()
    }

    /// A number of a row as it was printed, including zeros at the end.
    pub fn text(&self, row: &PublishedRow, value: f64) -> String {
        let decimals = self.decimals(row);
        let units = Decimal::from_f64(value).and_then(|value| value.units(decimals));
        units.map_or_else(|| value.to_string(), |units| text(units, decimals))
    }

    /// Checks a row. `None` if the row adds up, or if this cannot be decided, since columns are missing or
    /// the overall number is not a function of them. Every rounded number may be off by half a unit of its
    /// last digit. Counts are not rounded.
    pub fn mismatch(&self, row: &PublishedRow) -> Option<Mismatch> {
        let rule = self.overall_of.as_ref()?;
        let decimals = self.decimals(row);
        let units = |value: f64| Decimal::from_f64(value)?.units(decimals);
        let (terms, whole) = self.overall_terms(rule, row)?;
        let mut total = 0;
        for (weight, value) in &terms {
            total += weight * units(*value)?;
        }
        let printed = units(row.overall)?;
        // Both sides are doubled, so that halves are whole numbers.
        let slack = match rule {
            OverallOf::Sum => 0,
            _ => whole + terms.iter().map(|(weight, _)| weight).sum::<i128>(),
        };
        let off = 2 * (total - whole * printed).abs();
        (off > slack).then(|| Mismatch {
            printed: text(printed, decimals),
            recomputed: quotient(total, whole, decimals),
            how: rule.describe(),
        })
    }

    /// The terms of the overall number, and the divisor of their sum.
    fn overall_terms(&self, rule: &OverallOf, row: &PublishedRow) -> Option<(Vec<Term>, i128)> {
        let equal = |columns: &[String]| -> Option<Vec<Term>> {
            let values = columns.iter().map(|column| row.groups.get(column));
            values.map(|value| Some((1, *value?))).collect()
        };
        let mean = |columns: &[String]| match columns.len() {
            0 => None,
            n => Some((equal(columns)?, n as i128)),
        };
        match rule {
            OverallOf::Mean => mean(&self.keys()),
            OverallOf::MeanOf(columns) => mean(columns),
            OverallOf::Sum => {
                Some((equal(&self.keys())?, 1)).filter(|(terms, _)| !terms.is_empty())
            }
            OverallOf::Weights(weights) => {
                let digits = weights
                    .values()
                    .map(|w| Some(Decimal::from_f64(*w)?.decimals()));
                let digits = digits.collect::<Option<Vec<u32>>>()?.into_iter().max()?;
                let term = |(key, weight): (&String, &f64)| -> Option<Term> {
                    Some((
                        Decimal::from_f64(*weight)?.units(digits)?,
                        *row.groups.get(key)?,
                    ))
                };
                let terms = weights.iter().map(term).collect::<Option<_>>()?;
                Some((terms, 10_i128.checked_pow(digits)?))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file with one row.
    fn file(overall_of: &str, overall: &str, groups: &str) -> PublishedFile {
        let text = format!(
            "suite = \"s\"\nfull_mark = 1000\ndecimals = 2\noverall_of = {overall_of}\n\n[[rows]]\n\
             model = \"m\"\nsource = \"p\"\noverall = {overall}\ngroups = {{ {groups} }}\n"
        );
        toml::from_str(&text).unwrap()
    }

    fn found(overall_of: &str, overall: &str, groups: &str) -> Option<String> {
        let file = file(overall_of, overall, groups);
        file.mismatch(&file.rows[0]).map(|found| found.recomputed)
    }

    /// 0.50 and 0.51 stand for 0.495 to 0.505 and 0.505 to 0.515, so that their mean lies between 0.500 and
    /// 0.510 and is printed as 0.50 or 0.51.
    #[test]
    fn rounding_of_columns_and_of_the_overall_number_is_allowed_and_no_more() {
        let groups = "a = 0.50, b = 0.51";
        assert_eq!(found("\"mean\"", "0.50", groups), None);
        assert_eq!(found("\"mean\"", "0.51", groups), None);
        assert_eq!(found("\"mean\"", "0.52", groups).as_deref(), Some("0.51"));
        assert_eq!(found("\"mean\"", "0.49", groups).as_deref(), Some("0.51"));
        // The mean 0.51 of 0.50 and 0.52 lies between 0.505 and 0.515, and these ends are printed as 0.50 and
        // 0.52 where halves are rounded so.
        let groups = "a = 0.50, b = 0.52";
        assert_eq!(found("\"mean\"", "0.50", groups), None);
        assert_eq!(found("\"mean\"", "0.52", groups), None);
        assert_eq!(found("\"mean\"", "0.53", groups).as_deref(), Some("0.51"));
    }

    #[test]
    fn weights_count_by_what_they_weigh() {
        let weights = "{ weights = { a = 0.75, b = 0.25 } }";
        // 0.75 · 0.40 + 0.25 · 0.80 = 0.50
        assert_eq!(found(weights, "0.50", "a = 0.40, b = 0.80"), None);
        assert_eq!(
            found(weights, "0.60", "a = 0.40, b = 0.80").as_deref(),
            Some("0.50")
        );
    }

    #[test]
    fn counts_are_exact() {
        assert_eq!(found("\"sum\"", "12", "a = 5, b = 7"), None);
        assert_eq!(
            found("\"sum\"", "13", "a = 5, b = 7").as_deref(),
            Some("12.00")
        );
    }

    #[test]
    fn nobody_can_tell_without_all_columns() {
        assert_eq!(
            found("{ weights = { a = 0.5, b = 0.5 } }", "0.9", "a = 0.1"),
            None
        );
        let text = "suite = \"s\"\n\n[[rows]]\nmodel = \"m\"\nsource = \"p\"\noverall = 0.9\ngroups = { a = 0.1 }\n";
        let file: PublishedFile = toml::from_str(text).unwrap();
        assert_eq!(file.mismatch(&file.rows[0]), None);
    }
}
