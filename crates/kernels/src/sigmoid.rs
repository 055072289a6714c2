//! Gates x · sigmoid(g(x)) and softmaxes on a CPU in f32, written so that the compiler can process many
//! elements at a time. The exponential of the C library, which candle calls for each element, takes longer
//! than the products around it.

use super::memory::{read, slice, together};
use super::product::filled;
use candle_core::{CpuStorage, CustomOp1, Device, Layout, Result, Shape, Tensor};
use pulp::Arch;
use rayon::prelude::*;
use std::mem::MaybeUninit;

/// Number of elements that a thread processes at a time.
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
    // The Taylor series up to r⁷, whose remainder is below 1e-8 there.
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

/// The argument of the sigmoid.
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
    fn argument(self, x: f32) -> f32 {
        match self {
            Self::Plain => x,
            Self::Quick => 1.702 * x,
            Self::Tanh => 1.595_769 * (x + 0.044_715 * x * x * x),
        }
    }

    #[inline(always)]
    fn slope(self, x: f32) -> f32 {
        match self {
            Self::Plain => 1.0,
            Self::Quick => 1.702,
            Self::Tanh => 1.595_769 * (1.0 + 3.0 * 0.044_715 * x * x),
        }
    }
}

/// Whether this module supports a tensor.
pub fn suits(x: &Tensor) -> bool {
    matches!(x.device(), Device::Cpu) && x.dtype() == candle_core::DType::F32 && x.is_contiguous()
}

/// Computes x · sigmoid(gate(x)) for a tensor that [`suits`] accepts.
///
/// # Errors
/// Fails if [`suits`] does not accept the tensor.
pub fn gated(x: &Tensor, gate: Gate) -> Result<Tensor> {
    x.apply_op1(gate)
}

impl CustomOp1 for Gate {
    fn name(&self) -> &'static str {
        "gate"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let values = slice(x, layout)?;
        let fill = |out: &mut [MaybeUninit<f32>], values: &[f32]| match self {
            // Each gate has a loop of its own, so that there is no branch inside.
            Self::Plain => gate_all(out, values, |x| Self::Plain.argument(x)),
            Self::Quick => gate_all(out, values, |x| Self::Quick.argument(x)),
            Self::Tanh => gate_all(out, values, |x| Self::Tanh.argument(x)),
        };
        let out = filled(values.len(), |out| {
            let pieces = out.par_chunks_mut(PIECE).zip(values.par_chunks(PIECE));
            let pieces = pieces.with_min_len(together(PIECE));
            pieces.for_each(|(out, values)| fill(out, values));
        });
        Ok((CpuStorage::F32(out), layout.shape().clone()))
    }

    fn bwd(&self, x: &Tensor, _result: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let fill = |out: &mut [MaybeUninit<f32>], pair: (&[f32], &[f32])| match self {
            Self::Plain => slope_all(out, pair, |x| {
                (Self::Plain.argument(x), Self::Plain.slope(x))
            }),
            Self::Quick => slope_all(out, pair, |x| {
                (Self::Quick.argument(x), Self::Quick.slope(x))
            }),
            Self::Tanh => slope_all(out, pair, |x| (Self::Tanh.argument(x), Self::Tanh.slope(x))),
        };
        let out = read(x, |x| {
            read(grad, |grad| {
                Ok(filled(x.len(), |out| {
                    let pairs = x.par_chunks(PIECE).zip(grad.par_chunks(PIECE));
                    let pieces = out.par_chunks_mut(PIECE).zip(pairs);
                    pieces.for_each(|(out, pair)| fill(out, pair));
                }))
            })
        })?;
        Tensor::from_vec(out, x.shape(), &Device::Cpu).map(Some)
    }
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

/// The gradient of x · sigmoid(gate(x)), multiplied by the incoming gradient. `gate` returns the gate and its
/// slope.
#[inline(always)]
fn slope_all(
    out: &mut [MaybeUninit<f32>],
    (values, grads): (&[f32], &[f32]),
    gate: impl Fn(f32) -> (f32, f32),
) {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for (out, (&x, &grad)) in out.iter_mut().zip(values.iter().zip(grads)) {
                let (gate, slope) = gate(x);
                let share = 1.0 / (1.0 + exp(-gate));
                out.write(grad * share * (1.0 + x * (1.0 - share) * slope));
            }
        },
    );
}

/// The softmax of every row of `width` values, in place.
pub(crate) fn softmax_rows(values: &mut [f32], width: usize) {
    values.chunks_mut(width).for_each(row_softmax);
}

fn row_softmax(row: &mut [f32]) {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            // Sixteen maxima and sums at a time.
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
                    // Masked scores are −∞ and have no weight.
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
