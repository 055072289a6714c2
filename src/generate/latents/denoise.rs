//! The loop from noise to latents.

use crate::cancel::Cancel;
use crate::generate::error::GenerateError;
use crate::generate::pipeline::{Named, running};
use crate::model::{ModelError, Result};
use candle_core::{DType, Tensor};

/// The latents after all steps, from the noise `x`. `step` makes the next latents at a time.
///
/// # Errors
/// Fails if a step fails, if latents are not finite, or when the work is cancelled.
pub(in crate::generate) fn denoised<T>(
    mut x: Tensor,
    times: impl IntoIterator<Item = T>,
    cancel: &Cancel,
    mut step: impl FnMut(&Tensor, T) -> Result<Tensor>,
) -> Result<Tensor, GenerateError> {
    for (number, time) in times.into_iter().enumerate() {
        if cancel.is_raised() {
            return Err(GenerateError::Cancelled);
        }
        x = step(&x, time).map_err(running("denoise"))?;
        if number == 0 {
            finite(&x)?;
        }
    }
    finite(&x)?;
    Ok(x)
}

/// One value that is not finite spreads to all later values, so it is reported at once.
///
/// # Errors
/// Fails if a value is not finite.
pub(in crate::generate) fn finite(x: &Tensor) -> Result<(), GenerateError> {
    let sum = x
        .to_dtype(DType::F32)
        .and_then(|x| x.abs()?.sum_all()?.to_scalar::<f32>());
    match sum {
        Ok(sum) if sum.is_finite() => Ok(()),
        Ok(_) => Err(GenerateError::item(
            "not-finite",
            "the latents are not finite: the weights overflow in this precision, or are damaged; try `precision = \
             \"f32\"`",
        )),
        Err(error) => Err(GenerateError::item("network", error.to_string())),
    }
}

/// A tensor of the prompt, from an earlier phase.
///
/// # Errors
/// Fails if there is none with this name.
pub(in crate::generate) fn encoded<'a>(before: &'a Named, name: &str) -> Result<&'a Tensor> {
    let tensor = before.get(name);
    tensor.ok_or_else(|| ModelError::Input("the prompt was not encoded".into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    #[test]
    fn steps_follow_each_other_and_an_overflow_ends_them_at_once() {
        let x = Tensor::new(&[3f32], &Device::Cpu).unwrap();
        let (times, cancel) = ([5.0, 2.0], Cancel::default());
        let double = |x: &Tensor, time: f64| Ok(((x * 2.0)? + time)?);
        let end = denoised(x.clone(), times, &cancel, double).unwrap();
        // 3 · 2 + 5 = 11, and 11 · 2 + 2 = 24.
        assert_eq!(end.to_vec1::<f32>().unwrap(), [24.0]);

        let mut steps = 0;
        let overflow = denoised(x.clone(), times, &cancel, |x, _| {
            steps += 1;
            Ok((x * f64::INFINITY)?)
        });
        assert!(matches!(overflow, Err(GenerateError::Item { .. })));
        assert_eq!(steps, 1);

        cancel.raise();
        let cancelled = denoised(x, times, &cancel, double);
        assert!(matches!(cancelled, Err(GenerateError::Cancelled)));
    }
}
