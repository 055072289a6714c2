//! `numpy_rng`: seed I64 [1], ops I64 [K,4] → out.k I64 or F64.

use crate::model::ModelError;
use crate::parity::case::{Case, CaseError, Tensors};
use crate::parity::component::Component;
use crate::python::numpy_rng::NumpyRng;
use candle_core::{Device, Tensor};

/// The component `numpy_rng`.
pub(super) const NUMPY_RNG: Component = Component {
    name: "numpy_rng",
    run: |case, _| run(case),
};

fn run(case: &Case) -> Result<Tensors, CaseError> {
    let seed = case.integers("seed")?;
    let seed = seed.first().and_then(|&seed| u64::try_from(seed).ok());
    let mut rng = NumpyRng::new(seed.ok_or_else(|| input("the seed must not be negative"))?);
    let ops = case.integers("ops")?;
    let (ops, _) = ops.as_chunks::<4>();
    let mut got = Tensors::new();
    for (k, &op) in ops.iter().enumerate() {
        got.insert(format!("out.{k}"), draw(&mut rng, op)?);
    }
    Ok(got)
}

/// One row of the table: operation, a, b, n.
fn draw(rng: &mut NumpyRng, [op, a, b, n]: [i64; 4]) -> Result<Tensor, CaseError> {
    let (low, high) = match op {
        0 | 1 => (a, b - i64::from(op == 0)),
        _ => (0, a - 1),
    };
    if matches!(op, 0 | 1 | 2 | 7) && low > high {
        return Err(input("a range is empty").into());
    }
    let size =
        |value: i64| u32::try_from(value).map_err(|_| input("a size is negative or too large"));
    let mut shuffled = || Ok::<_, CaseError>(rng.permutation(size(a)?));
    let values: Vec<i64> = match op {
        // The draw of one value leaves half of a draw for the next, as a draw of many values does.
        0 | 1 | 2 | 7 => (0..n).map(|_| rng.integers(low, high)).collect(),
        3 if n <= a => rng
            .sample(size(a)?, size(n)?)
            .into_iter()
            .map(i64::from)
            .collect(),
        4 | 5 | 8 => shuffled()?.into_iter().map(i64::from).collect(),
        6 => {
            let values: Vec<f64> = (0..n).map(|_| rng.random()).collect();
            return Ok(Tensor::new(values, &Device::Cpu)?);
        }
        _ => return Err(input("there is no such operation").into()),
    };
    Ok(Tensor::new(values, &Device::Cpu)?)
}

fn input(message: &str) -> ModelError {
    ModelError::Input(message.into())
}
