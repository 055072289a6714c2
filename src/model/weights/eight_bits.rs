//! Eight-bit floats: the value of every byte.

use candle_core::{DType, Device, Result, Tensor};
use half::f16;
use safetensors::Dtype;

/// The value of each of the 256 bytes in a format. `None` for a format with another width, or one that is not
/// supported.
///
/// # Errors
/// Fails if the library that knows the format fails.
pub(super) fn values(dtype: Dtype) -> Result<Option<Vec<f32>>> {
    let bytes: Vec<u8> = (0..=u8::MAX).collect();
    Ok(match dtype {
        // OCP 8-bit floating point: four bits of exponent, no infinity.
        Dtype::F8_E4M3 => {
            let tensor = Tensor::from_raw_buffer(&bytes, DType::F8E4M3, &[256], &Device::Cpu)?;
            Some(tensor.to_dtype(DType::F32)?.to_vec1()?)
        }
        // The upper half of a 16-bit float.
        Dtype::F8_E5M2 => {
            let wide = |byte: u8| f16::from_bits(u16::from(byte) << 8).to_f32();
            Some(bytes.into_iter().map(wide).collect())
        }
        // Only an exponent: 2 to the power of the byte minus 127.
        Dtype::F8_E8M0 => Some(bytes.into_iter().map(power).collect()),
        _ => None,
    })
}

fn power(byte: u8) -> f32 {
    match byte {
        u8::MAX => f32::NAN,
        byte => 2f32.powi(i32::from(byte) - 127),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // The values of 0x3c, 0x7e and 0x01 are computed by hand, from sign, exponent and fraction.
    #[test]
    fn bytes_have_the_values_that_the_formats_define() {
        let four = values(Dtype::F8_E4M3).unwrap().unwrap();
        assert_eq!(
            [four[0x3c], four[0x7e], four[0x01], four[0xb8]],
            [1.5, 448.0, 0.001_953_125, -1.0]
        );
        assert!(four[0x7f].is_nan() && four[0xff].is_nan());
        let five = values(Dtype::F8_E5M2).unwrap().unwrap();
        assert_eq!([five[0x3c], five[0x7b], five[0xc1]], [1.0, 57344.0, -2.5]);
        assert!(five[0x7c].is_infinite() && five[0x7d].is_nan());
        let eight = values(Dtype::F8_E8M0).unwrap().unwrap();
        assert_eq!(
            [eight[127], eight[120], eight[130]],
            [1.0, 0.007_812_5, 8.0]
        );
        assert_eq!(values(Dtype::F16).unwrap(), None);
    }
}
