//! `bagel_transform`: sizes I64 [K,6] → resized I64 [K,2]; pictures under several settings → pixels.

use crate::model::ModelError;
use crate::model::processor::StridedProcessor;
use crate::parity::case::{Case, CaseError, Tensors};
use candle_core::{Device, Tensor};
use image::RgbImage;

/// Runs the component.
pub(super) fn run(case: &Case) -> Result<Tensors, CaseError> {
    let sizes = case.integers("sizes")?;
    let (sizes, _) = sizes.as_chunks::<6>();
    let mut resized = Vec::with_capacity(2 * sizes.len());
    for &[width, height, max, min, stride, pixels] in sizes {
        let size = processor([max, min, stride, pixels]).size((side(width), side(height)))?;
        resized.extend([i64::from(size.1), i64::from(size.0)]);
    }
    let resized = Tensor::from_vec(resized, (sizes.len(), 2), &Device::Cpu)?;
    let mut made = Tensors::from([("resized".to_owned(), resized)]);
    let settings = case.integers("settings")?;
    let (settings, _) = settings.as_chunks::<4>();
    for (i, image) in case.numbered("image") {
        let image = picture(image)?;
        for (j, &row) in settings.iter().enumerate() {
            let pixels = processor(row).prepare(&image)?;
            made.insert(format!("pixels.{i}.{j}"), pixels);
        }
    }
    Ok(made)
}

fn processor([max, min, stride, pixels]: [i64; 4]) -> StridedProcessor {
    StridedProcessor {
        max_side: side(max),
        min_side: side(min),
        stride: side(stride),
        max_pixels: u64::try_from(pixels).unwrap_or(0),
    }
}

fn side(value: i64) -> u32 {
    u32::try_from(value).unwrap_or(0)
}

/// U8 [H, W, 3] as a picture.
fn picture(values: &Tensor) -> Result<RgbImage, CaseError> {
    let (height, width, _) = values.dims3()?;
    let bytes: Vec<u8> = values.flatten_all()?.to_vec1()?;
    let image = RgbImage::from_raw(width as u32, height as u32, bytes);
    Ok(image.ok_or_else(|| ModelError::Input("image is not [H, W, 3]".into()))?)
}
