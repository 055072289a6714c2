//! `torch.randn` on a CPU generator: the same seed gives the same noise as in PyTorch.
//!
//! It uses the Mersenne twister (MT19937) and Box-Muller, in the order in which PyTorch draws. The order
//! depends on the number of values and on their type, but not on the processor.

use candle_core::DType;
use std::f64::consts::TAU;

const LENGTH: usize = 624;
const SHIFT: usize = 397;
/// Number of radii that are transformed together with the same number of angles.
const HALF: usize = 8;
const BLOCK: usize = 2 * HALF;

/// A `torch.Generator("cpu")`.
#[derive(Debug, Clone)]
pub struct Generator {
    state: Box<[u32; LENGTH]>,
    next: usize,
    /// The second of a pair of normal values, if only the first was used.
    saved: Option<f64>,
}

impl Generator {
    /// `manual_seed(seed)`. The twister uses the low 32 bits.
    pub fn new(seed: u64) -> Self {
        let mut state = Box::new([0; LENGTH]);
        let mut last = seed as u32;
        for (i, word) in state.iter_mut().enumerate() {
            if i > 0 {
                last = (last ^ (last >> 30))
                    .wrapping_mul(1_812_433_253)
                    .wrapping_add(i as u32);
            }
            *word = last;
        }
        Self {
            state,
            next: LENGTH,
            saved: None,
        }
    }

    fn refill(&mut self) {
        for i in 0..LENGTH {
            let joined =
                (self.state[i] & 0x8000_0000) | (self.state[(i + 1) % LENGTH] & 0x7fff_ffff);
            let odd = if joined & 1 == 1 { 0x9908_b0df } else { 0 };
            self.state[i] = self.state[(i + SHIFT) % LENGTH] ^ (joined >> 1) ^ odd;
        }
        self.next = 0;
    }

    fn next32(&mut self) -> u32 {
        if self.next == LENGTH {
            self.refill();
        }
        let mut word = self.state[self.next];
        self.next += 1;
        word ^= word >> 11;
        word ^= (word << 7) & 0x9d2c_5680;
        word ^= (word << 15) & 0xefc6_0000;
        word ^ (word >> 18)
    }

    /// Uniform in 0..1 with 24 bits.
    fn single(&mut self) -> f32 {
        (self.next32() & 0x00ff_ffff) as f32 / (1 << 24) as f32
    }

    /// Uniform in 0..1 with 53 bits.
    pub fn uniform(&mut self) -> f64 {
        let high = u64::from(self.next32());
        let both = (high << 32) | u64::from(self.next32());
        (both & ((1 << 53) - 1)) as f64 / (1_u64 << 53) as f64
    }

    /// One normal value. Values are drawn in pairs.
    fn normal(&mut self) -> f64 {
        if let Some(saved) = self.saved.take() {
            return saved;
        }
        let angle = TAU * self.uniform();
        let radius = (-2.0 * (-self.uniform()).ln_1p()).sqrt();
        self.saved = Some(radius * angle.sin());
        radius * angle.cos()
    }

    fn fill_uniform(&mut self, values: &mut [f32]) {
        values.fill_with(|| self.single());
    }
}

/// `torch.randn(count, generator=generator, dtype=dtype)`, rounded to `dtype`; successive calls continue
/// where the last one ended. Every type other than BF16 and F16 counts as F32.
pub fn randn(generator: &mut Generator, count: usize, dtype: DType) -> Vec<f32> {
    let mut values = vec![0.0; count];
    let half = matches!(dtype, DType::BF16 | DType::F16);
    if count < BLOCK {
        values.fill_with(|| generator.normal() as f32);
    } else {
        if !half {
            generator.fill_uniform(&mut values);
        }
        let (blocks, rest) = values.as_chunks_mut::<BLOCK>();
        for block in blocks {
            if half {
                generator.fill_uniform(block);
            }
            transform(block);
        }
        // The last sixteen values are drawn again, including those that were already transformed.
        if !rest.is_empty()
            && let Some(block) = values.last_chunk_mut::<BLOCK>()
        {
            generator.fill_uniform(block);
            transform(block);
        }
    }
    match dtype {
        DType::BF16 => round(&mut values, |x| half::bf16::from_f32(x).to_f32()),
        DType::F16 => round(&mut values, |x| half::f16::from_f32(x).to_f32()),
        _ => {}
    }
    values
}

fn round(values: &mut [f32], to: impl Fn(f32) -> f32) {
    for value in values {
        *value = to(*value);
    }
}

/// Box-Muller on eight radii and eight angles, in single precision.
fn transform(block: &mut [f32; BLOCK]) {
    let (radii, angles) = block.split_at_mut(HALF);
    for (radius, angle) in radii.iter_mut().zip(angles) {
        // The uniform value may be 0 but never 1.
        let length = (-2.0 * (1.0 - *radius).ln()).sqrt();
        let (sin, cos) = (TAU as f32 * *angle).sin_cos();
        (*radius, *angle) = (length * cos, length * sin);
    }
}
