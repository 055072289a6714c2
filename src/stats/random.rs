//! A small random number generator whose stream never changes, so that an interval is the same in every
//! version of the program.

/// SplitMix64 (Steele, Lea and Flood 2014): one 64-bit state, equidistributed, passes BigCrush.
#[derive(Debug, Clone)]
pub struct SplitMix64(u64);

impl SplitMix64 {
    /// An independent stream for each pair of seed and stream number.
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut mixer = Self(seed);
        let start = mixer.bits() ^ stream.wrapping_mul(0xd1b5_4a32_d192_ed03);
        let mut mixer = Self(start);
        Self(mixer.bits())
    }

    /// The next 64 random bits.
    #[inline]
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Two independent numbers from one step, uniform in `0..n` for n below 2^32. The bias is below n / 2^32.
    #[inline]
    pub fn two_below(&mut self, n: usize) -> [usize; 2] {
        let (bits, n) = (self.bits(), n as u64);
        [((bits >> 32) * n) >> 32, ((bits & 0xffff_ffff) * n) >> 32].map(|place| place as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first outputs of the generator's published C code for seed 1234567.
    #[test]
    fn equals_the_published_stream() {
        let mut random = SplitMix64(1_234_567);
        let first: Vec<u64> = (0..3).map(|_| random.bits()).collect();
        assert_eq!(
            first,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423
            ]
        );
    }

    #[test]
    fn below_reaches_every_value_about_equally() {
        let mut random = SplitMix64::new(1, 2);
        let mut counts = [0_u32; 7];
        for _ in 0..70_000 {
            counts[random.two_below(7)[0]] += 1;
        }
        assert!(
            counts.iter().all(|&c| (9_500..10_500).contains(&c)),
            "{counts:?}"
        );
    }
}
