//! Tests that compare the gradients of this crate's operations with those of candle's slow operations, and
//! with finite differences.

use super::{
    Convolution, Gate, Linear, Mask, Pairs, RmsNorm, attention, convolution, double, gated,
    gated_sum, group_norm, layer_norm, rotary,
};
use candle_core::{D, DType, Device, Module, Result, Tensor, Var};

fn var(shape: &[usize]) -> Var {
    Var::randn(0f32, 1.0, shape, &Device::Cpu).unwrap()
}

fn values(x: &Tensor) -> Vec<f32> {
    x.flatten_all().unwrap().to_vec1().unwrap()
}

fn worst(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    let largest = b.iter().fold(1f32, |most, x| most.max(x.abs()));
    a.iter()
        .zip(b)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, f32::max)
        / largest
}

/// Compares the results and all gradients of two computations, with a random weight for each number of the
/// result.
fn alike(
    name: &str,
    vars: &[Var],
    ours: impl Fn() -> Result<Tensor>,
    theirs: impl Fn() -> Result<Tensor>,
) {
    let (ours, theirs) = (ours().unwrap(), theirs().unwrap());
    assert_eq!(ours.dims(), theirs.dims(), "{name}");
    let off = worst(&values(&ours), &values(&theirs));
    assert!(off < 1e-5, "{name}: result off by {off}");
    let weigh = Tensor::randn(0f32, 1.0, ours.shape(), &Device::Cpu).unwrap();
    let back = |y: Tensor| (y * &weigh).unwrap().sum_all().unwrap().backward().unwrap();
    let (ours, theirs) = (back(ours), back(theirs));
    for (number, var) in vars.iter().enumerate() {
        let [a, b] = [&ours, &theirs].map(|grads| values(grads.get(var).unwrap()));
        let off = worst(&a, &b);
        assert!(off < 2e-5, "{name}: gradient {number} off by {off}");
    }
}

#[test]
fn convolutions_are_candles() {
    for (kernel, stride, before, after) in [(3, 1, 1, 1), (3, 2, 0, 1), (1, 1, 0, 0), (2, 2, 0, 0)]
    {
        let (x, weight) = (var(&[5, 3, 9, 7]), var(&[4, 3, kernel, kernel]));
        let op = Convolution {
            kernel,
            stride,
            before,
            after,
        };
        let bias = var(&[4]);
        let vars = [x.clone(), weight.clone(), bias.clone()];
        let candles = || {
            let x = x.pad_with_zeros(2, before, after)?;
            x.pad_with_zeros(3, before, after)?
                .conv2d(&weight, 0, stride, 1, 1)
        };
        let name = format!("{op:?}");
        alike(
            &name,
            &vars[..2],
            || convolution(&x, &weight, None, op),
            candles,
        );
        alike(
            &name,
            &vars,
            || convolution(&x, &weight, Some(&bias), op),
            || candles()?.broadcast_add(&bias.reshape((1, 4, 1, 1))?),
        );
    }
}

#[test]
fn linear_layers_are_candles() {
    let (x, weight, bias) = (var(&[2, 3, 5]), var(&[7, 5]), var(&[7]));
    let vars = [x.clone(), weight.clone(), bias.clone()];
    let layer = |bias| (weight.as_tensor().clone(), bias);
    let with = || {
        let (weight, bias) = layer(Some(bias.as_tensor().clone()));
        (
            Linear::new(weight.clone(), bias.clone()),
            candle_nn::Linear::new(weight, bias),
        )
    };
    alike(
        "linear",
        &vars,
        || with().0.forward(&x),
        || with().1.forward(&x),
    );
    let without = || {
        let (weight, bias) = layer(None);
        (
            Linear::new(weight.clone(), bias.clone()),
            candle_nn::Linear::new(weight, bias),
        )
    };
    alike(
        "without a bias",
        &vars[..2],
        || without().0.forward(&x),
        || without().1.forward(&x),
    );
}

#[test]
fn doubled_pictures_are_candles() {
    let x = var(&[2, 3, 4, 5]);
    alike(
        "double",
        std::slice::from_ref(&x),
        || double(&x),
        || x.upsample_nearest2d(8, 10),
    );
}

#[test]
fn turns_are_candles() {
    use candle_nn::rotary_emb::{rope_i_slow, rope_slow};
    let x = var(&[2, 5, 3, 8]);
    let angles = Tensor::randn(0f32, 2.0, (5, 4), &Device::Cpu).unwrap();
    let (cos, sin) = (angles.cos().unwrap(), angles.sin().unwrap());
    let by_head = || x.transpose(1, 2)?.contiguous();
    let vars = std::slice::from_ref(&x);
    alike(
        "neighbours",
        vars,
        || rotary(&x, &cos, &sin, Pairs::Neighbours),
        || {
            rope_i_slow(&by_head()?, &cos, &sin)?
                .transpose(1, 2)?
                .contiguous()
        },
    );
    alike(
        "halves",
        vars,
        || rotary(&x, &cos, &sin, Pairs::Halves),
        || {
            rope_slow(&by_head()?, &cos, &sin)?
                .transpose(1, 2)?
                .contiguous()
        },
    );
}

#[test]
fn gated_sums_are_candles() {
    let (x, gate, y) = (var(&[2, 3, 5]), var(&[2, 5]), var(&[2, 3, 5]));
    let vars = [x.clone(), gate.clone(), y.clone()];
    alike(
        "gated sum",
        &vars,
        || gated_sum(&x, &gate, &y),
        || x.as_tensor() + y.broadcast_mul(&gate.unsqueeze(1)?)?,
    );
}

#[test]
fn gates_are_candles() {
    let x = var(&[3, 50]);
    let vars = [x.clone()];
    alike("silu", &vars, || gated(&x, Gate::Plain), || x.silu());
    alike("gelu", &vars, || gated(&x, Gate::Tanh), || x.gelu());
    alike(
        "quick gelu",
        &vars,
        || gated(&x, Gate::Quick),
        || (x.as_tensor() * 1.702)?.silu()? / 1.702,
    );
}

#[test]
fn norms_are_candles() {
    let (x, weight, bias) = (var(&[2, 70, 12]), var(&[12]), var(&[12]));
    let vars = [x.clone(), weight.clone(), bias.clone()];
    alike(
        "layer norm",
        &vars,
        || layer_norm(&x, &weight, &bias, 1e-6),
        || candle_nn::ops::layer_norm_slow(&x, &weight, &bias, 1e-6),
    );
    alike(
        "rms norm",
        &vars[..2],
        || RmsNorm::new(weight.as_tensor().clone(), 1e-6).forward(&x),
        || candle_nn::ops::rms_norm_slow(&x, &weight, 1e-6),
    );
    // A weight and a bias for each sample.
    let (scale, shift) = (var(&[2, 12]), var(&[2, 12]));
    let vars = [x.clone(), scale.clone(), shift.clone()];
    alike(
        "modulation",
        &vars,
        || layer_norm(&x, &scale, &shift, 1e-6),
        || {
            let ones = Tensor::ones(12, DType::F32, &Device::Cpu)?;
            let normed = candle_nn::ops::layer_norm_slow(&x, &ones, &ones.zeros_like()?, 1e-6)?;
            normed
                .broadcast_mul(&scale.unsqueeze(1)?)?
                .broadcast_add(&shift.unsqueeze(1)?)
        },
    );
    let (x, weight, bias) = (var(&[3, 6, 4, 5]), var(&[6]), var(&[6]));
    alike(
        "group norm",
        &[x.clone(), weight.clone(), bias.clone()],
        || group_norm(&x, &weight, &bias, 2, 1e-6),
        || {
            let grouped = x.reshape((3, 2, 60))?;
            let centred = grouped.broadcast_sub(&grouped.mean_keepdim(2)?)?;
            let variance = (centred.sqr()?.mean_keepdim(2)? + 1e-6)?;
            centred
                .broadcast_div(&variance.sqrt()?)?
                .reshape(x.shape())?
                .broadcast_mul(&weight.reshape((1, 6, 1, 1))?)?
                .broadcast_add(&bias.reshape((1, 6, 1, 1))?)
        },
    );
}

fn by_definition(q: &Tensor, k: &Tensor, v: &Tensor, causal: bool) -> Result<Tensor> {
    let (_, heads, queries, _) = q.dims4()?;
    let (batch, kv_heads, keys, size) = k.dims4()?;
    let spread = |x: &Tensor| {
        let full = (batch, kv_heads, heads / kv_heads, keys, size);
        x.unsqueeze(2)?
            .broadcast_as(full)?
            .reshape((batch, heads, keys, size))
    };
    let scores = (q.matmul(&spread(k)?.transpose(2, 3)?.contiguous()?)? * 0.3)?;
    let scores = if causal {
        let hidden = (0..queries * keys).map(|place| {
            let (row, key) = (place / keys, place % keys);
            if key > row + keys - queries {
                -1e9f32
            } else {
                0.0
            }
        });
        let hidden = Tensor::from_iter(hidden, &Device::Cpu)?.reshape((queries, keys))?;
        scores.broadcast_add(&hidden)?
    } else {
        scores
    };
    candle_nn::ops::softmax(&scores, D::Minus1)?.matmul(&spread(v)?)
}

#[test]
fn attention_is_its_definition() {
    for (heads, kv_heads, queries, keys) in [(2, 2, 5, 5), (4, 2, 3, 6), (3, 1, 7, 7)] {
        let q = var(&[2, heads, queries, 8]);
        let (k, v) = (var(&[2, kv_heads, keys, 8]), var(&[2, kv_heads, keys, 8]));
        let vars = [q.clone(), k.clone(), v.clone()];
        for (mask, causal) in [(Mask::None, false), (Mask::Causal, true)] {
            alike(
                &format!("{heads} heads over {kv_heads}, {mask:?}"),
                &vars,
                || attention(&q, &k, &v, 0.3, mask),
                || by_definition(&q, &k, &v, causal),
            );
        }
    }
}

/// Compares the effect of a small change of one number with its gradient.
#[test]
fn gradients_are_finite_differences() {
    let x = var(&[1, 2, 5, 5]);
    let weight = var(&[3, 2, 3, 3]);
    let (scale, shift) = (var(&[5]), var(&[5]));
    let op = Convolution {
        kernel: 3,
        stride: 1,
        before: 1,
        after: 1,
    };
    let loss = || -> Result<Tensor> {
        let y = gated(&convolution(&x, &weight, None, op)?, Gate::Tanh)?;
        let y = layer_norm(&y, &scale, &shift, 1e-5)?;
        let y = attention(&y, &y, &y, 0.5, Mask::None)?;
        double(&y.contiguous()?)?.sqr()?.sum_all()
    };
    let grads = loss().unwrap().backward().unwrap();
    for var in [&x, &weight, &scale, &shift] {
        let before = values(var);
        let slopes = values(grads.get(var).unwrap());
        for place in [0, before.len() / 2, before.len() - 1] {
            let moved = |by: f32| {
                let mut values = before.clone();
                values[place] += by;
                var.set(&Tensor::from_vec(values, var.shape(), &Device::Cpu).unwrap())
                    .unwrap();
                let value: f32 = loss().unwrap().to_scalar().unwrap();
                f64::from(value)
            };
            let slope = (moved(4e-3) - moved(-4e-3)) / 8e-3;
            moved(0.0);
            let off = (slope - f64::from(slopes[place])).abs();
            assert!(
                off < 2e-2 * slope.abs().max(2.0),
                "{place}: {slope} and {}",
                slopes[place]
            );
        }
    }
}
