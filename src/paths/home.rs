//! `~` in the paths of settings, which no shell expands.

use std::path::{Path, PathBuf};

/// The path with the home folder in place of a leading `~`. A path that begins otherwise stays as it is, and
/// so does every path if the home folder is unknown.
pub fn expanded(path: &Path) -> PathBuf {
    let Ok(below) = path.strip_prefix("~") else {
        return path.to_owned();
    };
    match std::env::home_dir().filter(|home| !home.as_os_str().is_empty()) {
        Some(home) => home.join(below),
        None => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_tilde_of_its_own_is_the_home_folder() {
        let Some(home) = std::env::home_dir() else {
            return;
        };
        assert_eq!(expanded(Path::new("~/pictures/a")), home.join("pictures/a"));
        assert_eq!(expanded(Path::new("~")), home);
        for other in ["~other/a", "a/~/b", "./~", "/~", "a~"] {
            assert_eq!(expanded(Path::new(other)), Path::new(other));
        }
    }
}
