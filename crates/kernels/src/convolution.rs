//! Convolution on a CPU in f32 as a product of the kernel and the gathered values, with its two gradients.
//! Kernels of 3 × 3 over many channels go by minimal filtering instead.
//!
//! Each core computes some of many small pictures. For few large pictures, all cores gather and multiply
//! bands of rows.

use super::memory::{gradient, read, slice};
use super::product::{filled, product};
use super::sums::sum;
use super::winograd::Winograd;
use candle_core::{CpuStorage, CustomOp2, CustomOp3, Layout, Result, Shape, Tensor};
use gemm::Parallelism;
use rayon::prelude::*;
use std::mem::MaybeUninit;
use std::ops::Range;

/// Number of values that are gathered at a time: 8 Mi, which is 32 MiB.
const TILE: usize = 1 << 23;
/// Pictures with at most this number of gathered values run on one core.
const SMALL: usize = 1 << 20;
/// Number of pictures whose gradients are summed one after the other, regardless of the number of cores.
const TOGETHER: usize = 4;

/// A convolution of x [B, C, H, W] with a kernel [O, C, k, k] and a bias `[O]`, in f32 in main memory.
///
/// # Errors
/// Fails if the channels differ, the picture is smaller than the kernel, or a tensor is not in main memory.
pub fn convolution(
    x: &Tensor,
    kernel: &Tensor,
    bias: Option<&Tensor>,
    op: Convolution,
) -> Result<Tensor> {
    let (x, kernel) = (x.contiguous()?, kernel.contiguous()?);
    match bias {
        Some(bias) => x.apply_op3(&kernel, &bias.contiguous()?, op),
        None => x.apply_op2(&kernel, op),
    }
}

/// The operation: x [B, C, H, W] and the kernel [O, C, k, k] give [B, O, H', W'].
#[derive(Debug, Clone, Copy)]
pub struct Convolution {
    /// Side of the kernel.
    pub kernel: usize,
    /// Step of the kernel.
    pub stride: usize,
    /// Number of zeros before each axis.
    pub before: usize,
    /// Number of zeros after each axis.
    pub after: usize,
}

/// All sizes of one convolution.
#[derive(Debug, Clone, Copy)]
struct Sizes {
    op: Convolution,
    batch: usize,
    channels: usize,
    height: usize,
    width: usize,
    outputs: usize,
    rows: usize,
    columns: usize,
}

impl Convolution {
    fn sizes(self, x: &Shape, kernel: &Shape) -> Result<Sizes> {
        let (batch, channels, height, width) = x.dims4()?;
        let (outputs, inputs, k, _) = kernel.dims4()?;
        let out = |size: usize| {
            let room = (size + self.before + self.after).checked_sub(self.kernel);
            room.map(|room| room / self.stride + 1)
        };
        let (Some(rows), Some(columns)) = (out(height), out(width)) else {
            candle_core::bail!("a picture of {width} × {height} is smaller than the kernel");
        };
        if channels != inputs || k != self.kernel {
            candle_core::bail!(
                "{channels} channels do not fit a kernel of {:?}",
                kernel.dims()
            );
        }
        Ok(Sizes {
            op: self,
            batch,
            channels,
            height,
            width,
            outputs,
            rows,
            columns,
        })
    }
}

impl Sizes {
    /// Number of values that the kernel reads for one value of the result.
    fn seen(&self) -> usize {
        self.channels * self.op.kernel * self.op.kernel
    }

    fn picture(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// Number of places of the result.
    fn places(&self) -> usize {
        self.rows * self.columns
    }

    /// Whether the gathered values are the picture itself.
    fn plain(&self) -> bool {
        let Convolution {
            kernel,
            stride,
            before,
            after,
        } = self.op;
        kernel == 1 && stride == 1 && before + after == 0
    }

    /// The way by minimal filtering, where it fits and pays.
    fn winograd(&self) -> Option<Winograd> {
        let fits = matches!(
            self.op,
            Convolution {
                kernel: 3,
                stride: 1,
                before: 1,
                after: 1,
            }
        );
        let way = Winograd {
            channels: self.channels,
            outputs: self.outputs,
            height: self.height,
            width: self.width,
        };
        (fits && way.pays()).then_some(way)
    }

    /// The part of a line that is inside the picture for a column of the kernel, and its start in the
    /// picture.
    fn inside(&self, dx: usize) -> (Range<usize>, usize) {
        let Convolution { stride, before, .. } = self.op;
        let first = before.saturating_sub(dx).div_ceil(stride);
        let end = (self.width + before).saturating_sub(dx).div_ceil(stride);
        let end = self.columns.min(end);
        (
            first..end.max(first),
            (first * stride + dx).saturating_sub(before),
        )
    }

    /// The row of the picture that a row of the kernel reads for a row of the result.
    fn row(&self, row: usize, dy: usize) -> Option<usize> {
        let y = (row * self.op.stride + dy).checked_sub(self.op.before);
        y.filter(|&y| y < self.height)
    }

    /// One line of the gathered values: a channel and a place of the kernel, for some rows of the result.
    fn gather_line(&self, picture: &[f32], number: usize, rows: Range<usize>, line: &mut [f32]) {
        let k = self.op.kernel;
        let (channel, dy, dx) = (number / (k * k), number / k % k, number % k);
        let plane = &picture[channel * self.height * self.width..][..self.height * self.width];
        let (inside, from) = self.inside(dx);
        for (line, row) in line.chunks_exact_mut(self.columns).zip(rows) {
            let Some(y) = self.row(row, dy) else {
                continue;
            };
            let source = &plane[y * self.width..(y + 1) * self.width];
            let line = &mut line[inside.clone()];
            match self.op.stride {
                _ if line.is_empty() => {}
                1 => line.copy_from_slice(&source[from..from + line.len()]),
                stride => {
                    let source = source[from..].iter().step_by(stride);
                    line.iter_mut().zip(source).for_each(|(to, x)| *to = *x);
                }
            }
        }
    }

    /// The gathered values of a picture, [seen, places].
    fn gather(&self, picture: &[f32]) -> Vec<f32> {
        let mut all = vec![0.0; self.seen() * self.places()];
        for (number, line) in all.chunks_exact_mut(self.places()).enumerate() {
            self.gather_line(picture, number, 0..self.rows, line);
        }
        all
    }

    /// Adds gathered values [seen, places] back to their places in the picture.
    fn scatter(&self, seen: &[f32], picture: &mut [f32]) {
        let (k, stride) = (self.op.kernel, self.op.stride);
        for (number, line) in seen.chunks_exact(self.places()).enumerate() {
            let (channel, dy, dx) = (number / (k * k), number / k % k, number % k);
            let plane = &mut picture[channel * self.height * self.width..];
            let (inside, from) = self.inside(dx);
            for (row, line) in line.chunks_exact(self.columns).enumerate() {
                let Some(y) = self.row(row, dy).filter(|_| !inside.is_empty()) else {
                    continue;
                };
                let to = &mut plane[y * self.width..(y + 1) * self.width][from..];
                let to = to.iter_mut().step_by(stride);
                let line = &line[inside.clone()];
                to.zip(line).for_each(|(to, x)| *to += x);
            }
        }
    }

    fn shape(&self) -> Shape {
        (self.batch, self.outputs, self.rows, self.columns).into()
    }

    fn forward(&self, x: &[f32], kernel: &[f32], bias: Option<&[f32]>) -> Vec<f32> {
        let each = self.outputs * self.places();
        let alone = self.batch > 1 && self.seen() * self.places() <= SMALL;
        let mut out = filled(self.batch * each, |out| {
            let pictures = x.par_chunks_exact(self.picture());
            if alone {
                let pairs = out.par_chunks_exact_mut(each).zip(pictures);
                pairs.for_each(|(out, picture)| self.small(picture, kernel, out));
            } else {
                let pictures = x.chunks_exact(self.picture());
                let pairs = out.chunks_exact_mut(each).zip(pictures);
                match self.winograd() {
                    Some(way) => {
                        let kernel = way.kernel(kernel);
                        pairs.for_each(|(out, picture)| way.picture(picture, &kernel, out));
                    }
                    None => pairs.for_each(|(out, picture)| self.large(picture, kernel, out)),
                }
            }
        });
        if let Some(bias) = bias {
            let planes = out.par_chunks_exact_mut(self.places()).with_min_len(8);
            planes.enumerate().for_each(|(number, plane)| {
                let bias = bias[number % self.outputs];
                plane.iter_mut().for_each(|x| *x += bias);
            });
        }
        out
    }

    fn small(&self, picture: &[f32], kernel: &[f32], out: &mut [MaybeUninit<f32>]) {
        let gathered;
        let seen = if self.plain() {
            picture
        } else {
            gathered = self.gather(picture);
            &gathered
        };
        let (k, n) = (self.seen(), self.places());
        let sizes = (self.outputs, n, k);
        product(
            sizes,
            (out, n),
            (kernel, k, 1),
            (seen, n, 1),
            1.0,
            Parallelism::None,
        );
    }

    fn large(&self, picture: &[f32], kernel: &[f32], out: &mut [MaybeUninit<f32>]) {
        let threads = Parallelism::Rayon(rayon::current_num_threads());
        let (k, n) = (self.seen(), self.places());
        if self.plain() {
            let sizes = (self.outputs, n, k);
            return product(
                sizes,
                (out, n),
                (kernel, k, 1),
                (picture, n, 1),
                1.0,
                threads,
            );
        }
        let step = (TILE / (k * self.columns)).clamp(1, self.rows);
        for start in (0..self.rows).step_by(step) {
            let rows = start..self.rows.min(start + step);
            let width = rows.len() * self.columns;
            let mut tile = vec![0f32; k * width];
            tile.par_chunks_exact_mut(width)
                .enumerate()
                .for_each(|(number, line)| self.gather_line(picture, number, rows.clone(), line));
            let out = &mut out[start * self.columns..];
            let sizes = (self.outputs, width, k);
            product(
                sizes,
                (out, n),
                (kernel, k, 1),
                (&tile, width, 1),
                1.0,
                threads,
            );
        }
    }

    /// The gradient of the kernel, summed over pictures in a fixed order.
    fn kernel_gradient(&self, x: &[f32], grad: &[f32]) -> Vec<f32> {
        let (k, n) = (self.seen(), self.places());
        let pictures = x.par_chunks(TOGETHER * self.picture());
        let grads = grad.par_chunks(TOGETHER * self.outputs * n);
        let parts: Vec<Vec<f32>> = pictures
            .zip(grads)
            .map(|(pictures, grads)| {
                let mut sum = vec![0.0; self.outputs * k];
                let pictures = pictures.chunks_exact(self.picture());
                for (picture, grad) in pictures.zip(grads.chunks_exact(self.outputs * n)) {
                    let gathered;
                    let seen = if self.plain() {
                        picture
                    } else {
                        gathered = self.gather(picture);
                        &gathered
                    };
                    // The shape is [seen, outputs], so that the product copies the smaller of its two
                    // factors.
                    let one = filled(self.outputs * k, |one| {
                        product(
                            (k, self.outputs, n),
                            (one, self.outputs),
                            (seen, n, 1),
                            (grad, 1, n),
                            1.0,
                            Parallelism::None,
                        );
                    });
                    sum.iter_mut().zip(one).for_each(|(sum, x)| *sum += x);
                }
                sum
            })
            .collect();
        let mut sum = vec![0.0; self.outputs * k];
        for part in parts {
            sum.iter_mut().zip(part).for_each(|(sum, x)| *sum += x);
        }
        let turned = |place: usize| sum[place % k * self.outputs + place / k];
        (0..self.outputs * k).map(turned).collect()
    }

    /// The gradient of the bias.
    fn bias_gradient(&self, grad: &[f32]) -> Vec<f32> {
        let mut out = vec![0.0; self.outputs];
        for (number, plane) in grad.chunks_exact(self.places()).enumerate() {
            out[number % self.outputs] += sum(plane);
        }
        out
    }

    fn input_gradient(&self, kernel: &[f32], grad: &[f32]) -> Vec<f32> {
        let (k, n) = (self.seen(), self.places());
        let mut out = vec![0.0; self.batch * self.picture()];
        let grads = grad.par_chunks_exact(self.outputs * n);
        let pictures = out.par_chunks_exact_mut(self.picture());
        pictures.zip(grads).for_each(|(picture, grad)| {
            let seen = filled(k * n, |seen| {
                let sizes = (k, n, self.outputs);
                product(
                    sizes,
                    (seen, n),
                    (kernel, 1, k),
                    (grad, n, 1),
                    1.0,
                    Parallelism::None,
                );
            });
            self.scatter(&seen, picture);
        });
        out
    }
}

impl Convolution {
    fn back(self, x: &Tensor, kernel: &Tensor, grad: &[f32]) -> Result<[Option<Tensor>; 2]> {
        let sizes = self.sizes(x.shape(), kernel.shape())?;
        Ok([
            gradient(x, || {
                read(kernel, |kernel| Ok(sizes.input_gradient(kernel, grad)))
            })?,
            gradient(kernel, || read(x, |x| Ok(sizes.kernel_gradient(x, grad))))?,
        ])
    }
}

impl CustomOp2 for Convolution {
    fn name(&self) -> &'static str {
        "convolution"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        kernel: &CpuStorage,
        kernel_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let sizes = self.sizes(x_layout.shape(), kernel_layout.shape())?;
        let out = sizes.forward(slice(x, x_layout)?, slice(kernel, kernel_layout)?, None);
        Ok((CpuStorage::F32(out), sizes.shape()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        kernel: &Tensor,
        _result: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        read(grad, |grad| {
            let [of_x, of_kernel] = self.back(x, kernel, grad)?;
            Ok((of_x, of_kernel))
        })
    }
}

impl CustomOp3 for Convolution {
    fn name(&self) -> &'static str {
        "convolution"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        kernel: &CpuStorage,
        kernel_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let sizes = self.sizes(x_layout.shape(), kernel_layout.shape())?;
        let bias = slice(bias, bias_layout)?;
        if bias.len() != sizes.outputs {
            candle_core::bail!(
                "the bias has {} numbers for {} outputs",
                bias.len(),
                sizes.outputs
            );
        }
        let kernel = slice(kernel, kernel_layout)?;
        let out = sizes.forward(slice(x, x_layout)?, kernel, Some(bias));
        Ok((CpuStorage::F32(out), sizes.shape()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        kernel: &Tensor,
        bias: &Tensor,
        _result: &Tensor,
        grad: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let sizes = self.sizes(x.shape(), kernel.shape())?;
        read(grad, |grad| {
            let [of_x, of_kernel] = self.back(x, kernel, grad)?;
            let of_bias = gradient(bias, || Ok(sizes.bias_gradient(grad)))?;
            Ok((of_x, of_kernel, of_bias))
        })
    }
}
