//! `torch_randn`: seed, size, draws I64 [K] → randn.k.{f32,bf16,f16} [draws,size], as F32.

use crate::model::ModelError;
use crate::model::noise::{Generator, randn};
use crate::parity::case::{Case, CaseError, Tensors};
use crate::parity::component::Component;
use candle_core::{DType, Device, Tensor};

/// The component `torch_randn`.
pub(super) const TORCH_RANDN: Component = Component {
    name: "torch_randn",
    run: |case, _| run(case),
};

fn run(case: &Case) -> Result<Tensors, CaseError> {
    let seeds = case.integers("seed")?;
    let shapes = case
        .integers("draws")?
        .into_iter()
        .zip(case.integers("size")?);
    let mut got = Tensors::new();
    for (k, (&seed, (draws, size))) in seeds.iter().zip(shapes).enumerate() {
        let (draws, size) = (count(draws)?, count(size)?);
        for dtype in [DType::F32, DType::BF16, DType::F16] {
            // As in torch, a negative seed counts as its two's complement.
            let mut generator = Generator::new(seed as u64);
            let mut values = Vec::with_capacity(draws * size);
            for _ in 0..draws {
                values.extend(randn(&mut generator, size, dtype));
            }
            let tensor = Tensor::from_vec(values, (draws, size), &Device::Cpu)?;
            got.insert(format!("randn.{k}.{}", dtype.as_str()), tensor);
        }
    }
    Ok(got)
}

fn count(value: i64) -> Result<usize, ModelError> {
    usize::try_from(value).map_err(|_| ModelError::Input("a size is negative".into()))
}
