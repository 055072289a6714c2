//! One writer in a folder.

use super::FileError;
use std::fs::{File, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

/// Exclusive right to write into a folder. It ends when it is dropped, and the kernel ends it when the
/// process dies.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

impl Drop for Lock {
    fn drop(&mut self) {
        // A child process that another thread starts just now has the file open until it runs its own
        // program: closing our file alone would leave the lock to the child for that long. If unlocking
        // fails, closing the file is all that can be done.
        let _ = self.file.unlock();
    }
}

/// Why a lock cannot be obtained.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process holds it.
    #[error("{folder}: {holder} holds the lock", folder = folder.display())]
    Held {
        /// The folder.
        folder: PathBuf,
        /// The process, its machine and since when, in words.
        holder: String,
    },
    /// The file of the lock cannot be opened or written.
    #[error(transparent)]
    File(#[from] FileError),
}

impl Lock {
    /// Takes the lock `name` of a folder that exists. Its file says who holds it.
    ///
    /// # Errors
    /// Fails if another process holds it, or its file cannot be made.
    pub fn take(folder: &Path, name: &str) -> Result<Self, LockError> {
        let path = folder.join(name);
        let failed = FileError::of_action("cannot open the lock", &path);
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(LockError::Held {
                    folder: folder.to_owned(),
                    holder: holder(&mut file),
                });
            }
            Err(TryLockError::Error(error)) if has_no_locks(&error) => {
                tracing::warn!(
                    "{}: this file system has no locks ({error}), so a second run in the folder is not prevented",
                    folder.display()
                );
            }
            Err(TryLockError::Error(error)) => return Err(failed(error).into()),
        }
        let who = format!(
            "process {} on {} since {}\n",
            std::process::id(),
            host_name(),
            jiff::Timestamp::now().strftime("%F %T UTC")
        );
        file.set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| file.write_all(who.as_bytes()))
            .map_err(failed)?;
        Ok(Self { file })
    }
}

/// What the file of a lock says about the process that holds it.
fn holder(file: &mut File) -> String {
    let mut text = String::new();
    // A file that cannot be read does not name the process.
    let _ = file.read_to_string(&mut text);
    let text = text.trim();
    if text.is_empty() {
        "an unknown process".to_owned()
    } else {
        text.to_owned()
    }
}

/// Whether the file system has no locks. Some file systems of clusters have none.
fn has_no_locks(error: &std::io::Error) -> bool {
    #[cfg(unix)]
    let no_locks = error.raw_os_error() == Some(nix::errno::Errno::ENOLCK as i32);
    #[cfg(not(unix))]
    let no_locks = false;
    no_locks || error.kind() == std::io::ErrorKind::Unsupported
}

/// The name of this machine.
pub fn host_name() -> String {
    #[cfg(unix)]
    let name = nix::unistd::gethostname()
        .ok()
        .and_then(|name| name.into_string().ok());
    #[cfg(not(unix))]
    let name = std::env::var("COMPUTERNAME").ok();
    name.filter(|name| !name.is_empty())
        .unwrap_or_else(|| "a machine without a name".into())
}
