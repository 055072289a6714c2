//! Levenshtein distance from one text to many, 64 units at a time.

/// A text prepared for comparison: Myers, J. ACM 46 (1999), in Hyyrö's form for texts of any length.
#[derive(Debug, Clone)]
pub struct Pattern {
    length: usize,
    words: usize,
    /// The positions of each unit in the text, as bits.
    masks: Vec<u64>,
    /// Positive and negative differences down a column, during one comparison.
    column: Vec<(u64, u64)>,
}

impl Pattern {
    /// Prepares a text. Its units, and those of all texts to compare, must be smaller than `units`.
    pub fn new(text: &[u32], units: usize) -> Self {
        let words = text.len().div_ceil(64);
        let mut masks = vec![0; units * words];
        for (at, &unit) in text.iter().enumerate() {
            if let Some(mask) = masks.get_mut(unit as usize * words + at / 64) {
                *mask |= 1 << (at % 64);
            }
        }
        Self {
            length: text.len(),
            words,
            masks,
            column: Vec::new(),
        }
    }

    /// The least number of insertions, deletions and substitutions between both texts.
    pub fn distance(&mut self, other: &[u32]) -> usize {
        if self.length == 0 {
            return other.len();
        }
        let last = 1_u64 << ((self.length - 1) % 64);
        let mut score = self.length;
        self.column.clear();
        self.column.resize(self.words, (u64::MAX, 0));
        for &unit in other {
            let start = unit as usize * self.words;
            let masks = self.masks.get(start..start + self.words).unwrap_or(&[]);
            // The difference along the row above the word: +1 above the first.
            let (mut plus_in, mut minus_in) = (1, 0);
            for (word, (mask, (plus, minus))) in masks.iter().zip(&mut self.column).enumerate() {
                let equal = mask | minus_in;
                let diagonal = (((equal & *plus).wrapping_add(*plus)) ^ *plus) | equal | *minus;
                let mut plus_row = *minus | !(diagonal | *plus);
                let mut minus_row = *plus & diagonal;
                if word + 1 == self.words {
                    score += usize::from(plus_row & last != 0);
                    score -= usize::from(minus_row & last != 0);
                }
                let (plus_out, minus_out) = (plus_row >> 63, minus_row >> 63);
                plus_row = plus_row << 1 | plus_in;
                minus_row = minus_row << 1 | minus_in;
                let vertical = mask | *minus;
                *plus = minus_row | !(vertical | plus_row);
                *minus = plus_row & vertical;
                (plus_in, minus_in) = (plus_out, minus_out);
            }
        }
        score
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::distance::levenshtein;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn equals_the_plain_distance(
            a in prop::collection::vec(0_u32..5, 0..200),
            b in prop::collection::vec(0_u32..5, 0..200),
        ) {
            let mut pattern = Pattern::new(&a, 5);
            prop_assert_eq!(pattern.distance(&b), levenshtein(&a, &b));
            prop_assert_eq!(pattern.distance(&a), 0);
        }
    }
}
