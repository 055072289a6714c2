//! Latent images as sequences of tokens of 2 × 2 cells, and the positions of the tokens.

use crate::model::{ModelError, Result};
use candle_core::{DType, Device, Tensor};

/// [B, c, 2h, 2w] → [B, h · w, 4c]. Within a token, the order is channel, row, column.
///
/// # Errors
/// Fails if height or width is odd.
pub fn pack(latents: &Tensor) -> Result<Tensor> {
    let (batch, channels, height, width) = latents.dims4()?;
    if height % 2 != 0 || width % 2 != 0 {
        return Err(ModelError::Input(format!(
            "latents of {width} × {height} cells cannot be divided into tokens of 2 × 2"
        )));
    }
    let (h, w) = (height / 2, width / 2);
    let cells = latents.reshape(vec![batch, channels, h, 2, w, 2])?;
    let tokens = cells.permute(vec![0, 2, 4, 1, 3, 5])?;
    Ok(tokens.reshape((batch, h * w, 4 * channels))?)
}

/// [B, h · w, 4c] → [B, c, 2h, 2w].
///
/// # Errors
/// Fails if the tokens are not `h · w` or their width is not a multiple of four.
pub fn unpack(tokens: &Tensor, h: usize, w: usize) -> Result<Tensor> {
    let (batch, length, width) = tokens.dims3()?;
    if length != h * w || width % 4 != 0 {
        return Err(ModelError::Input(format!(
            "{length} tokens of width {width} do not form a grid of {w} × {h} tokens of 2 × 2 cells"
        )));
    }
    let channels = width / 4;
    let cells = tokens.reshape(vec![batch, h, w, channels, 2, 2])?;
    let latents = cells.permute(vec![0, 3, 1, 4, 2, 5])?;
    Ok(latents.reshape((batch, channels, 2 * h, 2 * w))?)
}

/// Ids of a grid of image tokens in raster order: (0, row, column), [h · w, 3].
///
/// # Errors
/// Fails if the device has no room.
pub fn image_ids(h: usize, w: usize, device: &Device) -> Result<Tensor> {
    let ids: Vec<f32> = (0..h)
        .flat_map(|row| (0..w).flat_map(move |column| [0.0, row as f32, column as f32]))
        .collect();
    Ok(Tensor::from_vec(ids, (h * w, 3), device)?)
}

/// Ids of text tokens: zeros, [length, 3].
///
/// # Errors
/// Fails if the device has no room.
pub fn text_ids(length: usize, device: &Device) -> Result<Tensor> {
    Ok(Tensor::zeros((length, 3), DType::F32, device)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_hold_channel_row_column_and_unpack_to_the_same_latents() {
        let latents = Tensor::arange(0u32, 2 * 3 * 4 * 6, &Device::Cpu).unwrap();
        let latents = latents.reshape((2, 3, 4, 6)).unwrap();
        let tokens = pack(&latents).unwrap();
        assert_eq!(tokens.dims(), [2, 6, 12]);
        let tokens_vec: Vec<Vec<Vec<u32>>> = tokens.to_vec3().unwrap();
        let cell = |b: u32, c: u32, y: u32, x: u32| ((b * 3 + c) * 4 + y) * 6 + x;
        let want: Vec<u32> = (0..3)
            .flat_map(|c| (0..4).map(move |i| cell(1, c, 2 + i / 2, 4 + i % 2)))
            .collect();
        assert_eq!(tokens_vec[1][5], want);
        let back = unpack(&tokens, 2, 3).unwrap();
        let flat = |x: &Tensor| x.flatten_all().unwrap().to_vec1::<u32>().unwrap();
        assert_eq!(flat(&back), flat(&latents));
        assert!(unpack(&tokens, 3, 3).is_err());
        assert!(pack(&latents.narrow(2, 0, 3).unwrap()).is_err());
    }
}
