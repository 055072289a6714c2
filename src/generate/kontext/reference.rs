//! The phase `reference`: from the input image to latents.

use super::settings::KontextSettings;
use crate::cancel::Cancel;
use crate::generate::error::GenerateError;
use crate::generate::generator::Request;
use crate::generate::pipeline::{
    CheckpointFolder, Key, Made, Named, Network, NetworkInfo, Phase, Stage, Step, running,
};
use crate::image::pillow::{Filter, resize};
use crate::image::target_size::kontext_size;
use crate::image::{decode_file, read_file};
use crate::model::Result;
use crate::model::flux::kontext::Reference;
use crate::model::flux_vae::{Encoder, VaeConfig};
use crate::model::processor::signed_pixels;
use crate::record::{Object, add_note};
use candle_core::{DType, Device, Tensor};
use image::RgbImage;
use image::imageops::replace;
use serde_json::json;

/// The packed latents of the input image, [1, n, 4c].
pub(super) const REFERENCE: &str = "reference";
/// The number of its tokens from top to bottom and from left to right, U32 `[2]`.
pub(super) const REFERENCE_GRID: &str = "reference_grid";

struct ReferenceStage {
    encoder: Network<Encoder>,
    size: Option<[u32; 2]>,
    stitch: bool,
    device: Device,
    dtype: DType,
}

/// The phase for a folder that has `vae/`.
///
/// # Errors
/// Fails if the configuration is absent or wrong.
pub(super) fn reference_phase(
    settings: &KontextSettings,
    folder: &CheckpointFolder,
) -> Result<Phase, GenerateError> {
    let config: VaeConfig = folder.config("vae/config.json")?;
    let cells = 2 * config.scale_factor() as u32;
    let info = NetworkInfo::new("VAE encoder", folder.location_of("vae"), folder.dtype());
    let encoder = Network::new(info, move |weights| Encoder::new(&config, weights));
    let (size, stitch, dtype) = (settings.reference_size, settings.stitch, folder.dtype());
    Ok(Phase::new(
        "reference",
        vec![encoder.any()],
        move |device| {
            let odd = |side: &u32| *side == 0 || !side.is_multiple_of(cells);
            if let Some([width, height]) = size.filter(|size| size.iter().any(odd)) {
                return Err(GenerateError::fatal(
                    format!(
                        "`reference_size` = [{width}, {height}]: both sides must be multiples of {cells}"
                    ),
                    "a token of the denoiser covers that many pixels",
                ));
            }
            Ok(ReferenceStage {
                encoder,
                size,
                stitch,
                device: device.clone(),
                dtype,
            })
        },
    ))
}

impl Stage for ReferenceStage {
    fn wants(&self, request: &Request<'_>) -> bool {
        !request.item.images.is_empty()
    }

    fn key(&self, request: &Request<'_>, before: &Key) -> Result<Key, GenerateError> {
        let images = request.item.images.iter();
        let read = |image: &String| -> Result<Vec<u8>, GenerateError> {
            Ok(read_file(&request.base.join(image))?)
        };
        let bytes: Vec<Vec<u8>> = images.map(read).collect::<Result<_, _>>()?;
        let shape = json!(["reference", self.size, self.dtype.as_str()]);
        Ok(Key::after(before, &shape, &bytes))
    }

    fn run(&mut self, request: &Request<'_>, _: &Named, _: &Cancel) -> Result<Step, GenerateError> {
        let mut extra = Object::new();
        let picture = self.picture(request, &mut extra)?;
        let encoder = self.encoder.get()?;
        let encode = || -> Result<Named> {
            let pixels = signed_pixels(&picture)?.to_device(&self.device)?;
            let reference = Reference::encode(&encoder, &pixels.to_dtype(self.dtype)?)?;
            let grid = [reference.grid.0 as u32, reference.grid.1 as u32];
            let grid = Tensor::new(&grid, &self.device)?;
            let named = [
                (REFERENCE.to_owned(), reference.tokens),
                (REFERENCE_GRID.to_owned(), grid),
            ];
            Ok(named.into())
        };
        Ok(Step {
            made: Made::Tensors(encode().map_err(running("reference"))?),
            extra,
        })
    }
}

impl ReferenceStage {
    /// The input image at the size that the network reads.
    fn picture(
        &self,
        request: &Request<'_>,
        extra: &mut Object,
    ) -> Result<RgbImage, GenerateError> {
        let images = &request.item.images;
        if images.len() > 1 && !self.stitch {
            return Err(GenerateError::item(
                "image",
                format!(
                    "the item has {} input images, but the network reads one; `stitch = true` puts them side by side",
                    images.len()
                ),
            ));
        }
        let mut pictures = Vec::new();
        for image in images {
            let decoded = decode_file(&request.base.join(image))?;
            for change in &decoded.changes {
                add_note(extra, &change.note("an input picture of the item"));
            }
            pictures.push(decoded.rgb);
        }
        let picture = side_by_side(&pictures);
        let (width, height) = match self.size {
            Some([width, height]) => (width, height),
            None => kontext_size(picture.width(), picture.height())
                .map_err(|error| GenerateError::item("image", error.to_string()))?,
        };
        Ok(resize(&picture, width, height, Filter::Lanczos))
    }
}

/// Pictures from left to right, each at the height of the first.
fn side_by_side(pictures: &[RgbImage]) -> RgbImage {
    let [first, rest @ ..] = pictures else {
        return RgbImage::new(1, 1);
    };
    let height = first.height();
    let mut all = vec![first.clone()];
    all.extend(rest.iter().map(|picture| {
        let ratio = f64::from(picture.width()) / f64::from(picture.height().max(1));
        let width = (f64::from(height) * ratio).round_ties_even().max(1.0) as u32;
        resize(picture, width, height, Filter::Lanczos)
    }));
    let width = all.iter().map(RgbImage::width).sum();
    let mut joined = RgbImage::new(width, height);
    let mut left = 0;
    for picture in &all {
        replace(&mut joined, picture, left, 0);
        left += i64::from(picture.width());
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;

    #[test]
    fn pictures_stand_side_by_side_at_one_height() {
        let red = RgbImage::from_pixel(4, 6, Rgb([255, 0, 0]));
        let blue = RgbImage::from_pixel(10, 12, Rgb([0, 0, 255]));
        let joined = side_by_side(&[red.clone(), blue]);
        assert_eq!(joined.dimensions(), (9, 6));
        assert_eq!(joined.get_pixel(3, 5), &Rgb([255, 0, 0]));
        assert_eq!(joined.get_pixel(4, 0), &Rgb([0, 0, 255]));
        assert_eq!(side_by_side(std::slice::from_ref(&red)), red);
    }
}
