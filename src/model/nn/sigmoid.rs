//! Gates x · sigmoid(g(x)) and softmaxes on a CPU in f32, written so that the compiler can do many elements at a time:
//! the exponential of the C library, which candle calls for each, takes longer than the products around it.

use super::product::filled;
use candle_core::{Device, Result, Storage, Tensor};
use pulp::Arch;
use rayon::prelude::*;
use std::mem::MaybeUninit;

/// Elements that a thread takes at a time.
const PIECE: usize = 1 << 14;

/// e^x to within 2 units in the last place: 2^n · e^r with |r| ≤ ln 2 / 2 and a polynomial for e^r.
#[inline(always)]
fn exp(x: f32) -> f32 {
    const SHIFT: f32 = 12_582_912.0; // 1.5 · 2²³: adding it rounds to a whole number.
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let x = x.clamp(-87.0, 88.0);
    let shifted = x * std::f32::consts::LOG2_E + SHIFT;
    let n = shifted - SHIFT;
    let r = x - n * LN_2_HIGH - n * LN_2_LOW;
    // The Taylor series up to r⁷; its rest is below 1e-8 there.
    let p = 1.0 / 5040.0;
    let p = p * r + 1.0 / 720.0;
    let p = p * r + 1.0 / 120.0;
    let p = p * r + 1.0 / 24.0;
    let p = p * r + 1.0 / 6.0;
    let p = p * r + 0.5;
    let p = p * r + 1.0;
    let p = p * r + 1.0;
    let power = f32::from_bits(shifted.to_bits().wrapping_add(127) << 23);
    p * power
}

/// What stands in the sigmoid.
#[derive(Debug, Clone, Copy)]
pub enum Gate {
    /// x itself: SiLU.
    Plain,
    /// 1.702 x: the quick GELU.
    Quick,
    /// √(8/π) (x + 0.044715 x³): GELU's approximation through tanh.
    Tanh,
}

impl Gate {
    #[inline(always)]
    fn of(self, x: f32) -> f32 {
        match self {
            Self::Plain => x,
            Self::Quick => 1.702 * x,
            Self::Tanh => 1.595_769 * (x + 0.044_715 * x * x * x),
        }
    }
}

/// Whether a tensor can be read here.
pub fn suits(x: &Tensor) -> bool {
    matches!(x.device(), Device::Cpu) && x.dtype() == candle_core::DType::F32 && x.is_contiguous()
}

/// x · sigmoid(gate(x)) for a tensor that [`suits`].
///
/// # Errors
/// When it does not.
pub fn gated(x: &Tensor, gate: Gate) -> Result<Tensor> {
    let fill = |out: &mut [MaybeUninit<f32>], values: &[f32]| match gate {
        // One loop each, so that nothing is decided inside.
        Gate::Plain => gate_all(out, values, |x| Gate::Plain.of(x)),
        Gate::Quick => gate_all(out, values, |x| Gate::Quick.of(x)),
        Gate::Tanh => gate_all(out, values, |x| Gate::Tanh.of(x)),
    };
    mapped(x, PIECE, fill)
}

#[inline(always)]
fn gate_all(out: &mut [MaybeUninit<f32>], values: &[f32], gate: impl Fn(f32) -> f32) {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for (out, &x) in out.iter_mut().zip(values) {
                out.write(x / (1.0 + exp(-gate(x))));
            }
        },
    );
}

/// The softmax of every row of `width` values, in place.
pub fn softmax_rows(values: &mut [f32], width: usize) {
    values.chunks_mut(width).for_each(row_softmax);
}

fn row_softmax(row: &mut [f32]) {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            // Sixteen maxima and sums side by side.
            let mut most = [f32::NEG_INFINITY; 16];
            for run in row.chunks(16) {
                for (most, &x) in most.iter_mut().zip(run) {
                    *most = if x > *most { x } else { *most };
                }
            }
            let most = most.into_iter().fold(f32::NEG_INFINITY, f32::max);
            let mut total = [0f32; 16];
            for run in row.chunks_mut(16) {
                for (total, x) in total.iter_mut().zip(run) {
                    // Masked scores are −∞ and weigh nothing.
                    *x = if *x == f32::NEG_INFINITY {
                        0.0
                    } else {
                        exp(*x - most)
                    };
                    *total += *x;
                }
            }
            let share = 1.0 / total.into_iter().sum::<f32>();
            for x in row.iter_mut() {
                *x *= share;
            }
        },
    );
}

/// A tensor of the same shape, made piece by piece on all cores.
fn mapped(
    x: &Tensor,
    piece: usize,
    fill: impl Fn(&mut [MaybeUninit<f32>], &[f32]) + Sync,
) -> Result<Tensor> {
    let (storage, layout) = x.storage_and_layout();
    let Storage::Cpu(storage) = &*storage else {
        candle_core::bail!("only tensors in main memory are read");
    };
    let start = layout.start_offset();
    let values = &storage.as_slice::<f32>()?[start..start + x.elem_count()];
    let out = filled(values.len(), |out| {
        out.par_chunks_mut(piece)
            .zip(values.par_chunks(piece))
            .for_each(|(out, values)| fill(out, values));
    });
    Tensor::from_vec(out, x.shape(), &Device::Cpu)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponential_is_that_of_the_standard_library() {
        let mut x = -87.0f32;
        while x < 88.0 {
            let want = f64::from(x).exp();
            let off = (f64::from(exp(x)) - want).abs() / want;
            assert!(off < 2.5e-7, "{x}: {off}");
            x += 0.0137;
        }
        assert_eq!((exp(0.0), exp(-1e9) < 1e-37), (1.0, true));
    }

    #[test]
    fn gates_and_softmax_are_candles() {
        let device = Device::Cpu;
        let x = Tensor::randn(0f32, 4., (3, 5, 77), &device).unwrap();
        let pairs = [
            (gated(&x, Gate::Plain), x.silu()),
            (gated(&x, Gate::Tanh), x.gelu()),
            (
                gated(&x, Gate::Quick),
                (&x * 1.702).unwrap().silu().unwrap() / 1.702,
            ),
        ];
        for (number, (ours, candles)) in pairs.into_iter().enumerate() {
            let worst = (ours.unwrap() - candles.unwrap()).unwrap().abs().unwrap();
            let worst: f32 = worst.max_all().unwrap().to_scalar().unwrap();
            assert!(worst < 2e-6, "{number}: {worst}");
        }
        let mut rows: Vec<f32> = x.flatten_all().unwrap().to_vec1().unwrap();
        softmax_rows(&mut rows, 77);
        let candles = candle_nn::ops::softmax_last_dim(&x).unwrap();
        let candles: Vec<f32> = candles.flatten_all().unwrap().to_vec1().unwrap();
        assert!(rows.iter().zip(&candles).all(|(a, b)| (a - b).abs() < 1e-6));
        let mut masked = [f32::NEG_INFINITY, 0.0, 0.0];
        softmax_rows(&mut masked, 3);
        assert_eq!(masked, [0.0, 0.5, 0.5]);
    }
}
