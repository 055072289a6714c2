//! Exact decimal numbers: a number that was printed with two digits is a whole number of hundredths.

/// A difference with its sign and `places` digits after the point. A number that rounds to zero has no sign.
pub fn signed(value: f64, places: usize) -> String {
    let text = format!("{value:+.places$}");
    let zero = text.bytes().all(|byte| !(b'1'..=b'9').contains(&byte));
    if zero {
        text.trim_start_matches(['+', '-']).to_owned()
    } else {
        text.replace('-', "−")
    }
}

/// Largest number of digits of a printed number. Sums of many such numbers stay exact.
const DIGITS: usize = 15;

/// A number with its digits after the point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decimal {
    units: i128,
    decimals: u32,
}

impl Decimal {
    /// The shortest decimal number that reads back as `value`. `None` if it has more than 15 digits or is not
    /// a number, since nobody prints those.
    pub fn from_f64(value: f64) -> Option<Self> {
        let text = value.to_string();
        let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
        let digits = format!("{whole}{part}");
        let units = digits.parse().ok()?;
        (digits.len() <= DIGITS).then_some(Self {
            units,
            decimals: part.len() as u32,
        })
    }

    /// Number of digits after the point, without zeros at the end.
    pub fn decimals(self) -> u32 {
        self.decimals
    }

    /// The number in units of its `decimals`-th digit. `None` if it has more digits, or if far too many are
    /// requested.
    pub fn units(self, decimals: u32) -> Option<i128> {
        let more = decimals.checked_sub(self.decimals)?;
        let factor = 10_i128.checked_pow(more)?;
        self.units.checked_mul(factor)
    }
}

/// `numerator` / `denominator` units of the `decimals`-th digit as text, with a half rounded up. The
/// denominator is positive, and the numerator is positive or zero.
pub fn quotient(numerator: i128, denominator: i128, decimals: u32) -> String {
    let rounded = (2 * numerator + denominator) / (2 * denominator);
    text(rounded, decimals)
}

/// `units` of the `decimals`-th digit as text.
pub fn text(units: i128, decimals: u32) -> String {
    let width = decimals as usize + 1;
    let digits = format!("{units:0width$}");
    let (whole, part) = digits.split_at(digits.len() - decimals as usize);
    match part {
        "" => whole.to_owned(),
        part => format!("{whole}.{part}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn halves_are_those_of_the_digits_and_not_of_binary_fractions() {
        // 1.005 and 2.675 lie below their decimal value as binary fractions.
        let thousandths = |value: f64| Decimal::from_f64(value).unwrap().units(3).unwrap();
        assert_eq!(quotient(thousandths(1.005), 10, 2), "1.01");
        assert_eq!(quotient(thousandths(2.675), 10, 2), "2.68");
        assert_eq!(quotient(thousandths(2.674), 10, 2), "2.67");
        assert_eq!(quotient(3820, 9, 2), "4.24");
    }

    #[test]
    fn numbers_nobody_prints_are_none() {
        assert_eq!(Decimal::from_f64(f64::NAN), None);
        assert_eq!(Decimal::from_f64(f64::INFINITY), None);
        assert_eq!(Decimal::from_f64(0.1 + 0.2), None);
        assert_eq!(Decimal::from_f64(1e300), None);
        assert_eq!(Decimal::from_f64(0.25).unwrap().units(1), None);
        assert_eq!(Decimal::from_f64(0.25).unwrap().units(1000), None);
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back_as_printed(units in 0_i128..10_000_000, decimals in 0_u32..6) {
            let printed = text(units, decimals);
            let read = Decimal::from_f64(printed.parse().unwrap()).unwrap();
            prop_assert_eq!(read.units(decimals), Some(units));
            prop_assert_eq!(quotient(units, 1, decimals), printed);
        }
    }
}
