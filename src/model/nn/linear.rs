//! A linear layer that shares the work of a single row between the threads of a CPU.

use candle_core::{D, Module, Result, Tensor};
use rayon::prelude::*;

/// Below so many weights a row is not worth sharing.
const WORTH: usize = 1 << 18;

/// x · weightᵀ + bias; `weight` `[out, in]`, `bias` `[out]`.
///
/// Candle's product of a matrix and one vector, which every decoded token consists of, uses one thread: here each thread
/// takes some of the outputs. Every output is computed as before.
#[derive(Debug, Clone)]
pub struct Linear(candle_nn::Linear);

impl Linear {
    pub fn new(weight: Tensor, bias: Option<Tensor>) -> Self {
        Self(candle_nn::Linear::new(weight, bias))
    }

    fn row(&self, x: &Tensor, threads: usize) -> Result<Tensor> {
        let weight = self.0.weight();
        let outputs = weight.dim(0)?;
        let step = outputs.div_ceil(threads);
        let starts: Vec<usize> = (0..outputs).step_by(step).collect();
        let parts = starts.into_par_iter().map(|start| {
            let part = weight.narrow(0, start, step.min(outputs - start))?;
            candle_nn::Linear::new(part, None).forward(x)
        });
        let joined = Tensor::cat(&parts.collect::<Result<Vec<_>>>()?, D::Minus1)?;
        match self.0.bias() {
            Some(bias) => joined.broadcast_add(bias),
            None => Ok(joined),
        }
    }
}

impl Module for Linear {
    fn forward(&self, x: &Tensor) -> Result<Tensor> {
        let weight = self.0.weight();
        let threads = rayon::current_num_threads();
        let single = x.device().is_cpu() && x.dim(D::Minus1)? == x.elem_count();
        if single && threads > 1 && weight.elem_count() >= WORTH {
            return self.row(x, threads);
        }
        self.0.forward(x)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn a_shared_row_is_the_row() {
        let device = Device::Cpu;
        let weight = Tensor::randn(0f32, 1., (37, 24), &device).unwrap();
        let bias = Tensor::randn(0f32, 1., 37, &device).unwrap();
        let layer = Linear::new(weight, Some(bias));
        let x = Tensor::randn(0f32, 1., (1, 1, 24), &device).unwrap();
        let values = |y: Tensor| -> Vec<f32> { y.flatten_all().unwrap().to_vec1().unwrap() };
        let whole = layer.forward(&x).unwrap();
        assert_eq!(whole.dims(), [1, 1, 37]);
        for threads in [2, 3, 40] {
            let shared = layer.row(&x, threads).unwrap();
            assert_eq!(shared.dims(), whole.dims());
            assert_eq!(values(shared), values(whole.clone()), "{threads}");
        }
    }
}
