//! Fonts. DejaVu is part of the program, so Latin text is the same on every machine. Chinese needs a font of
//! the system.

use super::settings::Face;
use crate::page::as_regular;
use cosmic_text::fontdb::{Database, FaceInfo, Source};
use cosmic_text::{FontSystem, SwashCache};
use std::sync::Arc;

const LOCALE: &str = "en-US";

/// The fonts and the glyphs of one generator.
pub(super) struct Fonts {
    /// All loaded fonts.
    pub system: FontSystem,
    /// Drawn glyphs.
    pub glyphs: SwashCache,
    /// The family of the font for Latin letters.
    pub latin: &'static str,
    /// The family of the font for Chinese, after it was loaded.
    pub cjk: Option<String>,
}

impl Fonts {
    pub(super) fn new(face: Face) -> Self {
        let mut database = Database::new();
        let (latin, data) = match face {
            Face::Sans => ("DejaVu Sans", dejavu::sans::regular()),
            Face::Serif => ("DejaVu Serif", dejavu::serif::regular()),
            Face::Mono => ("DejaVu Sans Mono", dejavu::sans_mono::regular()),
        };
        database.load_font_source(Source::Binary(Arc::new(data)));
        if face != Face::Sans {
            // This face has the most characters. It is used where another face lacks one.
            database.load_font_source(Source::Binary(Arc::new(dejavu::sans::regular())));
        }
        Self {
            system: FontSystem::new_with_locale_and_db(LOCALE.to_owned(), database),
            glyphs: SwashCache::new(),
            latin,
            cjk: None,
        }
    }

    /// Adds a face for Chinese. It counts as regular regardless of its weight, so that it can replace DejaVu.
    pub(super) fn add_cjk(&mut self, face: &FaceInfo) {
        let face = as_regular(face);
        self.cjk = face.families.first().map(|(name, _)| name.clone());
        self.system.db_mut().push_face_info(face);
    }
}
