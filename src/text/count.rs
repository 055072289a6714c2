//! Counts with their noun: `1 item`, `2 items`.

/// A count with a regular noun in the singular or the plural.
pub fn counted(count: usize, noun: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_is_singular() {
        let counts = [0, 1, 2].map(|count| counted(count, "item"));
        assert_eq!(counts, ["0 items", "1 item", "2 items"]);
    }
}
