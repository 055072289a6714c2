//! `torch_cuda_randn`: successive draws of `torch.randn` on a CUDA generator, in f32 and f16.

use crate::model::ModelError;
use crate::model::cuda_noise::{A100_THREADS, CudaGenerator};
use crate::parity::case::{Case, CaseError, Tensors};
use crate::parity::component::Component;
use candle_core::{DType, Device, Tensor};

/// The component `torch_cuda_randn`.
pub(super) const TORCH_CUDA_RANDN: Component = Component {
    name: "torch_cuda_randn",
    run,
};

fn run(case: &Case, device: &Device) -> Result<Tensors, CaseError> {
    let (seeds, sizes, draws) = (
        case.integers("seed")?,
        case.integers("size")?,
        case.integers("draws")?,
    );
    let positive = |value: i64| {
        usize::try_from(value)
            .map_err(|_| ModelError::Input("`size` or `draws` has a negative number".into()))
    };
    let mut tensors = Tensors::new();
    for (number, ((seed, size), draws)) in seeds.into_iter().zip(sizes).zip(draws).enumerate() {
        let (size, draws) = (positive(size)?, positive(draws)?);
        for (name, dtype) in [("f32", DType::F32), ("f16", DType::F16)] {
            let mut generator = CudaGenerator::new(seed as u64, A100_THREADS);
            let mut values = Vec::with_capacity(size * draws);
            for _ in 0..draws {
                values.extend(generator.randn(size, dtype));
            }
            tensors.insert(
                format!("randn.{number}.{name}"),
                Tensor::from_vec(values, (draws, size), device)?,
            );
        }
    }
    Ok(tensors)
}
