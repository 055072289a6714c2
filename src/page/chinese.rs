//! The search for a font with Chinese characters, of which the program has none.

use cosmic_text::FontSystem;
use cosmic_text::fontdb::{self, Database, FaceInfo, Style, Weight};
use std::path::Path;
use std::sync::OnceLock;

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

/// There is no font for Chinese on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no font for Chinese on this system; install one (Debian and Ubuntu: fonts-noto-cjk or fonts-wqy-zenhei)"
)]
pub struct NoChineseFont;

/// The system's font for Chinese. The search happens once, at the first request.
pub fn system_cjk() -> Option<FaceInfo> {
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
pub fn cjk_in_file(path: &Path) -> Result<FaceInfo, String> {
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

/// The face as a regular one, whatever its weight, so that it can replace a regular face. Its first family is
/// the name by which it is found.
pub fn as_regular(face: &FaceInfo) -> FaceInfo {
    let mut face = face.clone();
    face.weight = Weight::NORMAL;
    face.style = Style::Normal;
    face
}

#[cfg(test)]
mod tests {
    use super::*;
    use cosmic_text::fontdb::Source;
    use std::sync::Arc;

    #[test]
    fn a_latin_font_is_not_taken_for_chinese() {
        let mut database = Database::new();
        database.load_font_source(Source::Binary(Arc::new(dejavu::sans::regular())));
        assert!(best_cjk(database).is_none());
        assert!(best_cjk(Database::new()).is_none());
    }
}
