//! A temporary file beside the target, then a rename.

use super::FileError;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use tempfile::TempPath;

/// How the name of a file begins while it is being written. A file that keeps such a name comes from a killed
/// process.
pub const PARTIAL: &str = ".partial-";

/// Writes a file that a crash of the machine leaves whole: a temporary file, fsync and rename. Makes its
/// folder when there is none.
///
/// # Errors
/// Fails if the folder or the file cannot be written. What is under the final name then stays as it was.
pub fn write_durable(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    write_durable_by(path, |file| file.write_all(bytes))
}

/// The same as [`write_durable`], for content that is made piece by piece.
///
/// # Errors
/// Fails when [`write_durable`] fails, and when `fill` fails.
pub fn write_durable_by(
    path: &Path,
    fill: impl FnOnce(&mut File) -> io::Result<()>,
) -> Result<(), FileError> {
    write_whole_by(path, |file| {
        fill(file)?;
        file.sync_data()
    })
}

/// Writes a file that is never half written, even if the process is killed. A crash of the machine may lose
/// it: this is for what can be made again, such as reports and caches. Makes its folder when there is none.
///
/// # Errors
/// Fails when [`write_durable`] fails.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    write_whole_by(path, |file| file.write_all(bytes))
}

/// The same as [`write_whole`], for content that is made piece by piece.
///
/// # Errors
/// Fails when [`write_durable`] fails, and when `fill` fails.
pub fn write_whole_by(
    path: &Path,
    fill: impl FnOnce(&mut File) -> io::Result<()>,
) -> Result<(), FileError> {
    Staged::write(path, fill)?.publish()
}

/// A file that is whole on the disk under a temporary name beside its final one. So several files can be
/// written first, and get their names together. A file that does not get its name is removed.
#[derive(Debug)]
pub struct Staged {
    file: TempPath,
    path: PathBuf,
}

impl Staged {
    /// Writes the content of `path` under a temporary name. Makes its folder when there is none.
    ///
    /// # Errors
    /// Fails if the folder or the file cannot be written, and when `fill` fails.
    pub fn write(
        path: &Path,
        fill: impl FnOnce(&mut File) -> io::Result<()>,
    ) -> Result<Self, FileError> {
        let folder = path.parent().unwrap_or(Path::new("."));
        // The parent of a bare file name is an empty path.
        let folder = if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        };
        std::fs::create_dir_all(folder)
            .map_err(FileError::of_action("cannot create the folder", folder))?;
        let failed = FileError::of_action("cannot write", path);
        let mut file = temporary().tempfile_in(folder).map_err(failed)?;
        fill(file.as_file_mut()).map_err(failed)?;
        Ok(Self {
            file: file.into_temp_path(),
            path: path.to_owned(),
        })
    }

    /// Gives the file its final name, in place of a file that has this name.
    ///
    /// # Errors
    /// Fails if the system refuses. What is under the final name then stays as it was.
    pub fn publish(self) -> Result<(), FileError> {
        let failed = FileError::of_action("cannot write", &self.path);
        self.file
            .persist(&self.path)
            .map_err(|error| failed(error.error))
    }
}

/// Writes a value as indented JSON that ends with a line break, as [`write_durable`] does.
///
/// # Errors
/// Fails when [`write_durable`] fails, and if the value cannot be written as JSON.
pub fn write_json(path: &Path, value: &impl serde::Serialize) -> Result<(), FileError> {
    let bytes = serde_json::to_vec_pretty(value).map_err(io::Error::from);
    let mut bytes = bytes.map_err(FileError::of_action("cannot write", path))?;
    bytes.push(b'\n');
    write_durable(path, &bytes)
}

/// Temporary files are private by default. Results are not: as with any new file, the umask decides who may
/// read them.
fn temporary() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(PARTIAL);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_that_fails_half_way_leaves_the_old_file_and_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/file.txt");
        write_durable(&path, b"old").unwrap();
        let result = write_durable_by(&path, |file| {
            file.write_all(b"ne")?;
            Err(io::Error::other("the disk is full"))
        });
        let message = result.unwrap_err().to_string();
        assert_eq!(
            message,
            format!("cannot write `{}`: the disk is full", path.display())
        );
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        let names: Vec<_> = std::fs::read_dir(path.parent().unwrap()).unwrap().collect();
        assert_eq!(names.len(), 1, "{names:?}");
    }

    #[test]
    fn a_staged_file_gets_its_name_when_it_is_published() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file.txt");
        write_whole(&path, b"old").unwrap();
        let staged = || Staged::write(&path, |file| file.write_all(b"new")).unwrap();
        drop(staged());
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        staged().publish().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        write_whole(&file, b"x").unwrap();
        let error = write_whole(&file.join("below/it"), b"x").unwrap_err();
        assert_eq!(error.action, "cannot create the folder");
        assert_eq!(error.path, file.join("below"));
    }
}
