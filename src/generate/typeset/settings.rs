//! Settings of the `typeset` generator.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Settings of the `typeset` generator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TypesetSettings {
    /// Width of the picture in pixels, 64 to 8192. Default 1024.
    pub width: u32,
    /// Height of the picture in pixels, 64 to 8192. Default 1024.
    pub height: u32,
    /// Width of the empty border in pixels, less than half of each side. Default 64.
    pub margin: u32,
    /// Face of Latin text: `sans`, `serif` or `mono`. Default `sans`.
    pub font: Face,
    /// Font file for Chinese. Default: a font of the system, preferably Noto Sans CJK SC.
    pub cjk_font: Option<PathBuf>,
    /// How the texts are arranged: `page`, `sign`, `columns` or `scattered`. Default `page`.
    pub layout: Arrangement,
    /// Font size in pixels, or `auto`, which is the largest size at which all text fits, at most an eighth of
    /// the height and at least 10. Default `auto`.
    pub size: Size,
    /// Colour of the text, `#rrggbb`. Default `#000000`.
    pub ink: String,
    /// Colour of the background, `#rrggbb`. Default `#ffffff`.
    pub paper: String,
    /// Factor of the font size, above 0 and at most 1. The size is never below 4 pixels. Default 1.
    pub scale: f32,
    /// Standard deviation of a Gaussian blur in pixels, 0 to 50. Default 0.
    pub blur: f32,
    /// Standard deviation of the noise in grey levels, 0 to 255. Default 0.
    pub noise: f32,
    /// Probability with which each word is left out, 0 to 1. In Chinese, it is that of each character. A
    /// higher probability leaves out the same words and more. Default 0.
    pub drop: f64,
    /// Rotation of the page in degrees clockwise, -45 to 45. Corners beyond the page are cut off. Default 0.
    pub rotate: f32,
}

impl Default for TypesetSettings {
    fn default() -> Self {
        Self {
            width: 1024,
            height: 1024,
            margin: 64,
            font: Face::Sans,
            cjk_font: None,
            layout: Arrangement::Page,
            size: Size::Auto(Auto::Auto),
            ink: "#000000".to_owned(),
            paper: "#ffffff".to_owned(),
            scale: 1.0,
            blur: 0.0,
            noise: 0.0,
            drop: 0.0,
            rotate: 0.0,
        }
    }
}

/// A face of the DejaVu family, which is part of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Face {
    /// Without serifs.
    Sans,
    /// With serifs.
    Serif,
    /// With a fixed width.
    Mono,
}

/// How texts are arranged on a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Arrangement {
    /// Paragraphs from the top, aligned at the left.
    Page,
    /// One centred board for each text, in turn light on dark and framed.
    Sign,
    /// Two columns, of which the second is filled after the first.
    Columns,
    /// Each text has its own place and size.
    Scattered,
}

/// A font size.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(untagged, expecting = "expected \"auto\" or a number of pixels")]
pub enum Size {
    /// The largest size that fits.
    Auto(Auto),
    /// This size, in pixels.
    Pixels(f32),
}

/// The word `auto`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Auto {
    /// The largest size that fits.
    Auto,
}

/// Why a `typeset` generator cannot be made.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum TypesetError {
    /// A setting is out of range.
    #[error("typeset generator: `{key}` = {found}, expected {expected}")]
    Setting {
        /// The key.
        key: &'static str,
        /// The value.
        found: String,
        /// The allowed values.
        expected: String,
    },
    /// A font cannot be used.
    #[error("typeset generator: `cjk_font` = {}: {reason}", path.display())]
    #[diagnostic(help(
        "give a TrueType or OpenType file with Chinese characters, or leave out the key to use the system's font"
    ))]
    Font {
        /// Path of the font.
        path: PathBuf,

        /// The reason, in words.
        reason: String,
    },
}

impl TypesetSettings {
    /// Checks that every setting is in its range.
    ///
    /// # Errors
    /// Fails with the first key whose value is out of its range.
    pub(super) fn check(&self) -> Result<(), TypesetError> {
        let half = self.width.min(self.height) / 2;
        within("width", self.width, 64, 8192)?;
        within("height", self.height, 64, 8192)?;
        within("margin", self.margin, 0, half.saturating_sub(16))?;
        within("scale", self.scale, 0.01, 1.0)?;
        within("blur", self.blur, 0.0, 50.0)?;
        within("noise", self.noise, 0.0, 255.0)?;
        within("drop", self.drop, 0.0, 1.0)?;
        within("rotate", self.rotate, -45.0, 45.0)?;
        if let Size::Pixels(size) = self.size {
            within("size", size, 4.0, 2000.0)?;
        }
        colour("ink", &self.ink)?;
        colour("paper", &self.paper)?;
        Ok(())
    }
}

fn within<T: PartialOrd + std::fmt::Display>(
    key: &'static str,
    value: T,
    low: T,
    high: T,
) -> Result<(), TypesetError> {
    // The comparison also refuses NaN.
    if value >= low && value <= high {
        return Ok(());
    }
    Err(TypesetError::Setting {
        key,
        found: value.to_string(),
        expected: format!("{low} to {high}"),
    })
}

/// Reads `#rrggbb`.
pub(super) fn colour(key: &'static str, text: &str) -> Result<[u8; 3], TypesetError> {
    let digits = text
        .strip_prefix('#')
        .filter(|digits| digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit()));
    let value = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
    match value {
        Some(value) => {
            let [_, r, g, b] = value.to_be_bytes();
            Ok([r, g, b])
        }
        None => Err(TypesetError::Setting {
            key,
            found: format!("\"{text}\""),
            expected: "a colour like \"#1a2b3c\"".to_owned(),
        }),
    }
}
