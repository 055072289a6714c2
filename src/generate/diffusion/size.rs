//! The size of a generated picture.

use crate::generate::error::GenerateError;
use crate::generate::generator::Request;
use crate::image::target_size::{Ratios, kontext_size};
use crate::image::{dimensions, read_file};
use serde::{Deserialize, Serialize};

/// The size of the pictures: `[width, height]`, or a named set of ratios, of which the one nearest to the
/// input images is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(untagged)]
pub enum Size {
    Pixels([u32; 2]),
    Nearest(Ratios),
    /// Of the sizes of FLUX.1-Kontext the one that is nearest to the first input image. The settings of a
    /// generator name it in their own way.
    #[serde(skip)]
    Kontext,
}

/// The size of one picture in packed tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Canvas {
    /// Number of tokens from top to bottom.
    pub h: usize,
    /// Number of tokens from left to right.
    pub w: usize,
}

/// Chooses the canvas of every request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizing {
    size: Size,
    /// The area, in pixels, that a size from a named set of ratios should have.
    anchor: u64,
    /// Side of a token, in pixels.
    cells: u32,
}

impl Sizing {
    /// The sizes that the settings ask for. `cells` is the side of a token in pixels.
    ///
    /// # Errors
    /// Fails if a side in pixels is not a multiple of the side of a token.
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
            Size::Kontext => kontext(request)?,
        };
        Ok(Canvas {
            h: (height / self.cells) as usize,
            w: (width / self.cells) as usize,
        })
    }
}

/// The (height, width) of FLUX.1-Kontext for the first input image. Without one, it is a square.
fn kontext(request: &Request<'_>) -> Result<(u32, u32), GenerateError> {
    let (width, height) = match request.item.images.first() {
        Some(image) => {
            let bytes = read_file(&request.base.join(image))?;
            dimensions(&bytes, image)?
        }
        None => (1, 1),
    };
    let (width, height) = kontext_size(width, height)
        .map_err(|error| GenerateError::item("image", error.to_string()))?;
    Ok((height, width))
}

/// The (height, width) for the mean width and height of the first two input images, as in UniWorld's script.
/// Without images, it is a square.
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
