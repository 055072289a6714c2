//! The operations with kernels of their own on a CUDA device, beside the CPU in f32 on the same numbers.

use super::{Mask, Pairs, attention, attention_cuda, gated_sum, layer_norm, rotary, rows_cuda};
use candle_core::{DType, Device, IndexOp, Result, Tensor};

/// The types of the device, and how far a result of variance 1 may lie from the one in f32.
const TYPES: [(DType, f32); 3] = [(DType::F16, 4e-3), (DType::BF16, 3e-2), (DType::F32, 1e-5)];

/// Random numbers on the device, and the same numbers in f32 on the CPU.
fn pair(shape: &[usize], dtype: DType) -> Result<(Tensor, Tensor)> {
    let here = Tensor::randn(0f32, 1., shape, &Device::Cpu)?.to_dtype(dtype)?;
    let there = here.to_device(&Device::new_cuda(0)?)?;
    Ok((there, here.to_dtype(DType::F32)?))
}

fn distance(there: &Tensor, here: &Tensor) -> Result<f32> {
    let there = there.to_dtype(DType::F32)?.to_device(&Device::Cpu)?;
    (there - here)?.abs()?.max_all()?.to_scalar()
}

fn attends(dtype: DType, most: f32) -> Result<()> {
    // Batch, heads, heads of keys, queries, keys, head size.
    for [b, heads, kv_heads, queries, keys, size] in [
        [2, 4, 2, 65, 129, 64],
        [1, 28, 4, 1, 1000, 128],
        [1, 3, 3, 200, 200, 72],
    ] {
        // The keys and values are two parts of one product, the second of which begins in the middle of rows.
        let (q, q_here) = pair(&[b, queries, heads, size], dtype)?;
        let (kv, kv_here) = pair(&[b, keys, 2 * kv_heads, size], dtype)?;
        let parts = |q: &Tensor, kv: &Tensor| -> Result<[Tensor; 3]> {
            let (q, kv) = (q.transpose(1, 2)?, kv.transpose(1, 2)?);
            let (k, v) = (kv.i((.., ..kv_heads))?, kv.i((.., kv_heads..))?);
            Ok([q, k, v])
        };
        let ([q, k, v], here) = (parts(&q, &kv)?, parts(&q_here, &kv_here)?);
        for mask in [Mask::None, Mask::Causal] {
            assert!(attention_cuda::suits(&q, &k, &v, 0.1, mask));
            let got = attention(&q, &k, &v, 0.1, mask)?;
            let want = attention(&here[0], &here[1], &here[2], 0.1, mask)?;
            let off = distance(&got, &want)?;
            assert!(off < most, "{dtype:?} {size} {mask:?}: {off}");
        }
    }
    Ok(())
}

#[test]
#[ignore = "needs a CUDA device"]
fn attention_on_the_device_is_that_of_the_cpu() {
    for (dtype, most) in &TYPES[..2] {
        attends(*dtype, *most).unwrap();
    }
}

fn rows(dtype: DType, most: f32) -> Result<()> {
    let (x, x_here) = pair(&[2, 17, 96], dtype)?;
    let (y, y_here) = pair(&[2, 17, 96], dtype)?;
    let (parts, parts_here) = pair(&[2, 3 * 96], dtype)?;
    let part = |x: &Tensor, n: usize| x.narrow(1, 96 * n, 96);
    let (gate, shift) = (part(&parts, 1)?, part(&parts, 2)?);
    let (gate_here, shift_here) = (part(&parts_here, 1)?, part(&parts_here, 2)?);
    assert!(rows_cuda::suits([&x, &gate, &y]));
    let off = distance(
        &gated_sum(&x, &gate, &y)?,
        &gated_sum(&x_here, &gate_here, &y_here)?,
    )?;
    assert!(off < 4.0 * most, "{dtype:?}: {off}");
    let off = distance(
        &layer_norm(&x, &gate, &shift, 1e-6)?,
        &layer_norm(&x_here, &gate_here, &shift_here, 1e-6)?,
    )?;
    assert!(off < 4.0 * most, "{dtype:?}: {off}");
    Ok(())
}

#[test]
#[ignore = "needs a CUDA device"]
fn rows_on_the_device_are_those_of_the_cpu() {
    for (dtype, most) in TYPES {
        rows(dtype, most).unwrap();
    }
}

fn rotates(dtype: DType, most: f32) -> Result<()> {
    // The heads are a part of a product.
    let (product, product_here) = pair(&[2, 9, 6, 72], dtype)?;
    let (x, x_here) = (product.i((.., .., 2..5))?, product_here.i((.., .., 2..5))?);
    for tables in [&[9, 36][..], &[2, 9, 36]] {
        let (angles, angles_here) = pair(tables, DType::F32)?;
        let (cos, sin) = (angles.cos()?, angles.sin()?);
        assert!(rows_cuda::suits_rotary(&x, &cos, &sin));
        for pairs in [Pairs::Halves, Pairs::Neighbours] {
            let got = rotary(&x, &cos, &sin, pairs)?;
            let want = rotary(&x_here, &angles_here.cos()?, &angles_here.sin()?, pairs)?;
            let off = distance(&got, &want)?;
            assert!(off < 4.0 * most, "{dtype:?} {pairs:?}: {off}");
        }
    }
    Ok(())
}

#[test]
#[ignore = "needs a CUDA device"]
fn rotary_positions_on_the_device_are_those_of_the_cpu() {
    for (dtype, most) in TYPES {
        rotates(dtype, most).unwrap();
    }
}
