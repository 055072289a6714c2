//! Gates x · sigmoid(g(x)) and the softmax on a CPU in f32, written so that the compiler can do many elements at a time:
//! the exponential of the C library, which candle calls for each, takes longer than the products around it.

use candle_core::{Device, Result, Storage, Tensor};
use pulp::Arch;
use rayon::prelude::*;

/// Elements that a thread takes at a time.
const PIECE: usize = 1 << 14;

/// e^x to within 2 units in the last place: 2^n · e^r with |r| ≤ ln 2 / 2 and a polynomial for e^r.
#[inline(always)]
fn exp(x: f32) -> f32 {
    const SHIFT: f32 = 12_582_912.0; // 1.5 · 2²³: adding it rounds to a whole number.
    const LN_2_HIGH: f32 = 0.693_359_375;
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
            Self::Tanh => 1.595_769_1 * (x + 0.044_715 * x * x * x),
        }
    }
}

/// Whether a tensor can be read here.
pub fn suits(x: &Tensor) -> bool {
    matches!(x.device(), Device::Cpu)
        && x.dtype() == candle_core::DType::F32
        && x.is_contiguous()
}

/// x · sigmoid(gate(x)) for a tensor that [`suits`].
///
/// # Errors
/// When it does not.
pub fn gated(x: &Tensor, gate: Gate) -> Result<Tensor> {
    let fill = |out: &mut [f32], values: &[f32]| match gate {
        // One loop each, so that nothing is decided inside.
        Gate::Plain => gate_all(out, values, |x| Gate::Plain.of(x)),
        Gate::Quick => gate_all(out, values, |x| Gate::Quick.of(x)),
        Gate::Tanh => gate_all(out, values, |x| Gate::Tanh.of(x)),
    };
    mapped(x, PIECE, fill)
}

#[inline(always)]
fn gate_all(out: &mut [f32], values: &[f32], gate: impl Fn(f32) -> f32) {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for (out, &x) in out.iter_mut().zip(values) {
                *out = x / (1.0 + exp(-gate(x)));
            }
        },
    );
}

/// The softmax over the last axis for a tensor that [`suits`].
///
/// # Errors
/// When it does not.
pub fn softmax(x: &Tensor) -> Result<Tensor> {
    let width = x.dims().last().copied().unwrap_or(0).max(1);
    let rows = (PIECE / width).max(1);
    mapped(x, rows * width, |out, values| {
        for (out, row) in out.chunks_mut(width).zip(values.chunks(width)) {
            row_softmax(out, row);
        }
    })
}

fn row_softmax(out: &mut [f32], row: &[f32]) {
    let most = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for (out, &x) in out.iter_mut().zip(row) {
                // Masked scores are −∞ and weigh nothing.
                *out = if x == f32::NEG_INFINITY { 0.0 } else { exp(x - most) };
            }
            let total: f32 = out.chunks(64).map(|run| run.iter().sum::<f32>()).sum();
            let share = 1.0 / total;
            for out in out.iter_mut() {
                *out *= share;
            }
        },
    );
}

/// A tensor of the same shape, made piece by piece on all cores.
fn mapped(x: &Tensor, piece: usize, fill: impl Fn(&mut [f32], &[f32]) + Sync) -> Result<Tensor> {
    let (storage, layout) = x.storage_and_layout();
    let Storage::Cpu(storage) = &*storage else {
        candle_core::bail!("only tensors in main memory are read");
    };
    let start = layout.start_offset();
    let values = &storage.as_slice::<f32>()?[start..start + x.elem_count()];
    let mut out = vec![0f32; values.len()];
    out.par_chunks_mut(piece)
        .zip(values.par_chunks(piece))
        .for_each(|(out, values)| fill(out, values));
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
            (gated(&x, Gate::Quick), (&x * 1.702).unwrap().silu().unwrap() / 1.702),
            (softmax(&x), candle_nn::ops::softmax_last_dim(&x)),
        ];
        for (number, (ours, candles)) in pairs.into_iter().enumerate() {
            let worst = (ours.unwrap() - candles.unwrap()).unwrap().abs().unwrap();
            let worst: f32 = worst.max_all().unwrap().to_scalar().unwrap();
            assert!(worst < 2e-6, "{number}: {worst}");
        }
        let masked = Tensor::new(&[[f32::NEG_INFINITY, 0.0, 0.0]], &device).unwrap();
        let weights: Vec<Vec<f32>> = softmax(&masked).unwrap().to_vec2().unwrap();
        assert_eq!(weights, [[0.0, 0.5, 0.5]]);
    }
}
