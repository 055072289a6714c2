//! Sums of many numbers, sixteen at a time, so that the compiler can vectorise them.

use pulp::Arch;

const LANES: usize = 16;

/// Σ x.
pub(crate) fn sum(x: &[f32]) -> f32 {
    let [sum] = pairs(x, x, |x, _| [x]);
    sum
}

/// Sums over the pairs of two slices of one length.
#[inline(always)]
pub(crate) fn pairs<const N: usize>(
    x: &[f32],
    y: &[f32],
    of: impl Fn(f32, f32) -> [f32; N],
) -> [f32; N] {
    Arch::new().dispatch(
        #[inline(always)]
        || {
            let mut all = [[0f32; LANES]; N];
            let (xs, x_rest) = x.as_chunks::<LANES>();
            let (ys, y_rest) = y.as_chunks::<LANES>();
            for (x, y) in xs.iter().zip(ys) {
                for lane in 0..LANES {
                    let one = of(x[lane], y[lane]);
                    for (all, one) in all.iter_mut().zip(one) {
                        all[lane] += one;
                    }
                }
            }
            for (x, y) in x_rest.iter().zip(y_rest) {
                for (all, one) in all.iter_mut().zip(of(*x, *y)) {
                    all[0] += one;
                }
            }
            all.map(|lanes| lanes.into_iter().sum())
        },
    )
}
