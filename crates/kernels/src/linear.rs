//! A linear layer that, on a CPU, shares the work of a single row between the threads and transposes the
//! product of few rows.

use super::affine::Affine;
use super::product::{filled, product};
use candle_core::{D, DType, Device, Module, Result, Storage, Tensor};
use gemm::Parallelism;
use rayon::prelude::*;
use std::mem::MaybeUninit;

/// Below this number of weights, a row is not shared between threads.
const WORTH: usize = 1 << 18;

/// Up to this number of rows, the product is computed as weight · xᵀ and transposed.
const FEW: usize = 640;

/// Number of rows that the product's kernel processes at a time, and the number of remaining rows up to which
/// these are computed one by one.
const BLOCK: usize = 64;
const ALONE: usize = 1;

/// Number of rows and columns that are transposed at a time.
const TURN: usize = 32;

/// x · weightᵀ + bias; `weight` `[out, in]`, `bias` `[out]`.
///
/// candle computes the product of a matrix and one vector, which is most of the work of decoding, on one
/// thread. Here each thread computes some of the outputs, and every output is the same as in candle. For few
/// rows, candle's product would spend much of its time on copying the weights, which the transposed product
/// reads directly. On a GPU, candle does not accept views of some columns or of every other row, so `x` is
/// copied first.
#[derive(Debug, Clone)]
pub struct Linear(candle_nn::Linear);

impl Linear {
    /// A layer with this weight and bias.
    pub fn new(weight: Tensor, bias: Option<Tensor>) -> Self {
        Self(candle_nn::Linear::new(weight, bias))
    }

    fn few(&self, x: &Tensor, rows: usize) -> Result<Tensor> {
        let (outputs, inputs) = self.0.weight().dims2()?;
        let (mut shape, threads) = (x.dims().to_vec(), rayon::current_num_threads());
        let x = x.reshape((rows, inputs))?;
        let alone = alone(rows);
        let last = (rows - alone..rows).map(|row| {
            let row = self.row(&x.narrow(0, row, 1)?, threads)?;
            row.flatten_all()?.to_vec1::<f32>()
        });
        let last: Vec<Vec<f32>> = last.collect::<Result<_>>()?;
        let turned = self.turned(&x.narrow(0, 0, rows - alone)?)?;
        let bias: Option<Vec<f32>> = self.0.bias().map(Tensor::to_vec1).transpose()?;
        let out = filled(rows * outputs, |out| {
            let (most, rest) = out.split_at_mut((rows - alone) * outputs);
            let bands = most.par_chunks_mut(TURN * outputs).enumerate();
            bands.for_each(|(band, out)| {
                let shape = (rows - alone, outputs);
                turn_back(&turned, shape, band * TURN, bias.as_deref(), out);
            });
            for (out, row) in rest.chunks_mut(outputs).zip(&last) {
                out.iter_mut().zip(row).for_each(|(to, x)| _ = to.write(*x));
            }
        });
        if let Some(last) = shape.last_mut() {
            *last = outputs;
        }
        Tensor::from_vec(out, shape, &Device::Cpu)
    }

    /// weight · xᵀ, [outputs, rows], for x [rows, inputs].
    fn turned(&self, x: &Tensor) -> Result<Vec<f32>> {
        let weight = self.0.weight();
        let (outputs, inputs) = weight.dims2()?;
        let rows = x.dim(0)?;
        let (x_store, x_layout) = x.storage_and_layout();
        let (w_store, w_layout) = weight.storage_and_layout();
        let (Storage::Cpu(x_store), Storage::Cpu(w_store)) = (&*x_store, &*w_store) else {
            candle_core::bail!("this operation requires tensors in main memory");
        };
        let x_values = &x_store.as_slice::<f32>()?[x_layout.start_offset()..];
        let w_values = &w_store.as_slice::<f32>()?[w_layout.start_offset()..];
        Ok(filled(outputs * rows, |out| {
            product(
                (outputs, rows, inputs),
                (out, rows),
                (w_values, inputs, 1),
                (x_values, 1, inputs),
                1.0,
                Parallelism::Rayon(rayon::current_num_threads()),
            );
        }))
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
        let plain = x.device().is_cpu() && x.dtype() == DType::F32 && weight.is_contiguous();
        // The faster paths below do not support gradients.
        if x.track_op() || weight.track_op() {
            return match self.0.bias() {
                Some(bias) if plain => x.contiguous()?.apply_op3(weight, bias, Affine),
                None if plain => x.contiguous()?.apply_op2(weight, Affine),
                _ => self.0.forward(&x.contiguous()?),
            };
        }
        let threads = rayon::current_num_threads();
        let single = x.device().is_cpu() && x.dim(D::Minus1)? == x.elem_count();
        if single && threads > 1 && weight.elem_count() >= WORTH {
            return self.row(x, threads);
        }
        let rows = x.elem_count() / x.dim(D::Minus1)?.max(1);
        if plain && (2..=FEW).contains(&rows) && weight.elem_count() >= WORTH {
            return self.few(x, rows);
        }
        self.0.forward(&x.contiguous()?)
    }
}

/// The number of rows for which the product's kernel would need an additional block. These rows are computed
/// one by one.
fn alone(rows: usize) -> usize {
    match rows % BLOCK {
        rest if rest <= ALONE && rows > BLOCK => rest,
        _ => 0,
    }
}

/// Some rows of the transposed `values` [outputs, rows], from `first`, with the bias.
fn turn_back(
    values: &[f32],
    (rows, outputs): (usize, usize),
    first: usize,
    bias: Option<&[f32]>,
    out: &mut [MaybeUninit<f32>],
) {
    let count = out.len() / outputs;
    for start in (0..outputs).step_by(TURN) {
        let end = outputs.min(start + TURN);
        // A block is read line by line into a square that fits into the cache, and then written line by line.
        let mut square = [[0f32; TURN]; TURN];
        for (column, output) in (start..end).enumerate() {
            let line = &values[output * rows + first..output * rows + first + count];
            let bias = bias.map_or(0.0, |bias| bias[output]);
            for (row, value) in line.iter().enumerate() {
                square[row][column] = value + bias;
            }
        }
        for (row, square) in square.iter().enumerate().take(count) {
            let line = &mut out[row * outputs + start..row * outputs + end];
            line.iter_mut()
                .zip(square)
                .for_each(|(to, x)| _ = to.write(*x));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_and_turned_rows_are_the_rows() {
        let device = Device::Cpu;
        let weight = Tensor::randn(0f32, 1., (37, 24), &device).unwrap();
        let bias = Tensor::randn(0f32, 1., 37, &device).unwrap();
        let layer = Linear::new(weight, Some(bias));
        let x = Tensor::randn(0f32, 1., (1, 1, 24), &device).unwrap();
        let values = |y: Tensor| -> Vec<f32> { y.flatten_all().unwrap().to_vec1().unwrap() };
        let whole = layer.forward(&x).unwrap();
        assert_eq!(whole.dims(), [1, 1, 37]);
        // Sixty-five rows are a block and one alone.
        for rows in [35, 65] {
            let many = Tensor::randn(0f32, 1., (1, rows, 24), &device).unwrap();
            let worst =
                (layer.few(&many, rows).unwrap() - layer.0.forward(&many).unwrap()).unwrap();
            let worst: f32 = worst.abs().unwrap().max_all().unwrap().to_scalar().unwrap();
            assert!(worst < 1e-5, "{rows}: {worst}");
        }
        for threads in [2, 3, 40] {
            let shared = layer.row(&x, threads).unwrap();
            assert_eq!(shared.dims(), whole.dims());
            assert_eq!(values(shared), values(whole.clone()), "{threads}");
        }
    }
}
