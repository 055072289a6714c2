//! Unicode writes many letters in two ways: `é` is one character, or an `e` followed by an accent. macOS
//! stores names in the second way, and most other programs write the first. Both are the same name.

use std::borrow::Cow;
use std::path::{Component, Path, PathBuf};
use unicode_normalization::{UnicodeNormalization as _, is_nfc};

/// The text with composed characters (normal form C).
pub fn composed(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || is_nfc(text) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.nfc().collect())
    }
}

/// A relative path as the file system below `base` spells it. Each part is the name in the folder, or else a
/// name that differs only in its Unicode normal form. `None` if there is no such file or folder.
pub fn as_spelled(base: &Path, relative: &Path) -> Option<PathBuf> {
    let mut path = PathBuf::new();
    for part in relative.components() {
        let next = path.join(part);
        path = match (base.join(&next).symlink_metadata(), part) {
            (Ok(_), _) => next,
            (Err(_), Component::Normal(name)) => {
                path.join(same_normal_form(&base.join(&path), name.to_str()?)?)
            }
            (Err(_), _) => return None,
        };
    }
    Some(path)
}

/// The name in a folder that differs from `name` only in its normal form.
fn same_normal_form(folder: &Path, name: &str) -> Option<String> {
    if name.is_ascii() {
        return None;
    }
    let name = composed(name);
    let entries = std::fs::read_dir(folder).ok()?.flatten();
    let mut names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    names.find(|there| composed(there) == name)
}
