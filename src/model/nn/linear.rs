//! A linear layer that, on a CPU, shares the work of a single row between the threads and takes few rows the other way
//! round.

use candle_core::{D, DType, Device, Module, Result, Storage, Tensor};
use rayon::prelude::*;

/// Below so many weights a row is not worth sharing.
const WORTH: usize = 1 << 18;

/// Up to so many rows the product is made as weight · xᵀ and turned back.
const FEW: usize = 640;

/// Rows and columns that are turned at a time.
const TURN: usize = 32;

/// x · weightᵀ + bias; `weight` `[out, in]`, `bias` `[out]`.
///
/// Candle's product of a matrix and one vector, which every decoded token consists of, uses one thread: here each thread
/// takes some of the outputs. Every output is computed as before. For few rows candle's product would spend much of its time
/// on laying out the weights anew; the other way round they are read as they lie.
#[derive(Debug, Clone)]
pub struct Linear(candle_nn::Linear);

impl Linear {
    pub fn new(weight: Tensor, bias: Option<Tensor>) -> Self {
        Self(candle_nn::Linear::new(weight, bias))
    }

    fn few(&self, x: &Tensor, rows: usize) -> Result<Tensor> {
        let weight = self.0.weight();
        let (outputs, inputs) = weight.dims2()?;
        let turned = weight.matmul(&x.reshape((rows, inputs))?.t()?)?;
        let bias: Option<Vec<f32>> = self.0.bias().map(Tensor::to_vec1).transpose()?;
        let (storage, layout) = turned.storage_and_layout();
        let Storage::Cpu(storage) = &*storage else {
            candle_core::bail!("only tensors in main memory are read");
        };
        let values = &storage.as_slice::<f32>()?[layout.start_offset()..];
        let mut out = vec![0f32; rows * outputs];
        let bands = out.par_chunks_mut(TURN * outputs).enumerate();
        bands.for_each(|(band, out)| {
            turn_back(values, (rows, outputs), band * TURN, bias.as_deref(), out)
        });
        let mut shape = x.dims().to_vec();
        if let Some(last) = shape.last_mut() {
            *last = outputs;
        }
        Tensor::from_vec(out, shape, &Device::Cpu)
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
        let rows = x.elem_count() / x.dim(D::Minus1)?.max(1);
        let plain = x.device().is_cpu() && x.dtype() == DType::F32 && weight.is_contiguous();
        if plain && (2..=FEW).contains(&rows) && weight.elem_count() >= WORTH {
            return self.few(x, rows);
        }
        self.0.forward(x)
    }
}

/// Some rows of the transposed `values` [outputs, rows], from `first`, with the bias.
fn turn_back(
    values: &[f32],
    (rows, outputs): (usize, usize),
    first: usize,
    bias: Option<&[f32]>,
    out: &mut [f32],
) {
    let count = out.len() / outputs;
    for start in (0..outputs).step_by(TURN) {
        let end = outputs.min(start + TURN);
        // A block is read line by line into a square that stays in the cache, and written line by line.
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
            line.copy_from_slice(&square[..end - start]);
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
        let many = Tensor::randn(0f32, 1., (2, 35, 24), &device).unwrap();
        let worst = (layer.few(&many, 70).unwrap() - layer.0.forward(&many).unwrap()).unwrap();
        let worst: f32 = worst.abs().unwrap().max_all().unwrap().to_scalar().unwrap();
        assert!(worst < 1e-5, "{worst}");
        for threads in [2, 3, 40] {
            let shared = layer.row(&x, threads).unwrap();
            assert_eq!(shared.dims(), whole.dims());
            assert_eq!(values(shared), values(whole.clone()), "{threads}");
        }
    }
}
