//! `numpy.random.default_rng`: the random draws of GenEval's script, exact to the bit.
//!
//! SeedSequence and PCG64 (XSL-RR 128/64) follow numpy's documentation. Bounded integers use Lemire's method,
//! and choices without replacement use Floyd's. For every integer type, numpy draws ranges below 2³² from the
//! stream of 32-bit halves, and larger ranges from whole 64-bit draws.

use std::collections::HashSet;

/// A numpy `Generator` over PCG64.
#[derive(Debug, Clone)]
pub struct NumpyRng {
    state: u128,
    increment: u128,
    /// The upper half of the last 64-bit draw, if only the lower half was used.
    saved: Option<u32>,
}

const MULTIPLIER: u128 = 0x2360_ED05_1FC6_5DA4_4385_DF64_9FCC_F645;

impl NumpyRng {
    /// `default_rng(seed)`.
    pub fn new(seed: u64) -> Self {
        let [v0, v1, v2, v3] = seed_words(seed_pool(seed));
        let mut rng = Self {
            state: 0,
            increment: (join(v2, v3) << 1) | 1,
            saved: None,
        };
        rng.step();
        rng.state = rng.state.wrapping_add(join(v0, v1));
        rng.step();
        rng
    }

    /// `choice(n)`: one number of `0..n`.
    pub fn choice(&mut self, n: u32) -> u32 {
        self.bounded(u64::from(n) - 1) as u32
    }

    /// `integers(low, high, endpoint=True)`.
    pub fn integers(&mut self, low: i64, high: i64) -> i64 {
        let range = high.wrapping_sub(low) as u64;
        low.wrapping_add(self.bounded(range) as i64)
    }

    /// `random()`: a uniform number in 0..1 with 53 bits.
    pub fn random(&mut self) -> f64 {
        (self.next64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// `shuffle` of an array or a list. Both draw in the same way: masked bits, until a draw fits.
    pub fn shuffle<T>(&mut self, values: &mut [T]) {
        for i in (1..values.len()).rev() {
            let mask = u32::MAX >> (i as u32).leading_zeros();
            let other = loop {
                let drawn = (self.next32() & mask) as usize;
                if drawn <= i {
                    break drawn;
                }
            };
            values.swap(i, other);
        }
    }

    /// `permutation(n)`.
    pub fn permutation(&mut self, n: u32) -> Vec<u32> {
        let mut values: Vec<u32> = (0..n).collect();
        self.shuffle(&mut values);
        values
    }

    /// `choice(n, size=k, replace=False)` for `k <= n`.
    pub fn sample(&mut self, n: u32, k: u32) -> Vec<u32> {
        if n > 10_000 && k > n / 50 {
            // If Floyd's method would need many draws, numpy shuffles the tail of all values instead.
            let mut values: Vec<u32> = (0..n).collect();
            self.shuffle_tail((n - k).max(1) as usize, &mut values);
            return values.split_off((n - k) as usize);
        }
        let mut seen = HashSet::with_capacity(k as usize);
        let floyd = (n - k..n).map(|last| {
            let drawn = self.bounded(u64::from(last)) as u32;
            let value = if seen.contains(&drawn) { last } else { drawn };
            seen.insert(value);
            value
        });
        let mut chosen: Vec<u32> = floyd.collect();
        self.shuffle_tail(1, &mut chosen);
        chosen
    }

    /// Two different numbers of `0..n`, in the order of the draws.
    pub fn pair(&mut self, n: u32) -> (u32, u32) {
        let pair = self.sample(n, 2);
        (pair[0], pair[1])
    }

    /// The shuffle inside `choice`: bounded draws, from the last index down to `first`.
    fn shuffle_tail<T>(&mut self, first: usize, values: &mut [T]) {
        for i in (first..values.len()).rev() {
            let other = self.bounded(i as u64) as usize;
            values.swap(i, other);
        }
    }

    /// A uniform number in `0..=range`.
    fn bounded(&mut self, range: u64) -> u64 {
        match u32::try_from(range) {
            Ok(0) => 0,
            Ok(u32::MAX) => u64::from(self.next32()),
            Ok(range) => u64::from(self.bounded32(range)),
            Err(_) if range == u64::MAX => self.next64(),
            Err(_) => self.bounded64(range),
        }
    }

    /// Lemire's method for `range < u32::MAX`.
    fn bounded32(&mut self, range: u32) -> u32 {
        let size = range + 1;
        let mut product = u64::from(self.next32()) * u64::from(size);
        if (product as u32) < size {
            let threshold = (u32::MAX - range) % size;
            while (product as u32) < threshold {
                product = u64::from(self.next32()) * u64::from(size);
            }
        }
        (product >> 32) as u32
    }

    /// Lemire's method for `range < u64::MAX`.
    fn bounded64(&mut self, range: u64) -> u64 {
        let size = range + 1;
        let mut product = u128::from(self.next64()) * u128::from(size);
        if (product as u64) < size {
            let threshold = (u64::MAX - range) % size;
            while (product as u64) < threshold {
                product = u128::from(self.next64()) * u128::from(size);
            }
        }
        (product >> 64) as u64
    }

    fn next32(&mut self) -> u32 {
        self.saved.take().unwrap_or_else(|| {
            let both = self.next64();
            self.saved = Some((both >> 32) as u32);
            both as u32
        })
    }

    fn next64(&mut self) -> u64 {
        self.step();
        let mixed = (self.state >> 64) as u64 ^ self.state as u64;
        mixed.rotate_right((self.state >> 122) as u32)
    }

    fn step(&mut self) {
        self.state = self
            .state
            .wrapping_mul(MULTIPLIER)
            .wrapping_add(self.increment);
    }
}

fn join(high: u64, low: u64) -> u128 {
    u128::from(high) << 64 | u128::from(low)
}

/// SeedSequence's pool of four words for a seed of up to two words.
fn seed_pool(seed: u64) -> [u32; 4] {
    let mut constant = 0x43b0_d7e5_u32;
    let mut hash = |value: u32| scramble(value, &mut constant, 0x931e_8875);
    let mut pool = [
        hash(seed as u32),
        hash((seed >> 32) as u32),
        hash(0),
        hash(0),
    ];
    for from in 0..4 {
        for to in (0..4).filter(|to| *to != from) {
            let hashed = hash(pool[from]);
            let mixed = 0xca01_f9dd_u32
                .wrapping_mul(pool[to])
                .wrapping_sub(0x4973_f715_u32.wrapping_mul(hashed));
            pool[to] = mixed ^ (mixed >> 16);
        }
    }
    pool
}

/// SeedSequence's first four 64-bit words.
fn seed_words(pool: [u32; 4]) -> [u64; 4] {
    let mut constant = 0x8b51_f9dd_u32;
    let mut word = |i: usize| u64::from(scramble(pool[i % 4], &mut constant, 0x58f3_8ded));
    std::array::from_fn(|i| word(2 * i) | word(2 * i + 1) << 32)
}

fn scramble(value: u32, constant: &mut u32, multiplier: u32) -> u32 {
    let value = value ^ *constant;
    *constant = constant.wrapping_mul(multiplier);
    let value = value.wrapping_mul(*constant);
    value ^ (value >> 16)
}

#[cfg(test)]
impl NumpyRng {
    /// The state, for check-points. `None` while half a draw is saved.
    pub fn state(&self) -> Option<u128> {
        self.saved.is_none().then_some(self.state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first<T>(n: usize, mut draw: impl FnMut(&mut NumpyRng) -> T) -> Vec<T> {
        let mut rng = NumpyRng::new(43);
        (0..n).map(|_| draw(&mut rng)).collect()
    }

    // The values come from numpy 2.4.6: SeedSequence(43).pool, .generate_state(4, 'uint64'),
    // PCG64(43).state, .random_raw(5), and default_rng(43).integers(0, 2**32, 6, 'uint32').
    #[test]
    fn seeding_and_raw_draws_equal_numpy() {
        let pool = seed_pool(43);
        assert_eq!(pool, [0xd3e6e782, 0x5e7255f6, 0x17ac3986, 0x4187253d]);
        let words = [
            0x79dd5756ee1632d1,
            0xf08732cb3109af6a,
            0x896dbb0633d61e51,
            0x66dda4e175fcb01f,
        ];
        assert_eq!(seed_words(pool), words);
        let rng = NumpyRng::new(43);
        assert_eq!(rng.state, 0x3e24d90519a31e02dc3ec6202084fecc);
        assert_eq!(rng.increment, 0x12db760c67ac3ca2cdbb49c2ebf9603f);
        assert_eq!(
            first(5, NumpyRng::next64),
            [
                12032797558513133635,
                807512191912379574,
                369480662970811903,
                15480739733017832281,
                10830877533514784245
            ]
        );
        assert_eq!(
            first(6, NumpyRng::next32),
            [
                2170349635, 2801604000, 1723598006, 188013583, 2478851583, 86026420
            ]
        );
    }

    #[test]
    fn choices_equal_numpy_from_a_fresh_generator() {
        assert_eq!(
            first(10, |rng| rng.choice(80)),
            [40, 52, 32, 3, 46, 1, 22, 67, 37, 46]
        );
        assert_eq!(
            first(10, |rng| rng.integers(2, 4)),
            [3, 3, 3, 2, 3, 2, 2, 4, 3, 3]
        );
        assert_eq!(
            first(10, |rng| rng.choice(4)),
            [2, 2, 1, 0, 2, 0, 1, 3, 1, 2]
        );
        assert_eq!(
            first(5, |rng| rng.pair(80)),
            [(52, 39), (46, 3), (67, 21), (77, 46), (60, 66)]
        );
        assert_eq!(
            first(5, |rng| rng.pair(10)),
            [(6, 4), (5, 0), (8, 2), (9, 5), (9, 7)]
        );
        assert_eq!(first(1, |rng| rng.choice(1)), [0]);
    }

    // The first sixteen operations of a longer run of numpy 2.4.6's default_rng(43); they share one state.
    // The last two draw integers(a, b), which excludes b: integers(-5, 3) is -5 + integers(0, 7, endpoint).
    #[test]
    fn a_mixed_run_shares_the_state_as_numpy_does() {
        let mut rng = NumpyRng::new(43);
        let all = rng.sample(80, 80);
        assert_eq!(all[..10], [13, 19, 1, 74, 51, 28, 42, 37, 72, 41]);
        assert_eq!(all[74..], [52, 7, 25, 32, 21, 33]);
        assert_eq!(rng.pair(80), (13, 32));
        assert_eq!(rng.pair(80), (79, 31));
        assert_eq!(rng.pair(80), (70, 69));
        assert_eq!((rng.choice(80), rng.integers(2, 4)), (51, 4));
        assert_eq!((rng.choice(80), rng.integers(2, 4)), (66, 3));
        assert_eq!(rng.choice(79), 39);
        assert_eq!([rng.choice(10), rng.choice(10), rng.choice(10)], [7, 5, 5]);
        assert_eq!((rng.pair(80), rng.choice(4)), ((55, 78), 2));
        assert_eq!((rng.pair(79), rng.pair(10)), ((17, 22), (2, 7)));
        let thousands: Vec<_> = (0..7).map(|_| rng.integers(0, 999)).collect();
        assert_eq!(thousands, [658, 638, 362, 704, 281, 896, 993]);
        let signed: Vec<_> = (0..9).map(|_| rng.integers(-5, 2)).collect();
        assert_eq!(signed, [-3, 0, -1, -3, 0, 0, -1, 1, 2]);
    }
}
