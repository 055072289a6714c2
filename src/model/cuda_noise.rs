//! `torch.randn` on a CUDA generator, computed on the CPU: the same seed gives the noise that PyTorch draws
//! on a GPU.
//!
//! It uses Philox4x32-10 (Salmon et al., SC 2011) and Box-Muller, as cuRAND does. Each thread of the device
//! computes four values of one block of random numbers. As long as a tensor has no more values than the
//! device runs threads at the same time, each value is the first of its thread, and the result is the same on
//! every device. The parity case `torch_cuda_randn` covers such sizes. The rule for larger tensors follows
//! PyTorch's kernel and depends on the number of threads.

use candle_core::DType;
use std::f32::consts::TAU;

/// The number of threads that an A100 runs at the same time: 108 multiprocessors with 2048 threads.
pub const A100_THREADS: usize = 221_184;

const ROUNDS: usize = 10;
const FACTORS: [u32; 2] = [0xd251_1f53, 0xcd9e_8d57];
const STEPS: [u32; 2] = [0x9e37_79b9, 0xbb67_ae85];

/// Values that a thread computes from one block of random numbers.
const VALUES: usize = 4;
/// 2^-32 and 2^-33.
const UNIT: f32 = 1.0 / 4_294_967_296.0;
const HALF: f32 = UNIT / 2.0;

/// A `torch.Generator("cuda")` on a device with a number of threads.
#[derive(Debug, Clone)]
pub struct CudaGenerator {
    key: [u32; 2],
    /// The first counter of the next draw.
    counter: u64,
    threads: usize,
}

impl CudaGenerator {
    /// `manual_seed(seed)` on a device that runs `threads` threads at the same time, which is 1 or more.
    pub fn new(seed: u64, threads: usize) -> Self {
        Self {
            key: [seed as u32, (seed >> 32) as u32],
            counter: 0,
            threads: threads.max(1),
        }
    }

    /// `torch.randn(count, generator=generator, device="cuda", dtype=dtype)`, rounded to `dtype`; successive
    /// calls continue where the last one ended. Every type other than BF16 and F16 counts as F32.
    pub fn randn(&mut self, count: usize, dtype: DType) -> Vec<f32> {
        let wave = VALUES * self.threads;
        let value = |i: usize| {
            let (round, place) = (i / wave, i % wave);
            let (part, thread) = (place / self.threads, place % self.threads);
            let words = self.block(self.counter + round as u64, thread as u64);
            let value = normal(words, part);
            match dtype {
                DType::BF16 => half::bf16::from_f32(value).to_f32(),
                DType::F16 => half::f16::from_f32(value).to_f32(),
                _ => value,
            }
        };
        let values = (0..count).map(value).collect();
        self.counter += count.div_ceil(wave) as u64;
        values
    }

    /// Four random words of a thread.
    fn block(&self, counter: u64, thread: u64) -> [u32; 4] {
        let words = [counter, thread].map(|word| [word as u32, (word >> 32) as u32]);
        philox(
            [words[0][0], words[0][1], words[1][0], words[1][1]],
            self.key,
        )
    }
}

/// Philox4x32-10.
fn philox(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for _ in 0..ROUNDS {
        let [a, b] = [(FACTORS[0], counter[0]), (FACTORS[1], counter[2])]
            .map(|(factor, word)| u64::from(factor) * u64::from(word));
        counter = [
            (b >> 32) as u32 ^ counter[1] ^ key[0],
            b as u32,
            (a >> 32) as u32 ^ counter[3] ^ key[1],
            a as u32,
        ];
        key = [key[0].wrapping_add(STEPS[0]), key[1].wrapping_add(STEPS[1])];
    }
    counter
}

/// The value with the number `part` of a block, in single precision. The first of each pair has the sine.
fn normal(words: [u32; 4], part: usize) -> f32 {
    let pair = 2 * (part / 2);
    let uniform = words[pair] as f32 * UNIT + HALF;
    let angle = words[pair + 1] as f32 * (TAU * UNIT) + TAU * HALF;
    let radius = (-2.0 * uniform.ln()).sqrt();
    if part.is_multiple_of(2) {
        radius * angle.sin()
    } else {
        radius * angle.cos()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // The known answer for a counter and a key of zeros, from the authors' test vectors.
    #[test]
    fn philox_gives_the_known_answer() {
        let want = [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8];
        assert_eq!(philox([0; 4], [0; 2]), want);
    }

    // Printed by PyTorch on CUDA devices: torch.manual_seed(seed); torch.randn(4, device="cuda"), twice.
    #[test]
    fn the_first_values_are_those_that_cuda_devices_print() {
        for (seed, draws) in [
            (0, vec![[-0.9247f32, -0.4253, -2.6438, 0.1452]]),
            (
                42,
                vec![
                    [0.1940, 2.1614, -0.1721, 0.8491],
                    [0.1391, -0.1082, -0.7174, 0.7566],
                ],
            ),
        ] {
            let mut generator = CudaGenerator::new(seed, A100_THREADS);
            for want in draws {
                let got = generator.randn(4, DType::F32);
                for (got, want) in got.iter().zip(want) {
                    assert!((got - want).abs() < 6e-5, "seed {seed}: {got} {want}");
                }
            }
        }
    }

    #[test]
    fn a_larger_tensor_has_more_values_of_each_thread() {
        let small = CudaGenerator::new(7, 8).randn(8, DType::F32);
        let mut generator = CudaGenerator::new(7, 8);
        let large = generator.randn(40, DType::F32);
        assert_eq!(large[..8], small);
        // The value with the number 32 is the first of thread 0 in the second round.
        let mut again = CudaGenerator::new(7, 8);
        again.randn(32, DType::F32);
        assert_eq!(again.randn(8, DType::F32), large[32..]);
        // Forty values take two rounds, so the next draw begins with the third.
        let mut third = CudaGenerator::new(7, 8);
        third.randn(64, DType::F32);
        assert_eq!(third.randn(4, DType::F32), generator.randn(4, DType::F32));
    }
}
