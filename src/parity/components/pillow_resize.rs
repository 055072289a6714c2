//! `pillow_resize`: image.i U8 [H,W,3] → image.i.FILTER.HxW U8 [h,w,3], as the names of the expected tensors
//! say.

use crate::image::pillow::{Filter, resize};
use crate::parity::case::{Case, CaseError, Tensors};
use crate::parity::component::Component;
use candle_core::{Device, Tensor};
use image::RgbImage;

/// The component `pillow_resize`.
pub(super) const PILLOW_RESIZE: Component = Component {
    name: "pillow_resize",
    run: |case, _| run(case),
};

fn run(case: &Case) -> Result<Tensors, CaseError> {
    let mut got = Tensors::new();
    for name in case.expected.keys() {
        if let Some((source, filter, width, height)) = parse(name) {
            let source = picture(case.input(source)?)?;
            let resized = resize(&source, width, height, filter);
            let shape = (height as usize, width as usize, 3);
            let tensor = Tensor::from_vec(resized.into_raw(), shape, &Device::Cpu)?;
            got.insert(name.clone(), tensor);
        }
    }
    Ok(got)
}

/// `image.0.bicubic.13x120` → ("image.0", bicubic, 120, 13).
fn parse(name: &str) -> Option<(&str, Filter, u32, u32)> {
    let (rest, size) = name.rsplit_once('.')?;
    let (source, filter) = rest.rsplit_once('.')?;
    let (height, width) = size.split_once('x')?;
    let filter = Filter::from_name(filter)?;
    Some((source, filter, width.parse().ok()?, height.parse().ok()?))
}

fn picture(pixels: &Tensor) -> candle_core::Result<RgbImage> {
    let (height, width, _) = pixels.dims3()?;
    let pixels = pixels.flatten_all()?.to_vec1()?;
    RgbImage::from_raw(width as u32, height as u32, pixels)
        .ok_or_else(|| candle_core::Error::msg("a picture is U8 [H,W,3]"))
}
