//! A thin layer over a plotters backend: shapes in page units, text with anchors and fallbacks.

use super::error::ChartError;
use super::font::{self, FAMILY, SIZE_PER_EM};
use plotters::coord::Shift;
use plotters::element::{Drawable, PointCollection};
use plotters::prelude::{
    Circle, DrawingArea, DrawingBackend, PathElement, Polygon, Rectangle, ShapeStyle, Text,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontDesc, FontFamily, FontStyle, FontTransform, RGBColor};

/// Text and axes. The page's style sheet replaces this colour in dark mode.
pub const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);
/// Secondary text and ticks.
pub const SOFT: RGBColor = RGBColor(0x66, 0x66, 0x66);
/// Grid lines.
pub const GRID: RGBColor = RGBColor(0xdd, 0xdd, 0xdd);
/// The background.
pub const PAPER: RGBColor = RGBColor(0xff, 0xff, 0xff);

/// Text and hatching on dark fills: one step off white, which a dark page would replace.
pub const ON_DARK: RGBColor = RGBColor(0xfe, 0xfe, 0xfe);
/// The same on light fills.
pub const ON_LIGHT: RGBColor = RGBColor(0x33, 0x33, 0x33);
/// Units per em of all but headings: 7.1 pt in a column of 88 mm.
pub const SMALL: f64 = 28.5;

/// Where the point of a text is, horizontally.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// At the left.
    Left,
    /// In the middle.
    Center,
    /// At the right.
    Right,
}

/// A text's look.
#[derive(Debug, Clone, Copy)]
pub struct Type {
    /// Units per em.
    pub em: f64,
    /// The colour of the letters.
    pub color: RGBColor,
    /// The side of the text that its point is on.
    pub align: Align,
    /// Whether the letters are bold.
    pub bold: bool,
    /// Whether the text reads from bottom to top.
    pub upright: bool,
}

impl Type {
    /// Letters that are not bold.
    pub fn new(em: f64, color: RGBColor, align: Align) -> Self {
        Self {
            em,
            color,
            align,
            bold: false,
            upright: false,
        }
    }
}

/// A label, and what replaces it where no font has its characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The text to print.
    pub text: String,
    /// What replaces it where no font has its characters.
    pub id: String,
}

impl Label {
    /// A label that nothing else replaces.
    pub fn plain(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            id: text.to_owned(),
        }
    }
}

/// A drawing in units of the chart's size, `y` downwards.
pub struct Canvas<'a, DB: DrawingBackend> {
    area: &'a DrawingArea<DB, Shift>,
    /// Pixels per unit.
    scale: f64,
    /// Whether glyphs are drawn by us (PNG) or by the reader's program (SVG).
    pixels: bool,
}

impl<'a, DB: DrawingBackend> Canvas<'a, DB> {
    /// A canvas with so many pixels for each unit. `pixels` says whether the backend draws pixels.
    pub fn new(area: &'a DrawingArea<DB, Shift>, scale: f64, pixels: bool) -> Self {
        font::register();
        Self {
            area,
            scale,
            pixels,
        }
    }

    fn pixel_at(&self, (x, y): (f64, f64)) -> (i32, i32) {
        (
            (x * self.scale).round() as i32,
            (y * self.scale).round() as i32,
        )
    }

    fn stroke(&self, color: RGBColor, width: f64) -> ShapeStyle {
        color.stroke_width((width * self.scale).round().max(1.0) as u32)
    }

    /// A filled rectangle from one corner to the other.
    ///
    /// # Errors
    /// Fails if the backend fails.
    pub fn fill_rectangle(
        &self,
        a: (f64, f64),
        b: (f64, f64),
        color: RGBColor,
    ) -> Result<(), ChartError> {
        self.draw(Rectangle::new(
            [self.pixel_at(a), self.pixel_at(b)],
            color.filled(),
        ))
    }

    /// A rectangle's outline.
    ///
    /// # Errors
    /// Fails if the backend fails.
    pub fn outline(
        &self,
        a: (f64, f64),
        b: (f64, f64),
        color: RGBColor,
        width: f64,
    ) -> Result<(), ChartError> {
        self.draw(Rectangle::new(
            [self.pixel_at(a), self.pixel_at(b)],
            self.stroke(color, width),
        ))
    }

    /// An open line through points.
    ///
    /// # Errors
    /// Fails if the backend fails.
    pub fn line(
        &self,
        points: &[(f64, f64)],
        color: RGBColor,
        width: f64,
    ) -> Result<(), ChartError> {
        let points: Vec<_> = points.iter().map(|point| self.pixel_at(*point)).collect();
        self.draw(PathElement::new(points, self.stroke(color, width)))
    }

    /// An open line of dashes: `pattern` holds the lengths of dash and gap in turn; empty draws it solid.
    ///
    /// # Errors
    /// Fails if the backend fails.
    pub fn dashed(
        &self,
        points: &[(f64, f64)],
        color: RGBColor,
        width: f64,
        pattern: &[f64],
    ) -> Result<(), ChartError> {
        if pattern.is_empty() {
            return self.line(points, color, width);
        }
        for dash in dashes(points, pattern) {
            self.line(&dash, color, width)?;
        }
        Ok(())
    }

    /// A filled polygon, translucent.
    ///
    /// # Errors
    /// Fails if the backend fails.
    pub fn area(
        &self,
        points: &[(f64, f64)],
        color: RGBColor,
        opacity: f64,
    ) -> Result<(), ChartError> {
        let points: Vec<_> = points.iter().map(|point| self.pixel_at(*point)).collect();
        self.draw(Polygon::new(points, color.mix(opacity)))
    }

    /// A filled disc.
    ///
    /// # Errors
    /// Fails if the backend fails.
    pub fn disc(&self, center: (f64, f64), radius: f64, color: RGBColor) -> Result<(), ChartError> {
        self.draw(Circle::new(
            self.pixel_at(center),
            (radius * self.scale).round() as i32,
            color.filled(),
        ))
    }

    /// One line of text, its middle at `y`.
    ///
    /// # Errors
    /// Fails if the backend fails.
    pub fn text(&self, label: &Label, at: (f64, f64), look: Type) -> Result<(), ChartError> {
        let (text, family) = if self.pixels {
            font::drawable(&label.text, &label.id)
        } else {
            (label.text.clone(), FAMILY)
        };
        let style = if look.bold {
            FontStyle::Bold
        } else {
            FontStyle::Normal
        };
        let size = look.em * SIZE_PER_EM * self.scale;
        let mut font = FontDesc::new(FontFamily::Name(family), size, style);
        if look.upright {
            font = font.transform(FontTransform::Rotate270);
        }
        let across = match look.align {
            Align::Left => HPos::Left,
            Align::Center => HPos::Center,
            Align::Right => HPos::Right,
        };
        // Each backend sets the line a little high, by its own share of the em.
        let drop = look.em * if self.pixels { 0.19 } else { 0.05 };
        let at = if look.upright {
            (at.0 + drop, at.1)
        } else {
            (at.0, at.1 + drop)
        };
        let style = font.color(&look.color).pos(Pos::new(across, VPos::Center));
        self.draw(Text::new(text, self.pixel_at(at), style))
    }

    /// Text without a fallback of its own.
    ///
    /// # Errors
    /// Fails if the backend fails.
    pub fn plain(&self, text: &str, at: (f64, f64), look: Type) -> Result<(), ChartError> {
        self.text(&Label::plain(text), at, look)
    }

    /// A label in at most `lines` lines no wider than `limit`, its block centred at `y`.
    ///
    /// # Errors
    /// Fails if the backend fails.
    pub fn block(
        &self,
        label: &Label,
        (x, y): (f64, f64),
        look: Type,
        limit: f64,
        lines: usize,
    ) -> Result<(), ChartError> {
        let text = if self.pixels {
            font::drawable(&label.text, &label.id).0
        } else {
            label.text.clone()
        };
        let lines = font::wrap(&text, look.em, limit, lines);
        let leading = look.em * 1.2;
        let top = y - leading * (lines.len() as f64 - 1.0) / 2.0;
        for (index, line) in lines.iter().enumerate() {
            self.plain(line, (x, top + leading * index as f64), look)?;
        }
        Ok(())
    }

    fn draw<E>(&self, element: E) -> Result<(), ChartError>
    where
        for<'e> &'e E: PointCollection<'e, (i32, i32)>,
        E: Drawable<DB>,
    {
        self.area
            .draw(&element)
            .map_err(|error| ChartError(error.to_string()))
    }
}

/// The solid parts of a dashed line.
fn dashes(points: &[(f64, f64)], pattern: &[f64]) -> Vec<Vec<(f64, f64)>> {
    let mut dashes = Vec::new();
    let (mut index, mut left) = (0, pattern[0]);
    let mut dash = points.first().map_or(Vec::new(), |first| vec![*first]);
    for pair in points.windows(2) {
        let (mut from, to) = (pair[0], pair[1]);
        loop {
            let length = (to.0 - from.0).hypot(to.1 - from.1);
            if length <= left {
                left -= length;
                if index % 2 == 0 {
                    dash.push(to);
                }
                break;
            }
            let share = left / length;
            from = (
                from.0 + (to.0 - from.0) * share,
                from.1 + (to.1 - from.1) * share,
            );
            if index % 2 == 0 {
                dash.push(from);
                dashes.push(std::mem::take(&mut dash));
            } else {
                dash = vec![from];
            }
            index = (index + 1) % pattern.len();
            left = pattern[index];
        }
    }
    if dash.len() > 1 {
        dashes.push(dash);
    }
    dashes
}

#[cfg(test)]
mod tests {
    use super::dashes;

    #[test]
    fn dashes_follow_the_corner_of_a_line() {
        // 10 right, 10 down; dash 8, gap 4: on 0–8, off 8–12, on 12–20.
        let found = dashes(&[(0.0, 0.0), (10.0, 0.0), (10.0, 10.0)], &[8.0, 4.0]);
        assert_eq!(
            found,
            vec![
                vec![(0.0, 0.0), (8.0, 0.0)],
                vec![(10.0, 2.0), (10.0, 10.0)]
            ]
        );
    }
}
