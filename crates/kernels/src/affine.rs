//! x · weightᵀ + bias, with gradients that are whole matrix products. candle would transpose the weight again
//! and sum the gradient of the bias number by number.

use super::memory::{gradient, read, slice};
use super::product::{filled, product};
use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor};
use gemm::Parallelism;
use rayon::prelude::*;

/// Products with fewer numbers run on one core.
const SHARED: usize = 1 << 18;

/// The layer: x [..., in], weight [out, in] and bias `[out]` give [..., out].
pub(crate) struct Affine;

/// The numbers of rows, inputs and outputs.
#[derive(Debug, Clone, Copy)]
struct Sizes {
    rows: usize,
    inputs: usize,
    outputs: usize,
}

impl Sizes {
    fn new(x: &Shape, weight: &Shape) -> Result<Self> {
        let (outputs, inputs) = weight.dims2()?;
        if x.dims().last() != Some(&inputs) || x.elem_count() == 0 {
            candle_core::bail!(
                "the weight {:?} does not fit the input {:?}",
                weight.dims(),
                x.dims()
            );
        }
        let rows = x.elem_count() / inputs;
        Ok(Self {
            rows,
            inputs,
            outputs,
        })
    }

    fn threads(&self) -> Parallelism {
        if self.rows * self.inputs * self.outputs < SHARED {
            Parallelism::None
        } else {
            Parallelism::Rayon(rayon::current_num_threads())
        }
    }

    fn forward(&self, x: &[f32], weight: &[f32], bias: Option<&[f32]>) -> Vec<f32> {
        let Self {
            rows,
            inputs,
            outputs,
        } = *self;
        let mut out = filled(rows * outputs, |out| {
            product(
                (rows, outputs, inputs),
                (out, outputs),
                (x, inputs, 1),
                (weight, 1, inputs),
                1.0,
                self.threads(),
            );
        });
        if let Some(bias) = bias {
            let lines = out.par_chunks_exact_mut(outputs).with_min_len(64);
            lines.for_each(|line| line.iter_mut().zip(bias).for_each(|(to, x)| *to += x));
        }
        out
    }

    /// gradient · weight.
    fn of_x(&self, weight: &[f32], grad: &[f32]) -> Vec<f32> {
        let Self {
            rows,
            inputs,
            outputs,
        } = *self;
        filled(rows * inputs, |out| {
            product(
                (rows, inputs, outputs),
                (out, inputs),
                (grad, outputs, 1),
                (weight, inputs, 1),
                1.0,
                self.threads(),
            );
        })
    }

    /// gradientᵀ · x.
    fn of_weight(&self, x: &[f32], grad: &[f32]) -> Vec<f32> {
        let Self {
            rows,
            inputs,
            outputs,
        } = *self;
        filled(outputs * inputs, |out| {
            product(
                (outputs, inputs, rows),
                (out, inputs),
                (grad, 1, outputs),
                (x, inputs, 1),
                1.0,
                self.threads(),
            );
        })
    }

    fn of_bias(&self, grad: &[f32]) -> Vec<f32> {
        let mut sum = vec![0f32; self.outputs];
        for line in grad.chunks_exact(self.outputs) {
            sum.iter_mut().zip(line).for_each(|(sum, x)| *sum += x);
        }
        sum
    }

    fn shape(&self, x: &Shape) -> Shape {
        let mut dims = x.dims().to_vec();
        if let Some(last) = dims.last_mut() {
            *last = self.outputs;
        }
        dims.into()
    }

    /// The requested gradients of x and of the weight.
    fn back(&self, x: &Tensor, weight: &Tensor, grad: &[f32]) -> Result<[Option<Tensor>; 2]> {
        Ok([
            gradient(x, || read(weight, |weight| Ok(self.of_x(weight, grad))))?,
            gradient(weight, || read(x, |x| Ok(self.of_weight(x, grad))))?,
        ])
    }
}

impl CustomOp2 for Affine {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let sizes = Sizes::new(x_layout.shape(), weight_layout.shape())?;
        let out = sizes.forward(slice(x, x_layout)?, slice(weight, weight_layout)?, None);
        Ok((CpuStorage::F32(out), sizes.shape(x_layout.shape())))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        _result: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let sizes = Sizes::new(x.shape(), weight.shape())?;
        read(grad, |grad| {
            let [of_x, of_weight] = sizes.back(x, weight, grad)?;
            Ok((of_x, of_weight))
        })
    }
}

impl CustomOp3 for Affine {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let sizes = Sizes::new(x_layout.shape(), weight_layout.shape())?;
        let bias = slice(bias, bias_layout)?;
        if bias.len() != sizes.outputs {
            candle_core::bail!(
                "the bias has {} numbers for {} outputs",
                bias.len(),
                sizes.outputs
            );
        }
        let weight = slice(weight, weight_layout)?;
        let out = sizes.forward(slice(x, x_layout)?, weight, Some(bias));
        Ok((CpuStorage::F32(out), sizes.shape(x_layout.shape())))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        _result: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let sizes = Sizes::new(x.shape(), weight.shape())?;
        read(grad, |grad| {
            let [of_x, of_weight] = sizes.back(x, weight, grad)?;
            let of_bias = gradient(bias, || Ok(sizes.of_bias(grad)))?;
            Ok((of_x, of_weight, of_bias))
        })
    }
}
