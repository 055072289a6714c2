//! The `typeset` generator: draws the target texts of an item with a font, clean or degraded in a known
//! order. The score of its clean pages is the highest score for rendered text that a model can reach with the
//! same reader.

mod compose;
mod fonts;
mod paint;
mod random;
mod settings;
mod shape;
mod target;

pub use settings::{Arrangement, Auto, Face, Size, TypesetError, TypesetSettings};

use super::error::{BuildError, GenerateError};
use super::generator::{Answer, Generated, Generator, Request};
use super::kind::{Resources, SimpleGenerator};
use crate::cancel::Cancel;
use crate::page::{cjk_in_file, system_cjk};
use crate::record::Item;
use cosmic_text::fontdb::FaceInfo;
use fonts::Fonts;
use serde_json::json;
use target::{Target, is_cjk};

/// The asset with a Chinese font, for machines without one.
const CJK_FONT: &str = "font-noto-sans-cjk-sc";

/// Draws texts. The same settings and the same request give the same pixels on every machine, except that
/// Chinese is drawn with a font of the system.
pub struct Typeset {
    settings: TypesetSettings,
    /// The colours of ink and paper.
    colours: [[u8; 3]; 2],
    fonts: Fonts,
    /// The font from `cjk_font`.
    chosen_cjk: Option<FaceInfo>,
}

impl SimpleGenerator for Typeset {
    const NAME: &'static str = "typeset";
    const ABOUT: &'static str =
        "draws an item's target texts with a font, clean or degraded in a known order";
    type Settings = TypesetSettings;

    fn open(mut settings: TypesetSettings, assets: &Resources) -> Result<Self, BuildError> {
        let asset = assets.get(CJK_FONT).cloned();
        settings.cjk_font = settings.cjk_font.or(asset);
        Self::new(settings).map_err(BuildError::own)
    }

    /// A Chinese font, if the system has none.
    fn wanted_assets(items: &[Item]) -> Vec<&'static str> {
        let chinese = |item: &Item| {
            item.expect
                .get("language")
                .is_some_and(|language| language == "zh")
        };
        if items.iter().any(chinese) && system_cjk().is_none() {
            vec![CJK_FONT]
        } else {
            Vec::new()
        }
    }
}

impl Typeset {
    /// A generator with these settings.
    ///
    /// # Errors
    /// Fails if a setting is out of range or `cjk_font` is not a Chinese font.
    pub fn new(settings: TypesetSettings) -> Result<Self, TypesetError> {
        settings.check()?;
        let chosen_cjk = match &settings.cjk_font {
            None => None,
            Some(path) => Some(cjk_in_file(path).map_err(|reason| TypesetError::Font {
                path: path.clone(),
                reason,
            })?),
        };
        Ok(Self {
            colours: [
                settings::colour("ink", &settings.ink)?,
                settings::colour("paper", &settings.paper)?,
            ],
            fonts: Fonts::new(settings.font),
            settings,
            chosen_cjk,
        })
    }

    /// Loads a font for Chinese if a text needs one and none is loaded.
    fn need_fonts(&mut self, texts: &[String]) -> Result<(), GenerateError> {
        if self.fonts.cjk.is_some() || !texts.iter().any(|text| text.chars().any(is_cjk)) {
            return Ok(());
        }
        let face = self.chosen_cjk.clone().or_else(system_cjk);
        match face {
            Some(face) => {
                self.fonts.add_cjk(&face);
                Ok(())
            }
            None => Err(GenerateError::item(
                "font",
                "no font for Chinese on this system; install one (Debian and Ubuntu: fonts-noto-cjk or \
                 fonts-wqy-zenhei) or set `cjk_font` to a font file",
            )),
        }
    }
}

impl Generator for Typeset {
    fn generate(
        &mut self,
        request: &Request<'_>,
        _cancel: &Cancel,
    ) -> Result<Generated, GenerateError> {
        let mut target = Target::from_item(request.item);
        self.need_fonts(&target.texts)?;
        let (dropped, units) = target.drop_units(self.settings.drop, request.seed);
        let texts: Vec<compose::Text> = target
            .texts
            .iter()
            .map(|text| shape::shape(&mut self.fonts, text, target.chinese))
            .collect();
        let plan = compose::compose(&texts, &self.settings, request.seed);
        let page = paint::paint(&plan, &texts, &mut self.fonts, &self.settings);
        let picture = paint::finish(page, &self.settings, self.colours, request.seed);

        let mut notes: Vec<String> = Vec::new();
        if units == 0 {
            notes.push("no target text: the page is blank".to_owned());
        }
        if plan.forced {
            notes.push("the text does not fit: words were broken or lines were cut".to_owned());
        }
        match plan.clipped {
            0 => {}
            1 => notes.push("one line was cut off".to_owned()),
            lines => notes.push(format!("{lines} lines were cut off")),
        }
        let missing: String = texts.iter().flatten().map(|p| p.missing.as_str()).collect();
        if !missing.is_empty() {
            notes.push(format!("no font has {missing}"));
        }
        let size = plan.lines.iter().map(|line| line.size).reduce(f32::min);
        let mut generated = Generated::from(Answer::Pixels(picture));
        generated.extra.insert(
            "typeset".to_owned(),
            json!({
                "size": size,
                "lines": plan.lines.len(),
                "units": units,
                "dropped": dropped,
                "font": self.fonts.cjk.as_deref().filter(|_| target.chinese).unwrap_or(self.fonts.latin),
                "notes": notes,
            }),
        );
        Ok(generated)
    }
}
