//! Files of a report: whole or not there, and linked relative to its folder.

use super::ReportError;
use std::io::Write;
use std::path::{Component, Path, PathBuf};

/// Without links and `..` where the file exists.
pub(super) fn absolute(path: &Path) -> Option<PathBuf> {
    path.canonicalize()
        .or_else(|_| std::path::absolute(path))
        .ok()
}

/// `path` as a percent-encoded link from the folder `here`; None for a path that no link can name.
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

/// Writes beside the target and renames, so that a reader never sees half a file.
pub(crate) fn put(path: &Path, bytes: &[u8]) -> Result<(), ReportError> {
    let failed = |source| ReportError::Write {
        path: path.to_owned(),
        source,
    };
    let parent = path.parent().unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // As any new file: the umask decides who may read the report.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.prefix(".").tempfile_in(parent).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}
