//! Requests on their way to the program.

use crate::generate::error::GenerateError;
use crate::generate::generator::Request;
use crate::generate::picture;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// One request on its way.
pub(super) struct Asked {
    /// Its place among the requests of the chunk.
    pub index: usize,
    /// The id that the reply must have.
    pub id: String,
    /// What the program reads.
    request: Value,
    /// The folder for the files of the reply.
    pub folder: tempfile::TempDir,
}

impl Asked {
    /// Writes a request down, and makes its folder in `outputs`.
    ///
    /// # Errors
    /// Fails if an input picture is damaged or the folder cannot be made.
    pub(super) fn new(
        index: usize,
        request: &Request<'_>,
        outputs: &Path,
    ) -> Result<Self, GenerateError> {
        let folder = tempfile::tempdir_in(outputs).map_err(|error| {
            GenerateError::item(
                "io",
                format!("cannot make a folder for the output: {error}"),
            )
        })?;
        let item = request.item;
        let id = format!("{}#{}", item.item, request.repeat);
        let mut images = Vec::with_capacity(item.images.len());
        for image in &item.images {
            let path = request.base.join(image);
            picture::refuse_damage(&path).map_err(|what| GenerateError::item("input", what))?;
            images.push(absolute(path));
        }
        let request = json!({
            "id": id, "item": item.item, "task": item.task, "prompt": item.prompt, "images": images,
            "repeat": request.repeat, "seed": request.seed,
            "output_dir": absolute(folder.path().to_owned()),
        });
        Ok(Self {
            index,
            id,
            request,
            folder,
        })
    }
}

/// The line for a program that takes one request at a time, or a list of them.
pub(super) fn line(asked: &[Asked], in_list: bool) -> Vec<u8> {
    let requests = || asked.iter().map(|one| &one.request);
    let line = match requests().next() {
        Some(request) if !in_list => request.to_string(),
        _ => json!({"requests": requests().collect::<Vec<_>>()}).to_string(),
    };
    format!("{line}\n").into_bytes()
}

fn absolute(path: PathBuf) -> String {
    std::path::absolute(&path)
        .unwrap_or(path)
        .to_string_lossy()
        .into_owned()
}
