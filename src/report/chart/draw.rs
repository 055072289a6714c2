//! What a chart is, and how it becomes SVG and PNG.

use super::canvas::{Canvas, PAPER};
use super::error::ChartError;
use plotters::prelude::{BitMapBackend, DrawingBackend, IntoDrawingArea, SVGBackend};

/// A picture of results.
pub trait Chart {
    /// Width and height in units, of which 1000 make a column of 88 mm.
    fn size(&self) -> (f64, f64);

    /// Draws it.
    ///
    /// # Errors
    /// Fails if the backend fails.
    fn draw<DB: DrawingBackend>(&self, canvas: &Canvas<'_, DB>) -> Result<(), ChartError>;
}

/// How wide a chart is printed. Text has the same size in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Width {
    /// One column, 88 mm.
    #[default]
    Column,
    /// The whole page, 180 mm.
    Page,
}

impl Width {
    /// The width in units, of which 1000 make a column of 88 mm.
    pub fn units(self) -> f64 {
        match self {
            Self::Column => 1000.0,
            Self::Page => 2045.0,
        }
    }
}

/// Units of a millimetre.
const MILLIMETRE: f64 = 1000.0 / 88.0;
/// SVG coordinates for each unit: plotters rounds coordinates to whole numbers.
const SVG_SCALE: f64 = 4.0;
/// Pixels for each unit of a PNG: 2000 pixels make a column, which are 577 dpi in print.
const PNG_SCALE: f64 = 2.0;

/// The chart as an SVG document of its printed size.
///
/// # Errors
/// Fails if the backend fails.
pub fn svg<C: Chart>(chart: &C) -> Result<String, ChartError> {
    let (width, height) = pixels(chart, SVG_SCALE);
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, (width, height)).into_drawing_area();
        chart.draw(&Canvas::new(&area, SVG_SCALE, false))?;
        area.present().map_err(|e| ChartError(e.to_string()))?;
    }
    let fine = format!("width=\"{width}\" height=\"{height}\"");
    let printed = |units: f64| (units / MILLIMETRE * 100.0).round() / 100.0;
    let (across, down) = chart.size();
    let shown = format!(
        "width=\"{}mm\" height=\"{}mm\"",
        printed(across),
        printed(down)
    );
    Ok(text.replacen(&fine, &shown, 1))
}

/// The chart as PNG bytes.
///
/// # Errors
/// Fails if the backend fails.
pub fn png<C: Chart>(chart: &C) -> Result<Vec<u8>, ChartError> {
    let (width, height) = pixels(chart, PNG_SCALE);
    let mut buffer = vec![0; width as usize * height as usize * 3];
    {
        let area = BitMapBackend::with_buffer(&mut buffer, (width, height)).into_drawing_area();
        area.fill(&PAPER).map_err(|e| ChartError(e.to_string()))?;
        chart.draw(&Canvas::new(&area, PNG_SCALE, true))?;
        area.present().map_err(|e| ChartError(e.to_string()))?;
    }
    let mut bytes = Vec::new();
    let encoder = image::codecs::png::PngEncoder::new(&mut bytes);
    image::ImageEncoder::write_image(
        encoder,
        &buffer,
        width,
        height,
        image::ExtendedColorType::Rgb8,
    )
    .map_err(|e| ChartError(e.to_string()))?;
    Ok(bytes)
}

fn pixels(chart: &impl Chart, scale: f64) -> (u32, u32) {
    let (width, height) = chart.size();
    ((width * scale) as u32, (height * scale) as u32)
}
