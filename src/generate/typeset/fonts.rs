//! Fonts. DejaVu is part of the program, so Latin text is the same on every machine. Chinese needs a font of
//! the system.

use super::settings::Face;
use cosmic_text::fontdb::{self, Database, FaceInfo, Source, Style, Weight};
use cosmic_text::{FontSystem, SwashCache};
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// Preferred families for simplified Chinese, the best first.
const PREFERRED: [&str; 12] = [
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "WenQuanYi Zen Hei",
    "WenQuanYi Micro Hei",
    "PingFang SC",
    "Microsoft YaHei",
    "SimHei",
    "Droid Sans Fallback",
    "AR PL UMing CN",
    "AR PL UKai CN",
];
/// The characters that a font for simplified Chinese must have at least.
const SAMPLE: &str = "的一是不了中国人这为发说们时间学习电车书图简体汉字，。";
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
        let mut face = face.clone();
        face.weight = Weight::NORMAL;
        face.style = Style::Normal;
        self.cjk = face.families.first().map(|(name, _)| name.clone());
        self.system.db_mut().push_face_info(face);
    }
}

/// The system's font for Chinese. The search happens once, at the first request.
pub(super) fn system_cjk() -> Option<FaceInfo> {
    static FOUND: OnceLock<Option<FaceInfo>> = OnceLock::new();
    let look = || {
        let mut database = Database::new();
        database.load_system_fonts();
        best_cjk(database)
    };
    FOUND.get_or_init(look).clone()
}

/// The face for Chinese in a font file.
///
/// # Errors
/// Fails if there is none, with the reason.
pub(super) fn cjk_in_file(path: &Path) -> Result<FaceInfo, String> {
    let mut database = Database::new();
    database
        .load_font_file(path)
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => "no such file".to_owned(),
            _ => error.to_string(),
        })?;
    if database.is_empty() {
        return Err("not a font file".to_owned());
    }
    best_cjk(database).ok_or_else(|| "this font has no Chinese characters".to_owned())
}

/// The most suitable of the faces with the characters of the sample.
fn best_cjk(database: Database) -> Option<FaceInfo> {
    let mut faces: Vec<FaceInfo> = database.faces().cloned().collect();
    faces.sort_by_cached_key(|face| {
        let family = face.families.first().map_or("", |(name, _)| name);
        let rank = PREFERRED
            .iter()
            .position(|name| face.families.iter().any(|(family, _)| family == name));
        (
            rank.unwrap_or(PREFERRED.len()),
            face.style != Style::Normal,
            face.weight.0.abs_diff(Weight::NORMAL.0),
            family.to_owned(),
            face.post_script_name.clone(),
        )
    });
    let mut system = FontSystem::new_with_locale_and_db(LOCALE.to_owned(), database);
    faces
        .into_iter()
        .find(|face| has_sample(&mut system, face.id, face.weight))
}

fn has_sample(system: &mut FontSystem, face: fontdb::ID, weight: Weight) -> bool {
    system.get_font(face, weight).is_some_and(|font| {
        let characters = font.as_swash().charmap();
        SAMPLE.chars().all(|c| characters.map(c) != 0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_latin_font_is_not_taken_for_chinese() {
        let mut database = Database::new();
        database.load_font_source(Source::Binary(Arc::new(dejavu::sans::regular())));
        assert!(best_cjk(database).is_none());
        assert!(best_cjk(Database::new()).is_none());
    }
}
