//! A folder of `.txt` files, one prompt each, as DPG-Bench keeps its prompts.

use super::description::{FormatDescription, Reading};
use super::error::Unreadable;
use super::record::{Place, Raw};
use crate::record::Object;
use std::path::Path;

/// A folder of prompts.
pub(super) static TEXT_FOLDER: FormatDescription = FormatDescription {
    name: "text-folder",
    about: "A folder of `.txt` files, one prompt each; the file's name without `.txt` is the id.",
    expected: "files whose names end in .txt, one prompt each",
    extensions: &[],
    own_json: None,
    reading: Reading::Folder(read),
};

/// Records `{id, prompt}` in the order of the file names. Line ends at the end of a file are left out.
fn read(folder: &Path) -> Result<Vec<Raw<'static>>, Unreadable> {
    let cannot = |error: std::io::Error| {
        Unreadable::new(folder, format!("this folder cannot be listed ({error})"))
    };
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(cannot)? {
        let name = entry.map_err(cannot)?.file_name();
        let name = name.to_string_lossy().into_owned();
        if stem(&name).is_some() {
            names.push(name);
        }
    }
    names.sort();
    let record = |name: String| match prompt(&folder.join(&name)) {
        Ok(prompt) => {
            let id = stem(&name).unwrap_or(&name).to_owned();
            let fields = [
                ("id".to_owned(), id.into()),
                ("prompt".to_owned(), prompt.into()),
            ];
            Raw::parsed(Place::File(name), None, Object::from_iter(fields))
        }
        Err(message) => Raw::broken(Place::File(name), message),
    };
    Ok(names.into_iter().map(record).collect())
}

/// The name of a file of text without `.txt`, in capitals or not. `None` for any other file.
fn stem(name: &str) -> Option<&str> {
    let (stem, extension) = name.rsplit_once('.')?;
    extension.eq_ignore_ascii_case("txt").then_some(stem)
}

fn prompt(path: &Path) -> Result<String, String> {
    let bytes = std::fs::read(path).map_err(|error| format!("cannot be read ({error})"))?;
    let text = String::from_utf8(bytes).map_err(|_| "this is not UTF-8 text".to_owned())?;
    let text = text.trim_start_matches('\u{feff}');
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}
