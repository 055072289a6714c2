//! The gallery as the script of the page reads it: the list and the parts of the cards, each as a file beside
//! the page or as data inside it.

use super::chunks::{Chunk, chunks, script_json};
use super::data::Gallery;
use super::list::List;
use crate::files::sha256_hex;
use crate::report::error::ReportError;
use crate::report::folder::{CARDS, PageFolder};
use std::collections::HashSet;

/// What the page has of its gallery.
#[derive(Debug)]
pub struct Scripts {
    /// The file of the list. `None` if everything is inside the page.
    pub list: Option<String>,
    /// What is inside the page.
    pub inside: Vec<Inside>,
}

/// JSON inside the page.
#[derive(Debug)]
pub struct Inside {
    /// The id of its element.
    pub id: String,
    /// The text of its element.
    pub json: String,
}

impl Scripts {
    /// Everything inside the page.
    ///
    /// # Errors
    /// Fails if the gallery cannot be written as JSON.
    pub(crate) fn inside(gallery: &Gallery) -> Result<Self, ReportError> {
        let chunks = chunks(&gallery.items).map_err(unwritable)?;
        let list = script_json(&List::new(gallery, &chunks)).map_err(unwritable)?;
        let parts = chunks.into_iter().enumerate().map(|(at, chunk)| Inside {
            id: format!("cards-{at}"),
            json: chunk.json,
        });
        let list = Inside {
            id: "list".to_owned(),
            json: list,
        };
        Ok(Self {
            list: None,
            inside: std::iter::once(list).chain(parts).collect(),
        })
    }

    /// Everything in files beside the page, whose names are added to `used`. A file that is already there is
    /// kept.
    ///
    /// # Errors
    /// Fails if the gallery cannot be written as JSON, or a file cannot be written.
    pub(crate) fn beside(
        gallery: &Gallery,
        folder: &PageFolder,
        used: &mut HashSet<String>,
    ) -> Result<Self, ReportError> {
        let mut save = |json: &str| {
            let text = format!("unigauge({json});\n");
            let (below, ending) = CARDS;
            let name = format!("{below}/{}{ending}", &sha256_hex(&text)[..24]);
            if folder.length(&name) != text.len() as u64 {
                folder.add(&name, text.as_bytes())?;
            }
            used.insert(name.clone());
            Ok::<String, ReportError>(name)
        };
        let mut chunks: Vec<Chunk> = chunks(&gallery.items).map_err(unwritable)?;
        for chunk in &mut chunks {
            chunk.file = Some(save(&chunk.json)?);
        }
        let list = script_json(&List::new(gallery, &chunks)).map_err(unwritable)?;
        Ok(Self {
            list: Some(save(&list)?),
            inside: Vec::new(),
        })
    }
}

fn unwritable(error: serde_json::Error) -> ReportError {
    ReportError::Page(error.to_string())
}
