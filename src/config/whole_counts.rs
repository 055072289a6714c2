//! Checks whether a printed number can come from the stated number of right-or-wrong answers: the GRIM check
//! (Brown and Heathers, 2017, "The GRIM Test"), using the printed digits.

use super::published_file::{OVERALL, PublishedFile, PublishedRow, values};
use crate::text::decimal::{Decimal, quotient, text};

/// A printed number that does not follow from any whole number of right answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Impossible {
    /// The column; `overall` for the overall number.
    pub column: String,
    /// As printed.
    pub printed: String,
    /// Number of answers.
    pub out_of: u64,
    /// The largest number of right answers that gives less, and the value that it gives.
    pub below: (u64, String),
    /// The smallest number of right answers that gives more, and the value that it gives. `None` if even all
    /// right answers give less.
    pub above: Option<(u64, String)>,
}

impl Impossible {
    /// In words: "x 0.505 is not a fraction of 100 (50 right ones are 0.500, 51 are 0.510)".
    pub fn describe(&self) -> String {
        let (right, gives) = &self.below;
        let above = self.above.as_ref();
        let above = above.map(|(right, gives)| format!(", {right} are {gives}"));
        format!(
            "{} {} is not a fraction of {} ({right} right ones are {gives}{})",
            self.column,
            self.printed,
            self.out_of,
            above.unwrap_or_default()
        )
    }
}

impl PublishedFile {
    /// The numbers of a row that do not follow from any whole number of right answers, if the number of
    /// answers is stated. A printed number may be off by at most half a unit of its last digit.
    pub fn impossible(&self, row: &PublishedRow) -> Vec<Impossible> {
        let check = |(column, value): (Option<&str>, f64)| {
            let name = column.unwrap_or(OVERALL);
            let out_of = *row.out_of.get(name).or_else(|| self.out_of.get(name))?;
            self.check_value(row, column, value, out_of)
        };
        values(row).filter_map(check).collect()
    }

    /// Checks a printed value. `None` if some number of right answers gives it.
    fn check_value(
        &self,
        row: &PublishedRow,
        column: Option<&str>,
        value: f64,
        out_of: u64,
    ) -> Option<Impossible> {
        let decimals = self.decimals(row);
        let printed = Decimal::from_f64(value)?.units(decimals)?;
        let mark = Decimal::from_f64(self.full_mark_of(column))?.units(decimals)?;
        let n = i128::from(out_of);
        // `right` answers are right · mark / n units; all sides are doubled, so that halves are whole
        // numbers.
        let least = (2 * printed - 1).max(0).checked_mul(n)?;
        let most = (2 * printed + 1).checked_mul(n)?;
        let right = (least + 2 * mark - 1) / (2 * mark);
        if 2 * mark * right <= most && right <= n {
            return None;
        }
        let gives = |right: i128| {
            Some((
                u64::try_from(right).ok()?,
                quotient(right * mark, n, decimals),
            ))
        };
        Some(Impossible {
            column: column.unwrap_or(OVERALL).to_owned(),
            printed: text(printed, decimals),
            out_of,
            below: gives((right - 1).clamp(0, n))?,
            above: (right <= n).then(|| gives(right)).flatten(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A file with one row and one column.
    fn file(decimals: u32, full_mark: u32, out_of: u64, printed: &str) -> PublishedFile {
        let text = format!(
            "suite = \"s\"\nfull_mark = {full_mark}\ndecimals = {decimals}\nout_of = {{ a = {out_of} }}\n\n[[rows]]\n\
             model = \"m\"\nsource = \"p\"\noverall = 0\ngroups = {{ a = {printed} }}\n"
        );
        toml::from_str(&text).unwrap()
    }

    fn found(file: &PublishedFile) -> Option<String> {
        let found = file.impossible(&file.rows[0]);
        found.first().map(Impossible::describe)
    }

    /// 274 of 900 are 30.44 %, 275 are 30.56 %, and nothing is printed as 30.5.
    #[test]
    fn what_no_count_gives_is_found() {
        assert_eq!(found(&file(1, 100, 900, "30.4")), None);
        assert_eq!(found(&file(1, 100, 900, "30.6")), None);
        assert_eq!(
            found(&file(1, 100, 900, "30.5")).as_deref(),
            Some("a 30.5 is not a fraction of 900 (274 right ones are 30.4, 275 are 30.6)")
        );
        // Of four pictures nothing lies between three quarters and all.
        assert_eq!(
            found(&file(2, 1, 4, "0.98")).as_deref(),
            Some("a 0.98 is not a fraction of 4 (3 right ones are 0.75, 4 are 1.00)")
        );
    }

    /// 1 of 8 is 0.125, which some round to 0.12 and some to 0.13.
    #[test]
    fn halves_may_be_rounded_either_way() {
        for (printed, fits) in [
            ("0.12", true),
            ("0.13", true),
            ("0.14", false),
            ("0.11", false),
        ] {
            assert_eq!(found(&file(2, 1, 8, printed)).is_none(), fits, "{printed}");
        }
    }

    proptest! {
        #[test]
        fn no_number_that_a_count_gives_is_found(n in 1_u64..2000, part in 0.0_f64..=1.0, decimals in 0_u32..5) {
            let right = (part * n as f64).round();
            let printed = format!("{:.*}", decimals as usize, right / n as f64 * 100.0);
            prop_assert_eq!(found(&file(decimals, 100, n, &printed)), None);
        }
    }
}
