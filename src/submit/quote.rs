//! Words for a shell.

/// A word as a POSIX shell reads it back. Words of harmless letters stay as they are.
pub(super) fn quoted(word: &str) -> String {
    let harmless = |c: char| c.is_ascii_alphanumeric() || "_-./:=,+@%^".contains(c);
    if !word.is_empty() && word.chars().all(harmless) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// Words in one line.
pub(super) fn line<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    words.into_iter().map(quoted).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_the_words_back() {
        let words = ["plain", "two words", "it's", "$HOME", "", "a\nb", "über"];
        assert_eq!(quoted("results/a-b_c.toml"), "results/a-b_c.toml");
        let command = format!("printf '%s\\0' {}", line(words));
        if let Ok(output) = std::process::Command::new("sh")
            .args(["-c", &command])
            .output()
        {
            let text = String::from_utf8(output.stdout).unwrap();
            let read: Vec<&str> = text.trim_end_matches('\0').split('\0').collect();
            assert_eq!(read, words);
        }
    }
}
