//! Files of a report: whole or not there, and linked relative to its folder.

use super::error::ReportError;
use crate::files::write_whole;
use std::path::{Component, Path, PathBuf};

/// The absolute path, without links and `..` where the file exists.
pub(super) fn absolute(path: &Path) -> Option<PathBuf> {
    path.canonicalize()
        .or_else(|_| std::path::absolute(path))
        .ok()
}

/// `path` as a percent-encoded link from the folder `here`. `None` for a path that no link can name.
pub(super) fn relative(here: &Path, path: &Path) -> Option<String> {
    let path = absolute(path)?;
    let from: Vec<Component<'_>> = here.components().collect();
    let to: Vec<Component<'_>> = path.components().collect();
    let common = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..".to_owned(), from.len() - common);
    let down = to[common..]
        .iter()
        .map(|part| part.as_os_str().to_str().map(encode))
        .collect::<Option<Vec<String>>>()?;
    Some(up.chain(down).collect::<Vec<_>>().join("/"))
}

/// A link from the folder `dir` to a file, where one can name it.
pub(crate) fn link(dir: &Path, path: &Path) -> Option<String> {
    relative(&absolute(dir)?, path)
}

fn encode(part: &str) -> String {
    let byte = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    part.bytes().map(byte).collect()
}

/// Makes a folder of a report.
pub(crate) fn create(dir: &Path) -> Result<(), ReportError> {
    std::fs::create_dir_all(dir).map_err(|source| ReportError::Write {
        path: dir.to_owned(),
        source,
    })
}

/// Writes a file of a report.
pub(crate) fn write_file(path: &Path, bytes: &[u8]) -> Result<(), ReportError> {
    Ok(write_whole(path, bytes)?)
}
