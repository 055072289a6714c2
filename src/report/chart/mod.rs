//! Charts for a paper's column, drawn once and written as SVG and PNG.
//!
//! Every chart is a plain description that [`Chart::draw`] puts on a [canvas](canvas::Canvas), regardless of
//! the backend. Sizes are in units of which 1000 make the width of a column: text of 28 units is 7 pt in a
//! column of 88 mm.

mod axis;
mod bars;
pub mod canvas;
mod distribution;
mod draw;
mod drawn;
mod error;
mod font;
mod forest;
mod frame;
mod heat;
mod lines;
mod matrix;
mod radar;
mod scatter;
mod series;
mod suite;

pub use bars::Bars;
pub use distribution::Distribution;
pub use draw::{Chart, Width, png, svg};
pub use drawn::Drawn;
pub(crate) use drawn::distinct;
pub use error::ChartError;
pub use forest::{Effect, Forest};
pub use heat::Heat;
pub use lines::{Curve, Lines, Point};
pub use matrix::Matrix;
pub use radar::Radar;
pub use scatter::{Scatter, Spot};
pub use series::Look;
pub use suite::of_suite;
