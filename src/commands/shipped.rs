//! Settings that name checkpoints otherwise than by their folders: in the program, such as `shipped:mini-flux`, below the
//! home folder, or by the root of a repository in the hub's cache.

use super::context::Context;
use super::failure::Failure;
use crate::config::Settings;
use crate::hub::{meant_folder, shipped};
use crate::train::TrainError;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// The settings with the folders in the cache where such names stand.
///
/// # Errors
/// When there is no such checkpoint, the cache cannot be written or does not say which snapshot is meant.
pub fn located(ctx: &Context, settings: &Settings) -> Result<Settings, Failure> {
    let mut table: Table = settings.read()?;
    if place(ctx, &mut table)? {
        Ok(settings.merged(&Settings::from_table(&table)?))
    } else {
        Ok(settings.clone())
    }
}

/// Replaces the names in a table and those inside it; whether there were any.
fn place(ctx: &Context, table: &mut Table) -> Result<bool, Failure> {
    let mut found = false;
    for (key, value) in table.iter_mut() {
        match value {
            Value::Table(inner) => found |= place(ctx, inner)?,
            Value::String(text) => {
                if let Some(name) = shipped::path_in_program(Path::new(text.as_str())) {
                    let folder = folder(ctx, name)?.ok_or_else(|| {
                        Failure::usage(
                            format!("`{key}`: the program has no checkpoint `{name}`"),
                            "give a folder, or one of the checkpoints in `shipped/` of the repository",
                        )
                    })?;
                    *text = folder.to_string_lossy().into_owned();
                    found = true;
                } else if let Some(folder) = meant_folder(Path::new(text.as_str()))? {
                    *text = folder.to_string_lossy().into_owned();
                    found = true;
                }
            }
            _ => {}
        }
    }
    Ok(found)
}

/// The folder of a shipped checkpoint.
///
/// # Errors
/// When the cache cannot be written.
pub fn folder(ctx: &Context, name: &str) -> Result<Option<PathBuf>, Failure> {
    Ok(shipped::folder(ctx.hub()?.cache()?, name)?)
}

/// As [`folder`], for a training.
///
/// # Errors
/// When the cache cannot be written.
pub fn for_training(ctx: &Context, name: &str) -> Result<Option<PathBuf>, TrainError> {
    folder(ctx, name).map_err(|failure| TrainError::Definition {
        message: failure.report.to_string(),
    })
}
