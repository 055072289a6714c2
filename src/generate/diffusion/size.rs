//! How large a picture is made.

use crate::generate::error::GenerateError;
use crate::generate::generator::Request;
use crate::image::size::Ratios;
use crate::image::{dimensions, read_file};
use serde::{Deserialize, Serialize};

/// The size of the pictures: `[width, height]`, or a named set of ratios, of which the one nearest to the
/// input images is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(untagged)]
pub enum Size {
    Pixels([u32; 2]),
    Nearest(Ratios),
}

/// One picture in packed tokens, down and across.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Canvas {
    /// Tokens down.
    pub h: usize,
    /// Tokens across.
    pub w: usize,
}

/// Chooses the canvas of every request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizing {
    size: Size,
    /// Area that a named set of ratios aims at, in pixels.
    anchor: u64,
    /// Pixels that a token spans along a side.
    cells: u32,
}

impl Sizing {
    /// The sizes that the settings ask for, where a token spans `cells` pixels along a side.
    ///
    /// # Errors
    /// Fails if a size in pixels is not made of whole tokens.
    pub(super) fn new(size: Size, anchor: u64, cells: u32) -> Result<Self, GenerateError> {
        if let Size::Pixels([width, height]) = size
            && [width, height]
                .iter()
                .any(|&side| side == 0 || side % cells != 0)
        {
            return Err(GenerateError::fatal(
                format!("`size` = [{width}, {height}]: both sides must be multiples of {cells}"),
                "a token of the denoiser covers that many pixels",
            ));
        }
        Ok(Self {
            size,
            anchor,
            cells,
        })
    }

    /// The canvas of a request's picture.
    ///
    /// # Errors
    /// Fails if an input image cannot be read.
    pub(super) fn canvas(&self, request: &Request<'_>) -> Result<Canvas, GenerateError> {
        let (height, width) = match self.size {
            Size::Pixels([width, height]) => (height, width),
            Size::Nearest(ratios) => nearest(request, ratios, self.anchor)?,
        };
        Ok(Canvas {
            h: (height / self.cells) as usize,
            w: (width / self.cells) as usize,
        })
    }
}

/// (height, width) for the mean width and height of the first two input images, as UniWorld's script has it;
/// a square without images.
fn nearest(
    request: &Request<'_>,
    ratios: Ratios,
    anchor: u64,
) -> Result<(u32, u32), GenerateError> {
    let mut sides = Vec::new();
    for image in request.item.images.iter().take(2) {
        let path = request.base.join(image);
        let size = read_file(&path).and_then(|bytes| dimensions(&bytes, image));
        sides.push(size?);
    }
    if sides.is_empty() {
        sides.push((1, 1));
    }
    let mean = |side: fn(&(u32, u32)) -> u32| {
        let total: u64 = sides.iter().map(|both| u64::from(side(both))).sum();
        (total / sides.len() as u64) as u32
    };
    ratios
        .size(mean(|both| both.0), mean(|both| both.1), anchor)
        .map_err(|error| GenerateError::item("image", error.to_string()))
}
