//! Settings that do not name a checkpoint by its folder but as one in the program (`shipped:mini-flux`), as a
//! path below the home folder, or by the root of a repository in the cache of a hub.

use super::{Session, SessionError};
use crate::config::Settings;
use crate::hub::{meant_folder, shipped};
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// The settings with folders in place of such names.
///
/// # Errors
/// Fails if there is no such checkpoint, the cache cannot be written, or the cache does not say which
/// snapshot is meant.
pub fn locate_checkpoints(
    session: &Session,
    settings: &Settings,
) -> Result<Settings, SessionError> {
    let mut table: Table = settings.read()?;
    if replace_names(session, &mut table)? {
        Ok(settings.merged(&Settings::from_table(&table)?))
    } else {
        Ok(settings.clone())
    }
}

/// Replaces the names in a table and in the tables inside it. True when there were any.
fn replace_names(session: &Session, table: &mut Table) -> Result<bool, SessionError> {
    let mut found = false;
    for (key, value) in table.iter_mut() {
        match value {
            Value::Table(inner) => found |= replace_names(session, inner)?,
            Value::String(text) => {
                if let Some(folder) = named_folder(session, key, text)? {
                    *text = folder.to_string_lossy().into_owned();
                    found = true;
                }
            }
            _ => {}
        }
    }
    Ok(found)
}

/// The folder that the value of a setting names otherwise. `None` if it is no such name.
fn named_folder(session: &Session, key: &str, text: &str) -> Result<Option<PathBuf>, SessionError> {
    let Some(checkpoint) = shipped::path_in_program(Path::new(text)) else {
        return Ok(meant_folder(Path::new(text))?);
    };
    match shipped_folder(session, checkpoint)? {
        Some(folder) => Ok(Some(folder)),
        None => Err(SessionError::NotShipped {
            key: key.to_owned(),
            checkpoint: checkpoint.to_owned(),
        }),
    }
}

/// The folder of a checkpoint that the program contains. `None` if it contains none of this name.
///
/// # Errors
/// Fails if the cache cannot be written.
pub fn shipped_folder(session: &Session, name: &str) -> Result<Option<PathBuf>, SessionError> {
    Ok(shipped::folder(session.hub()?.cache()?, name)?)
}
