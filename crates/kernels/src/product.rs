//! Matrix products on a CPU in f32, on values without a copy, and into memory that is not cleared.

use gemm::{Parallelism, gemm};
use std::mem::MaybeUninit;

/// A matrix as values, the step from row to row, and the step from column to column.
pub(crate) type Matrix<'a> = (&'a [f32], usize, usize);

/// A vector with this number of values, all of which `write` must write.
pub(crate) fn filled(count: usize, write: impl FnOnce(&mut [MaybeUninit<f32>])) -> Vec<f32> {
    let mut values = Vec::with_capacity(count);
    write(&mut values.spare_capacity_mut()[..count]);
    // SAFETY: `write` comes only from functions of this crate, which write every number.
    unsafe { values.set_len(count) };
    values
}

/// Computes out [m, n] = scale · lhs [m, k] · rhs [k, n]. The rows of `out` are this number of values apart.
pub(crate) fn product(
    (m, n, k): (usize, usize, usize),
    (out, row): (&mut [MaybeUninit<f32>], usize),
    lhs: Matrix<'_>,
    rhs: Matrix<'_>,
    scale: f32,
    threads: Parallelism,
) {
    let reach = |(values, down, across): Matrix<'_>, rows: usize, columns: usize| {
        (rows - 1) * down + (columns - 1) * across < values.len()
    };
    assert!(out.len() >= (m - 1) * row + n && reach(lhs, m, k) && reach(rhs, k, n));
    // SAFETY: the assertion above keeps every element that is read or written inside its slice; `out` is not
    // read.
    unsafe {
        gemm(
            m,
            n,
            k,
            out.as_mut_ptr().cast::<f32>(),
            1,
            row as isize,
            false,
            lhs.0.as_ptr(),
            lhs.2 as isize,
            lhs.1 as isize,
            rhs.0.as_ptr(),
            rhs.2 as isize,
            rhs.1 as isize,
            0.0,
            scale,
            false,
            false,
            false,
            threads,
        );
    }
}
