//! `qwen_smart_resize`: sizes I64 [K,5] → resized I64 [K,2]. `any_11ratio`: sizes I64 [K,3] → output I64
//! [K,2].

use crate::image::target_size::{SizeError, any_11ratio, smart_resize};
use crate::model::ModelError;
use crate::parity::case::{Case, CaseError, Tensors};
use crate::parity::component::Component;
use candle_core::{Device, Tensor};

/// The component `any_11ratio`.
pub(super) const ANY_11RATIO: Component = Component {
    name: "any_11ratio",
    run: |case, _| run_ratio(case),
};

/// The component `qwen_smart_resize`.
pub(super) const QWEN_SMART_RESIZE: Component = Component {
    name: "qwen_smart_resize",
    run: |case, _| run_smart(case),
};

fn run_smart(case: &Case) -> Result<Tensors, CaseError> {
    rows(case, "resized", |row: [i64; 5]| {
        let [height, width, factor, min, max] = row;
        smart_resize(
            side(height),
            side(width),
            side(factor),
            area(min),
            area(max),
        )
    })
}

fn run_ratio(case: &Case) -> Result<Tensors, CaseError> {
    rows(case, "output", |[width, height, anchor]: [i64; 3]| {
        any_11ratio(side(width), side(height), area(anchor))
    })
}

fn side(value: i64) -> u32 {
    u32::try_from(value).unwrap_or(0)
}

fn area(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

fn rows<const N: usize>(
    case: &Case,
    name: &str,
    size: impl Fn([i64; N]) -> Result<(u32, u32), SizeError>,
) -> Result<Tensors, CaseError> {
    let sizes = case.integers("sizes")?;
    let (sizes, _) = sizes.as_chunks::<N>();
    let mut out = Vec::with_capacity(sizes.len() * 2);
    for &row in sizes {
        let (height, width) = size(row).map_err(|error| ModelError::Input(error.to_string()))?;
        out.extend([i64::from(height), i64::from(width)]);
    }
    let out = Tensor::from_vec(out, (sizes.len(), 2), &Device::Cpu)?;
    Ok(Tensors::from([(name.into(), out)]))
}
